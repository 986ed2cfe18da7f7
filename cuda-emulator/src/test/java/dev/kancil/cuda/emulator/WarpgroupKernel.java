package dev.kancil.cuda.emulator;

import java.lang.foreign.MemorySegment;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A kernel of 128 threads or more with A in %a0 to %a3, sums in %d0 …, and shared memory at %s. Its
 * parameters are the registers of each thread, what shared memory will hold, and where sums go.
 */
final class WarpgroupKernel {
  private final int columns;
  private final int sharedBytes;
  private String target = "sm_90a";
  private String filling =
      """
      copy:
      setp.ge.u32 %p2, %at, SHARED_BYTES;
      @%p2 bra filled;
      cvt.u64.u32 %q1, %at;
      add.u64 %q2, %w, %q1;
      ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%q2];
      add.u32 %r5, %s, %at;
      st.shared.v4.u32 [%r5], {%r1, %r2, %r3, %r4};
      add.u32 %at, %at, 2048;
      bra copy;
      filled:
      fence.proxy.async;
      bar.sync 0;
      """;
  private String body = "";
  private int threads = 128;
  private EmulatedDevice device = EmulatedDevice.standard().withComputeCapability(90);

  WarpgroupKernel(int columns, int sharedBytes) {
    this.columns = columns;
    this.sharedBytes = sharedBytes;
  }

  int columns() {
    return columns;
  }

  WarpgroupKernel body(String lines) {
    body = lines;
    return this;
  }

  /** What brings w to shared memory: %at is 16 times the thread's number. */
  WarpgroupKernel filling(String lines) {
    filling = lines;
    return this;
  }

  WarpgroupKernel target(String name) {
    target = name;
    return this;
  }

  WarpgroupKernel threads(int count) {
    threads = count;
    return this;
  }

  WarpgroupKernel device(EmulatedDevice other) {
    device = other;
    return this;
  }

  EmulatedDevice device() {
    return device;
  }

  /** Puts a descriptor of shared memory from some byte on into a register. */
  String descriptor(String register, int from, int leading, int stride, int mode) {
    long fields = (long) leading >> 4 << 16 | (long) stride >> 4 << 32 | (long) mode << 62;
    return """
        add.u32 %%r1, %%s, %d;
        shr.u32 %%r1, %%r1, 4;
        cvt.u64.u32 %s, %%r1;
        or.b64 %s, %s, 0x%x;
        """
        .formatted(from, register, register, register, fields);
  }

  String product(String type, String left, String right, String rest) {
    return "wgmma.mma_async.sync.aligned.m64n%dk16.f32.%s.%s %s, %s, %s, %s;\n"
        .formatted(columns, type, type, sums(), left, right, rest);
  }

  private String sums() {
    return IntStream.range(0, columns / 2)
        .mapToObj(i -> "%d" + i)
        .collect(Collectors.joining(", ", "{", "}"));
  }

  String group(String products) {
    return "wgmma.fence.sync.aligned;\n" + products + "wgmma.commit_group.sync.aligned;\n";
  }

  private String text() {
    int perThread = 4 + columns / 2;
    StringBuilder text = new StringBuilder(".version 8.0\n.target " + target);
    text.append("\n.address_size 64\n.visible .entry f(.param .u64 px, .param .u64 pw, ");
    text.append(".param .u64 py)\n{\n.reg .b32 %r<9>;\n.reg .b32 %a<4>;\n.reg .f32 %d<129>;\n");
    text.append(".reg .b64 %q<9>;\n.reg .b64 %x, %w, %y, %l, %b;\n.reg .b32 %s, %at, %thread;\n");
    text.append(".reg .pred %p<4>;\n.shared .align 1024 .b8 s[").append(sharedBytes);
    text.append("];\nmov.u32 %thread, %tid.x;\nmov.u32 %s, s;\nshl.b32 %at, %thread, 4;\n");
    text.append("ld.param.u64 %x, [px];\nld.param.u64 %w, [pw];\nld.param.u64 %y, [py];\n");
    text.append("and.b32 %r1, %thread, 127;\n");
    text.append("mad.wide.u32 %x, %r1, ").append(4 * perThread).append(", %x;\n");
    text.append("mad.wide.u32 %y, %thread, ").append(2 * columns).append(", %y;\n");
    for (int i = 0; i < perThread; i++) {
      String register = i < 4 ? "%a" + i : "%d" + (i - 4);
      text.append("ld.global.b32 %s, [%%x+%d];\n".formatted(register, 4 * i));
    }
    text.append(filling.replace("SHARED_BYTES", String.valueOf(sharedBytes))).append(body);
    for (int i = 0; i < columns / 2; i++) {
      text.append("st.global.f32 [%%y+%d], %%d%d;\n".formatted(4 * i, i));
    }
    return text.append("ret;\n}\n").toString();
  }

  /** Each thread's sums. */
  float[] run(int[] registers, byte[] shared) {
    try (EmulatedKernels kernels = new EmulatedKernels(device).ptx(text())) {
      long y = kernels.upload(new float[threads * columns / 2]);
      long x = kernels.upload(registers);
      kernels.run("f", 1, threads, x, kernels.upload(MemorySegment.ofArray(shared)), y);
      return kernels.floats(y, threads * columns / 2);
    }
  }
}
