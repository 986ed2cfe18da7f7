package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.kernels.KernelSource;
import dev.kancil.tensor.Codebook;
import dev.kancil.tensor.DataType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_program;
import org.jspecify.annotations.Nullable;

/** Kernels by file and defines, each pair built once for the device or taken from the cache. */
final class Programs implements AutoCloseable {
  private static final Pattern LINE = Pattern.compile("(?m)^[^\\n:]*:(\\d+):(\\d+): error: (.*)$");

  private final ClDevice device;
  private final cl_context context;
  private final BinaryCache cache;
  private final Map<String, String> sources = new HashMap<>();
  private final Map<Key, cl_program> programs = new HashMap<>();

  private record Key(String file, Map<String, String> defines) {}

  Programs(ClDevice device, cl_context context, BinaryCache cache) {
    this.device = device;
    this.context = context;
    this.cache = cache;
  }

  /**
   * A kernel of its own, which the caller releases.
   *
   * @param file below the OpenCL kernels' folder
   * @param function its name in there
   * @param defines a name, and what it stands for, of each: fixed when the program is compiled
   * @throws DeviceException if it does not build; the message has the line of source
   */
  synchronized cl_kernel kernel(String file, String function, Map<String, String> defines) {
    Key key = new Key(file, Map.copyOf(defines));
    cl_program program = programs.get(key);
    if (program == null) {
      program = build(file, defines);
      programs.put(key, program);
      Handles.made();
    }
    int[] status = new int[1];
    cl_kernel kernel = CL.clCreateKernel(program, function, status);
    OpenCl.check(status[0], "find the kernel " + function + " in " + file);
    return kernel;
  }

  /** The text of a file with what it includes. */
  synchronized String source(String file) {
    return sources.computeIfAbsent(file, name -> KernelSource.read("opencl/" + name));
  }

  /** Where what is found out about the device is kept. */
  BinaryCache cache() {
    return cache;
  }

  private cl_program build(String file, Map<String, String> defines) {
    StringBuilder text = new StringBuilder();
    // In the source, since not all compilers take functions and spaces among their options.
    new TreeMap<>(defines)
        .forEach((name, meaning) -> text.append("#define " + name + " " + meaning + "\n"));
    Stream.of(DataType.values())
        .filter(type -> defines.containsKey("WEIGHT_" + type.name()))
        .forEach(type -> appendCodebook(type, text));
    text.append(source(file));
    String source = text.toString();
    // Functions of packed bytes come with OpenCL C 3.0.
    boolean dots =
        device.hasIntegerDot()
            && defines.keySet().containsAll(Arithmetic.INTEGERS.defines().keySet());
    String flags = dots ? "-cl-std=CL3.0" : "-cl-std=CL1.2";
    byte[] binary = cache.find(source, flags);
    if (binary != null) {
      cl_program program = load(binary, flags);
      if (program != null) {
        return program;
      }
      cache.forget(source, flags);
    }
    cl_program program = compile(file, source, flags);
    byte[] built = binary(program);
    if (built != null) {
      cache.keep(source, flags, built);
    }
    return program;
  }

  /** What kernels look weights up in, if they are of a type with a codebook. */
  private static void appendCodebook(DataType type, StringBuilder text) {
    short[] groups = Codebook.groups(type);
    if (groups.length == 0) {
      return;
    }
    text.append("constant ushort codebook[] = {");
    for (int i = 0; i < groups.length; i++) {
      // Compilers need not take lines of any length.
      text.append(i % 16 == 0 ? "\n" : " ").append(groups[i] & 0xffff).append(',');
    }
    text.append("\n};\n");
  }

  /** A program from a cached binary; null if the driver won't have it. */
  private @Nullable cl_program load(byte[] binary, String flags) {
    int[] status = new int[1];
    int[] binaryStatus = new int[1];
    cl_program program =
        CL.clCreateProgramWithBinary(
            context,
            1,
            new cl_device_id[] {device.id()},
            new long[] {binary.length},
            new byte[][] {binary},
            binaryStatus,
            status);
    if (status[0] != CL.CL_SUCCESS || binaryStatus[0] != CL.CL_SUCCESS) {
      return null;
    }
    if (CL.clBuildProgram(program, 1, new cl_device_id[] {device.id()}, flags, null, null)
        != CL.CL_SUCCESS) {
      CL.clReleaseProgram(program);
      return null;
    }
    return program;
  }

  private cl_program compile(String file, String source, String flags) {
    int[] status = new int[1];
    cl_program program =
        CL.clCreateProgramWithSource(context, 1, new String[] {source}, null, status);
    OpenCl.check(status[0], "read " + file);
    int built = CL.clBuildProgram(program, 1, new cl_device_id[] {device.id()}, flags, null, null);
    if (built != CL.CL_SUCCESS) {
      String log = log(program);
      CL.clReleaseProgram(program);
      throw new DeviceException(
          device.name() + " can't build " + file + ": " + explain(source, log));
    }
    return program;
  }

  private String log(cl_program program) {
    long[] size = new long[1];
    CL.clGetProgramBuildInfo(program, device.id(), CL.CL_PROGRAM_BUILD_LOG, 0, null, size);
    byte[] bytes = new byte[Math.clamp(size[0], 1, 1 << 20)];
    CL.clGetProgramBuildInfo(
        program, device.id(), CL.CL_PROGRAM_BUILD_LOG, bytes.length, Pointer.to(bytes), null);
    return OpenCl.string(bytes);
  }

  /** The first error with its line of source, or else the log as it is. */
  static String explain(String source, String log) {
    Matcher error = LINE.matcher(log);
    if (!error.find()) {
      return log.isEmpty() ? "the driver does not say why" : log;
    }
    List<String> lines = source.lines().toList();
    int line = Integer.parseInt(error.group(1));
    String text = line >= 1 && line <= lines.size() ? lines.get(line - 1).strip() : "";
    return error.group(3) + ", in line " + line + ": " + text;
  }

  private static byte @Nullable [] binary(cl_program program) {
    long[] size = new long[1];
    int status =
        CL.clGetProgramInfo(
            program, CL.CL_PROGRAM_BINARY_SIZES, Long.BYTES, Pointer.to(size), null);
    if (status != CL.CL_SUCCESS || size[0] < 1 || size[0] > BinaryCache.LARGEST) {
      return null;
    }
    byte[] binary = new byte[(int) size[0]];
    Pointer pointers = Pointer.to(Pointer.to(binary));
    status = CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARIES, Long.BYTES, pointers, null);
    return status == CL.CL_SUCCESS ? binary : null;
  }

  @Override
  public synchronized void close() {
    for (cl_program program : programs.values()) {
      CL.clReleaseProgram(program);
      Handles.released();
    }
    programs.clear();
  }
}
