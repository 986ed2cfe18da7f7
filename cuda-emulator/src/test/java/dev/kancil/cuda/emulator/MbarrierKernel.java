package dev.kancil.cuda.emulator;

import java.util.Arrays;

/**
 * A kernel with four mbarriers %b to %b+24 and 2 KiB of shared memory at %s, 4 KiB of global memory
 * at %x and as much at %y. %thread tells threads apart; each one's %out goes to its place in y.
 */
final class MbarrierKernel {
  static final int WORDS = 1024;

  private static final EmulatedDevice DEVICE = EmulatedDevice.standard().withComputeCapability(90);

  private MbarrierKernel() {}

  static String text(String target, String body) {
    return ".version 8.6\n.target "
        + target
        + """

        .address_size 64
        .visible .entry f(.param .u64 px, .param .u64 py)
        {
        .reg .b32 %r<9>;
        .reg .b64 %q<9>;
        .reg .b64 %x, %y, %to;
        .reg .b32 %thread, %out, %b, %s;
        .reg .pred %p<5>;
        .shared .align 8 .b64 bars[4];
        .shared .align 16 .b8 s[2048];
        ld.param.u64 %x, [px];
        ld.param.u64 %y, [py];
        mov.u32 %thread, %tid.x;
        mov.u32 %b, bars;
        mov.u32 %s, s;
        mov.u32 %out, 0;
        mad.wide.u32 %to, %thread, 4, %y;
        setp.eq.u32 %p0, %thread, 0;
        """
        + body
        + "\nst.global.u32 [%to], %out;\nret;\n}\n";
  }

  /** y, after a block of threads has run. */
  static int[] run(EmulatedDevice device, int threads, String body, int... x) {
    try (EmulatedKernels kernels = new EmulatedKernels(device).ptx(text("sm_90", body))) {
      long y = kernels.upload(new int[WORDS]);
      kernels.run("f", 1, threads, kernels.upload(Arrays.copyOf(x, WORDS)), y);
      return kernels.ints(y, WORDS);
    }
  }

  static int[] run(int threads, String body, int... x) {
    return run(DEVICE, threads, body, x);
  }

  /** Loads a text that may be refused. */
  static void load(String target, String body) {
    try (EmulatedKernels kernels = new EmulatedKernels(DEVICE)) {
      kernels.ptx(text(target, body));
    }
  }

  /** One thread initialises the first mbarrier, and all wait. */
  static String initialised(int count) {
    return "@%p0 mbarrier.init.shared::cta.b64 [%b], "
        + count
        + ";\nfence.proxy.async;\nbar.sync 0;\n";
  }

  /** Waits for the phase with a parity of the first mbarrier. */
  static String waits(int parity) {
    return "{\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 %p4, [%b], "
        + parity
        + ";\n@!%p4 bra again;\n}\n";
  }
}
