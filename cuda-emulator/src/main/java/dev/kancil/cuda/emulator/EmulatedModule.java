package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Function;
import dev.kancil.cuda.emulator.PtxModule.Variable;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A loaded module.
 *
 * @param variables addresses of what it has in global memory
 */
record EmulatedModule(Map<String, Kernel> kernels, List<Long> variables) {
  private static final long MAX_TEXT = 64L << 20;

  /**
   * Parses PTX, decodes all kernels and allocates variables.
   *
   * @param image PTX that ends with a zero
   */
  static EmulatedModule load(MemorySegment image, EmulatedDevice device, GlobalMemory memory) {
    String text = text(image);
    List<Long> allocated = new ArrayList<>();
    try {
      PtxModule module = PtxParser.parse(text);
      if (!module.target().runsOn(device.computeCapability())) {
        throw new PtxException(
            1, "it is for " + module.target() + ", the device is sm_" + device.computeCapability());
      }
      Map<String, Long> addresses = allocate(module, memory, allocated);
      Map<String, Kernel> kernels = new HashMap<>();
      for (Function function : module.functions().values()) {
        if (function.isKernel()) {
          kernels.put(function.name(), KernelDecoder.decode(module, function, addresses));
        }
      }
      return new EmulatedModule(kernels, allocated);
    } catch (PtxException e) {
      allocated.forEach(memory::free);
      throw CudaError.INVALID_PTX.exception(String.valueOf(e.getMessage()));
    }
  }

  private static String text(MemorySegment image) {
    long length = Math.min(image.byteSize(), MAX_TEXT);
    if (length >= 4 && image.get(ValueLayout.JAVA_INT_UNALIGNED, 0) == 0x464c457f) {
      throw CudaError.NO_BINARY_FOR_GPU.exception("only PTX is interpreted, this is a cubin");
    }
    byte[] bytes = image.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    if (end == bytes.length) {
      throw CudaError.INVALID_IMAGE.exception("PTX must end with a zero");
    }
    return new String(bytes, 0, end, StandardCharsets.ISO_8859_1);
  }

  private static Map<String, Long> allocate(
      PtxModule module, GlobalMemory memory, List<Long> allocated) {
    Map<String, Long> addresses = new HashMap<>();
    Map<Variable, MemorySegment> segments = new HashMap<>();
    for (Variable variable : module.variables()) {
      if (variable.space() == Space.SHARED || variable.isExternal()) {
        continue;
      }
      boolean isReadOnly = variable.space() == Space.CONST;
      GlobalMemory.Allocation allocation =
          memory.allocate(Math.max(variable.bytes(), 1), isReadOnly, "variable " + variable.name());
      allocated.add(allocation.address);
      addresses.put(variable.name(), allocation.address);
      segments.put(variable, allocation.memory.fill((byte) 0));
    }
    segments.forEach((variable, segment) -> initialise(variable, segment, addresses));
    return addresses;
  }

  private static void initialise(
      Variable variable, MemorySegment segment, Map<String, Long> addresses) {
    PtxType type = variable.element();
    long at = 0;
    for (Operand operand : variable.values()) {
      long bits =
          switch (operand) {
            case Operand.Whole(long value) -> value;
            case Operand.Floating(double value, int single) ->
                type.bits == 64 ? Double.doubleToRawLongBits(value) : single;
            case Operand.Name(String name, _, long offset) -> {
              Long address = addresses.get(name);
              if (address == null || type.bits != 64) {
                throw new PtxException(variable.line(), "unsupported initial value " + name);
              }
              yield address + offset;
            }
            default -> throw new PtxException(variable.line(), "unsupported initial value");
          };
      switch (type.bytes()) {
        case 1 -> segment.set(ValueLayout.JAVA_BYTE, at, (byte) bits);
        case 2 -> segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) bits);
        case 4 -> segment.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) bits);
        default -> segment.set(ValueLayout.JAVA_LONG_UNALIGNED, at, bits);
      }
      at += type.bytes();
    }
  }
}
