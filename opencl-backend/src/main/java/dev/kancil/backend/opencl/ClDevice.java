package dev.kancil.backend.opencl;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.jspecify.annotations.Nullable;

/**
 * A device as its driver describes it.
 *
 * @param isProcessor whether it is the machine's own processor
 * @param isPlain whether to run the plain kernels, as tests do
 * @param sharesHostMemory whether buffers can lie in host memory without being copied
 * @param largestAllocation the most bytes that one buffer can have
 * @param units processors or cores that run work-groups beside each other
 * @param largestGroup the most work-items of a work-group
 * @param floatVector floats of the device's own vectors: 1, 2, 4, 8 or 16
 * @param alignment of sub-buffers, in bytes
 * @param hasIntegerDot whether kernels can multiply four bytes with four and add at once
 * @param arithmetic what products may multiply, whichever is fastest
 * @param unusableBecause what it lacks, or null
 */
record ClDevice(
    cl_platform_id platform,
    cl_device_id id,
    String name,
    String version,
    String driver,
    boolean isProcessor,
    boolean isPlain,
    boolean sharesHostMemory,
    long memoryBytes,
    long largestAllocation,
    long localBytes,
    int units,
    int largestGroup,
    int floatVector,
    int alignment,
    boolean hasIntegerDot,
    Set<Arithmetic> arithmetic,
    Set<String> extensions,
    @Nullable String unusableBecause) {
  // Of cl_khr_integer_dot_product; JOCL has no names for them.
  private static final int INTEGER_DOT_CAPABILITIES = 0x1073;
  private static final long PACKED_BYTES = 1;

  // What later versions deprecate is all that 1.2 has.
  @SuppressWarnings("deprecation")
  static ClDevice of(cl_platform_id platform, cl_device_id id) {
    Set<String> extensions =
        new TreeSet<>(Arrays.asList(OpenCl.text(id, CL.CL_DEVICE_EXTENSIONS).split("\\s+", -1)));
    String version = OpenCl.text(id, CL.CL_DEVICE_VERSION);
    return new ClDevice(
        platform,
        id,
        OpenCl.text(id, CL.CL_DEVICE_NAME),
        version,
        OpenCl.text(id, CL.CL_DRIVER_VERSION),
        (OpenCl.number(id, CL.CL_DEVICE_TYPE) & CL.CL_DEVICE_TYPE_CPU) != 0,
        false,
        OpenCl.number(id, CL.CL_DEVICE_HOST_UNIFIED_MEMORY) != 0,
        OpenCl.number(id, CL.CL_DEVICE_GLOBAL_MEM_SIZE),
        OpenCl.number(id, CL.CL_DEVICE_MAX_MEM_ALLOC_SIZE),
        OpenCl.number(id, CL.CL_DEVICE_LOCAL_MEM_SIZE),
        (int) Math.clamp(OpenCl.number(id, CL.CL_DEVICE_MAX_COMPUTE_UNITS), 1L, 1L << 16),
        (int) Math.min(OpenCl.number(id, CL.CL_DEVICE_MAX_WORK_GROUP_SIZE), 1 << 20),
        Integer.highestOneBit(
            (int) Math.clamp(OpenCl.number(id, CL.CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT), 1L, 16L)),
        (int) Math.max(OpenCl.number(id, CL.CL_DEVICE_MEM_BASE_ADDR_ALIGN) / Byte.SIZE, 64),
        hasIntegerDot(id, version, extensions),
        EnumSet.of(Arithmetic.FLOATS),
        extensions,
        lack(id, version));
  }

  /** Whether kernels have the functions of packed bytes, which come with OpenCL C 3.0. */
  private static boolean hasIntegerDot(cl_device_id id, String version, Set<String> extensions) {
    return extensions.contains("cl_khr_integer_dot_product")
        && !version.startsWith("OpenCL 1")
        && !version.startsWith("OpenCL 2")
        && (OpenCl.number(id, INTEGER_DOT_CAPABILITIES) & PACKED_BYTES) != 0;
  }

  private static @Nullable String lack(cl_device_id id, String version) {
    if (OpenCl.number(id, CL.CL_DEVICE_AVAILABLE) == 0) {
      return "its driver says that it is not available";
    }
    if (OpenCl.number(id, CL.CL_DEVICE_COMPILER_AVAILABLE) == 0) {
      return "its driver has no compiler";
    }
    if (version.startsWith("OpenCL 1.0") || version.startsWith("OpenCL 1.1")) {
      return "it has " + version + ", and 1.2 is needed";
    }
    if (OpenCl.number(id, CL.CL_DEVICE_ENDIAN_LITTLE) == 0) {
      return "its byte order is not that of model files";
    }
    return null;
  }

  /** The same, taken for a graphics processor, so that its kernels can be tested without one. */
  ClDevice asGraphics() {
    int local = (int) Math.min(localBytes, 48 << 10);
    return as(false, false, arithmetic, local, 64, Math.min(largestGroup, 256));
  }

  /** The same with the plain kernels, where there are some beside the fast ones. */
  ClDevice asPlain() {
    return as(isProcessor, true, arithmetic, localBytes, units, largestGroup);
  }

  /** The same where products may multiply something else, too, if it can. */
  ClDevice allowing(Arithmetic other) {
    if (other == Arithmetic.HALVES && !hasHalves()) {
      return this;
    }
    EnumSet<Arithmetic> both = EnumSet.copyOf(arithmetic);
    both.add(other);
    return as(isProcessor, isPlain, both, localBytes, units, largestGroup);
  }

  private ClDevice as(
      boolean processor,
      boolean plain,
      Set<Arithmetic> allowed,
      long local,
      int unitCount,
      int group) {
    return new ClDevice(
        platform,
        id,
        name,
        version,
        driver,
        processor,
        plain,
        sharesHostMemory,
        memoryBytes,
        largestAllocation,
        local,
        unitCount,
        group,
        floatVector,
        alignment,
        hasIntegerDot,
        allowed,
        extensions,
        unusableBecause);
  }

  /** Whether kernels can compute in half precision. */
  boolean hasHalves() {
    return extensions.contains("cl_khr_fp16");
  }

  /** Whether kernels can let the items of a sub-group exchange values. */
  boolean hasSubGroups() {
    return extensions.contains("cl_khr_subgroups") || extensions.contains("cl_intel_subgroups");
  }

  /** Optional features, as {@code kancil devices} lists them. */
  List<String> features() {
    List<String> features = new ArrayList<>();
    if (hasHalves()) {
      features.add("fp16");
    }
    if (hasSubGroups()) {
      features.add("sub-groups");
    }
    if (hasIntegerDot) {
      features.add("integer dot product");
    }
    if (sharesHostMemory) {
      features.add("shares host memory");
    }
    return features;
  }
}
