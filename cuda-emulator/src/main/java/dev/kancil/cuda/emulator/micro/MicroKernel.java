package dev.kancil.cuda.emulator.micro;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A kernel around a form: blocks of 128 threads, each with operands and results of its own. Bodies
 * may also use registers %r0 to %r9, %h0 to %h9, %q0 to %q9 (64 bits) and %p0 to %p9; %thread;
 * %slot, 16 bytes of shared memory for each thread; %from, where operand 0 lies; %to, where result
 * 0 will lie.
 */
final class MicroKernel {
  static final int THREADS = 128;

  private MicroKernel() {}

  static String ptx(MicroForm form) {
    StringBuilder text = new StringBuilder(".version ");
    text.append(form.target() < 90 ? "7.8" : "8.0").append("\n.target sm_").append(form.target());
    text.append(form.isExact() ? "a" : "");
    text.append("\n.address_size 64\n.visible .entry f(.param .u64 first");
    int parameters = form.operands().size() + form.results().size();
    for (int i = 1; i < parameters; i++) {
      text.append(", .param .u64 p").append(i);
    }
    text.append(")\n{\n.reg .pred %p<10>;\n.reg .b16 %h<10>;\n.reg .b32 %r<10>;\n");
    text.append(".reg .b64 %q<10>;\n.reg .b32 %thread, %slot, %at;\n.reg .b64 %from, %to, %x;\n");
    text.append(".shared .align 16 .b8 s[").append(16 * THREADS).append("];\n");
    text.append(
        "mov.u32 %thread, %tid.x;\nmov.u32 %slot, s;\nmad.lo.u32 %slot, %thread, 16, %slot;\n");
    text.append("mov.u32 %at, %ctaid.x;\nmad.lo.u32 %at, %at, ").append(THREADS);
    text.append(", %thread;\n");
    for (int i = 0; i < form.operands().size(); i++) {
      int bits = MicroForm.bits(form.operands().get(i));
      text.append(".reg .b").append(bits).append(" %a").append(i).append(";\n");
      address(text, i, bits, i == 0 ? "%from" : "%x");
      text.append("ld.global.b").append(bits).append(" %a").append(i);
      text.append(i == 0 ? ", [%from];\n" : ", [%x];\n");
    }
    for (int i = 0; i < form.results().size(); i++) {
      int bits = MicroForm.bits(form.results().get(i));
      text.append(".reg .b").append(bits).append(" %d").append(i).append(";\n");
      if (i == 0) {
        address(text, form.operands().size(), bits, "%to");
      }
    }
    text.append(form.body()).append('\n');
    for (int i = 0; i < form.results().size(); i++) {
      int bits = MicroForm.bits(form.results().get(i));
      address(text, form.operands().size() + i, bits, "%x");
      text.append("st.global.b").append(bits).append(" [%x], %d").append(i).append(";\n");
    }
    return text.append("ret;\n}\n").toString();
  }

  private static void address(StringBuilder text, int parameter, int bits, String register) {
    text.append("ld.param.u64 ").append(register).append(", [");
    text.append(parameter == 0 ? "first" : "p" + parameter).append("];\nmad.wide.u32 ");
    text.append(register).append(", %at, ").append(bits / 8).append(", ").append(register);
    text.append(";\n");
  }

  /** The bits of all results on a driver whose context is current. */
  static long[][] run(CudaDriver driver, MicroForm form, long[][] operands) {
    int count = operands[0].length;
    List<Long> pointers = new ArrayList<>();
    long module = 0;
    try (Arena arena = Arena.ofConfined()) {
      module = driver.loadModule(arena.allocateFrom(ptx(form)));
      for (int i = 0; i < operands.length; i++) {
        int bits = MicroForm.bits(form.operands().get(i));
        pointers.add(driver.allocate((long) count * bits / 8));
        driver.copyToDevice(pointers.get(i), packed(arena, operands[i], bits), 0);
      }
      for (String result : form.results()) {
        pointers.add(driver.allocate((long) count * MicroForm.bits(result) / 8));
      }
      KernelArguments arguments =
          new KernelArguments(arena, Collections.nCopies(pointers.size(), ValueLayout.JAVA_LONG));
      for (int i = 0; i < pointers.size(); i++) {
        arguments.set(i, pointers.get(i));
      }
      long function = driver.function(module, "f");
      driver.launch(function, count / THREADS, 1, 1, THREADS, 1, 1, 0, 0, arguments);
      driver.synchronize(0);
      long[][] results = new long[form.results().size()][];
      for (int i = 0; i < results.length; i++) {
        int bits = MicroForm.bits(form.results().get(i));
        MemorySegment memory = arena.allocate((long) count * bits / 8, 16);
        driver.copyToHost(memory, pointers.get(operands.length + i), 0);
        driver.synchronize(0);
        results[i] = unpacked(memory, count, bits);
      }
      return results;
    } finally {
      pointers.forEach(driver::free);
      if (module != 0) {
        driver.unloadModule(module);
      }
    }
  }

  private static MemorySegment packed(Arena arena, long[] values, int bits) {
    MemorySegment memory = arena.allocate((long) values.length * bits / 8, 16);
    for (int i = 0; i < values.length; i++) {
      switch (bits) {
        case 16 -> memory.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) values[i]);
        case 32 -> memory.setAtIndex(ValueLayout.JAVA_INT, i, (int) values[i]);
        default -> memory.setAtIndex(ValueLayout.JAVA_LONG, i, values[i]);
      }
    }
    return memory;
  }

  private static long[] unpacked(MemorySegment memory, int count, int bits) {
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (bits) {
            case 16 -> memory.getAtIndex(ValueLayout.JAVA_SHORT, i) & 0xffff;
            case 32 -> memory.getAtIndex(ValueLayout.JAVA_INT, i) & 0xffff_ffffL;
            default -> memory.getAtIndex(ValueLayout.JAVA_LONG, i);
          };
    }
    return values;
  }
}
