package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loads, stores and atomic operations as kernels for tensors write them. */
class AccessFormsTest {
  private static EmulatedKernels kernels(String body) {
    return new EmulatedKernels()
        .ptx(
            """
            .version 7.4
            .target sm_80
            .address_size 64
            .extern .shared .align 16 .b8 dynamic[];
            .visible .entry f(.param .u64 x, .param .u64 y)
            {
            .reg .b16 %h<9>;
            .reg .b32 %r<9>;
            .reg .f32 %f<9>;
            .reg .b64 %rd<9>;
            mov.u32 %r1, %tid.x;
            ld.param.u64 %rd1, [x];
            ld.param.u64 %rd2, [y];
            """
                + body
                + "\nret;\n}\n");
  }

  @ParameterizedTest
  @CsvSource({
    "b8,2", "b8,4", "b16,1", "b16,2", "b16,4", "b32,1", "b32,2", "b32,4", "b64,1", "b64,2"
  })
  void vectorsTravelWhole(String type, int elements) {
    int bytes = Integer.parseInt(type.substring(1)) / 8 * elements;
    String register = type.equals("b64") ? "%rd" : type.equals("b32") ? "%r" : "%h";
    String registers =
        IntStream.range(4, 4 + elements)
            .mapToObj(i -> register + i)
            .collect(Collectors.joining(", "));
    registers = elements == 1 ? registers : "{" + registers + "}";
    String vector = elements == 1 ? "." : ".v" + elements + ".";
    byte[] x = new byte[64 * bytes];
    new Random(1).nextBytes(x);
    for (String load : List.of("ld.global", "ld.global.nc", "ld.global.cs", "ld.volatile.global")) {
      String body =
          """
          mad.wide.u32 %%rd1, %%r1, %1$d, %%rd1;
          mad.wide.u32 %%rd2, %%r1, %1$d, %%rd2;
          mov.u32 %%r2, dynamic;
          mad.lo.u32 %%r3, %%r1, %1$d, %%r2;
          %2$s %3$s, [%%rd1];
          st.shared%4$s %3$s, [%%r3];
          ld.shared%4$s %3$s, [%%r3];
          st.global%4$s %3$s, [%%rd2];
          """
              .formatted(bytes, load + vector + type, registers, vector + type)
              .replaceAll("(st[^ ]*) (.*), (\\[.*\\]);", "$1 $3, $2;");
      try (EmulatedKernels kernels = kernels(body)) {
        long y = kernels.driver.allocate(x.length);
        long from = kernels.upload(MemorySegment.ofArray(x));
        int[] block = {64, 1, 1};
        kernels.run("f", new int[] {1, 1, 1}, block, x.length, from, y);
        byte[] result = new byte[x.length];
        kernels.driver.copyToHost(MemorySegment.ofArray(result), y, 0);
        assertThat(result).as(load).isEqualTo(x);
      }
    }
  }

  @Test
  void accessesThatOrderOthers() {
    String body =
        """
        ld.volatile.global.u32 %r2, [%rd1];
        ld.relaxed.gpu.global.u32 %r3, [%rd1+4];
        ld.acquire.gpu.global.u32 %r4, [%rd1+8];
        ld.acquire.sys.u32 %r5, [%rd1+12];
        fence.acq_rel.gpu;
        membar.gl;
        st.volatile.global.u32 [%rd2], %r2;
        st.relaxed.gpu.global.u32 [%rd2+4], %r3;
        st.release.gpu.global.u32 [%rd2+8], %r4;
        st.release.cta.u32 [%rd2+12], %r5;
        """;
    try (EmulatedKernels kernels = kernels(body)) {
      long y = kernels.upload(new int[4]);
      kernels.run("f", 1, 1, kernels.upload(5, 6, 7, 8), y);
      assertThat(kernels.ints(y, 4)).containsExactly(5, 6, 7, 8);
    }
  }

