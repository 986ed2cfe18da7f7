package dev.kancil.cuda.emulator;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Runs one PTX instruction on many operands. */
final class InstructionRunner implements AutoCloseable {
  private final EmulatedKernels kernels =
      new EmulatedKernels(EmulatedDevice.standard().withComputeCapability(90));

  /**
   * Runs {@code instruction}, which reads %a0, %a1 … and writes %d.
   *
   * @param result its type in PTX, as {@code b32}
   * @param types of the operands
   * @param operands the bits of each operand, for all runs
   * @return the bits of the results, without a sign
   */
  long[] run(String instruction, String result, List<String> types, long[]... operands) {
    int count = operands[0].length;
    StringBuilder text = new StringBuilder();
    text.append(".version 7.8\n.target sm_90\n.address_size 64\n.visible .entry f(.param .u64 y");
    for (int i = 0; i < types.size(); i++) {
      text.append(", .param .u64 x").append(i);
    }
    text.append(", .param .u32 n)\n{\n.reg .pred %p<4>;\n.reg .b64 %rd<4>;\n.reg .b32 %r<6>;\n");
    text.append(".reg .").append(result).append(" %d;\n");
    for (int i = 0; i < types.size(); i++) {
      text.append(".reg .").append(types.get(i)).append(" %a").append(i).append(";\n");
    }
    text.append("mov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\nmov.u32 %r3, %tid.x;\n");
    text.append("mad.lo.s32 %r1, %r1, %r2, %r3;\nld.param.u32 %r4, [n];\n");
    text.append("setp.ge.u32 %p1, %r1, %r4;\n@%p1 bra end;\n");
    for (int i = 0; i < types.size(); i++) {
      text.append("ld.param.u64 %rd1, [x").append(i).append("];\n");
      text.append("mad.wide.u32 %rd1, %r1, ").append(bytes(types.get(i))).append(", %rd1;\n");
      text.append("ld.global.").append(types.get(i)).append(" %a").append(i).append(", [%rd1];\n");
    }
    text.append(instruction).append("\nld.param.u64 %rd2, [y];\n");
    text.append("mad.wide.u32 %rd2, %r1, ").append(bytes(result)).append(", %rd2;\n");
    text.append("st.global.").append(result).append(" [%rd2], %d;\nend:\nret;\n}\n");
    kernels.ptx(text.toString());
    List<Object> arguments = new ArrayList<>();
    long y = kernels.driver.allocate((long) count * bytes(result));
    arguments.add(y);
    for (int i = 0; i < operands.length; i++) {
      arguments.add(upload(operands[i], bytes(types.get(i))));
    }
    arguments.add(count);
    kernels.run("f", Math.ceilDiv(count, 128), 128, arguments.toArray());
    long[] results = download(y, count, bytes(result));
    for (Object argument : arguments) {
      if (argument instanceof Long address) {
        kernels.driver.free(address);
      }
    }
    return results;
  }

  private static int bytes(String type) {
    return Integer.parseInt(type.substring(1)) / 8;
  }

  private long upload(long[] values, int bytes) {
    if (bytes == 8) {
      return kernels.upload(MemorySegment.ofArray(values));
    }
    if (bytes == 4) {
      int[] ints = new int[values.length];
      for (int i = 0; i < ints.length; i++) {
        ints[i] = (int) values[i];
      }
      return kernels.upload(ints);
    }
    short[] shorts = new short[values.length];
    for (int i = 0; i < shorts.length; i++) {
      shorts[i] = (short) values[i];
    }
    return kernels.upload(MemorySegment.ofArray(shorts));
  }

  private long[] download(long address, int count, int bytes) {
    if (bytes == 8) {
      return kernels.longs(address, count);
    }
    long[] values = new long[count];
    int[] ints = bytes == 4 ? kernels.ints(address, count) : new int[0];
    short[] shorts = bytes == 2 ? kernels.shorts(address, count) : new short[0];
    for (int i = 0; i < count; i++) {
      values[i] = bytes == 4 ? ints[i] & 0xffff_ffffL : shorts[i] & 0xffff;
    }
    return values;
  }

  @Override
  public void close() {
    kernels.close();
  }
}