  @Test
  void countersAndSums() {
    String body =
        """
        atom.acq_rel.gpu.global.add.u32 %r2, [%rd2], 1;
        atom.add.acq_rel.gpu.u32 %r3, [%rd2], 1;
        atom.global.inc.u32 %r4, [%rd2+4], 9;
        atom.relaxed.gpu.global.inc.u32 %r4, [%rd2+4], 9;
        cvt.rn.f32.u32 %f1, %r1;
        red.global.add.f32 [%rd2+8], %f1;
        red.relaxed.gpu.global.add.f32 [%rd2+8], 0f3F000000;
        red.global.add.u32 [%rd2+12], %r1;
        red.release.gpu.global.add.u32 [%rd2+12], 1;
        mov.b64 %rd4, 0x100000000;
        red.global.add.u64 [%rd2+16], %rd4;
        red.global.max.s32 [%rd2+24], %r1;
        """;
    try (EmulatedKernels kernels = kernels(body)) {
      long y = kernels.upload(new int[8]);
      kernels.run("f", 1, 32, y, y);
      assertThat(kernels.ints(y, 7))
          .containsExactly(64, 4, Float.floatToRawIntBits(496 + 16), 496 + 32, 0, 32, 31);
    }
  }

  @Test
  void subnormalSumsAreZeroInGlobalMemoryOnly() {
    String body =
        """
        st.global.b32 [%rd2], 0x00000100;
        red.global.add.f32 [%rd2], 0f00000200;
        st.shared.b32 [dynamic], 0x00000100;
        red.shared.add.f32 [dynamic], 0f00000200;
        ld.shared.b32 %r2, [dynamic];
        st.global.b32 [%rd2+4], %r2;
        """;
    try (EmulatedKernels kernels = kernels(body)) {
      long y = kernels.upload(new int[2]);
      int[] one = {1, 1, 1};
      kernels.run("f", one, one, 16, y, y);
      assertThat(kernels.ints(y, 2)).containsExactly(0, 0x300);
    }
  }

  @Test
  void floatsArePackedAsHalvesTheFirstAbove() {
    Random random = new Random(2);
    long[] a = random.doubles(1000, -9, 9).mapToLong(AccessFormsTest::bits).toArray();
    long[] b = random.doubles(1000, -9, 9).mapToLong(AccessFormsTest::bits).toArray();
    b[0] = bits(1e9);
    b[1] = bits(Double.NaN);
    List<String> types = List.of("f32", "f32");
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] halves = runner.run("cvt.rn.f16x2.f32 %d, %a0, %a1;", "b32", types, a, b);
      long[] brains = runner.run("cvt.rn.bf16x2.f32 %d, %a0, %a1;", "b32", types, a, b);
      long[] positive = runner.run("cvt.rn.relu.f16x2.f32 %d, %a0, %a1;", "b32", types, a, b);
      for (int i = 0; i < a.length; i++) {
        float x = Float.intBitsToFloat((int) a[i]);
        float y = Float.intBitsToFloat((int) b[i]);
        assertThat(halves[i] >>> 16).isEqualTo(Float.floatToFloat16(x) & 0xffff);
        assertThat(positive[i] >>> 16).isEqualTo(Float.floatToFloat16(Math.max(x, 0)) & 0xffff);
        Float brain = Float.intBitsToFloat((int) brains[i] & 0xffff_0000);
        assertThat(Math.abs(brain - x)).isLessThanOrEqualTo(Math.abs(x) * 0x1p-8f);
        if (i > 1) {
          assertThat(halves[i] & 0xffff).isEqualTo(Float.floatToFloat16(y) & 0xffff);
          assertThat(Math.abs(Float.intBitsToFloat((int) brains[i] << 16) - y))
              .isLessThanOrEqualTo(Math.abs(y) * 0x1p-8f);
        }
      }
      assertThat(halves[0] & 0xffff).isEqualTo(0x7c00);
      assertThat(halves[1] & 0xffff).isEqualTo(0x7fff);
      assertThat(brains[0] & 0xffff).isEqualTo(0x4e6e);
    }
  }

  private static long bits(double value) {
    return Float.floatToRawIntBits((float) value) & 0xffff_ffffL;
  }
}
