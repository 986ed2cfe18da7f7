package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is unknown is named when a module is loaded; bad text gives one clear error. */
class PtxErrorsTest {
  private static final String HEAD = ".version 7.0\n.target sm_75\n.address_size 64\n";
  static final String VALID =
      HEAD
          + """
          .global .align 4 .f32 table[3] = {0f3F800000, 0f40000000, -1.5};
          .extern .shared .align 16 .b8 dyn[];
          .func (.param .b32 r) twice(.param .b32 a)
          {
            .reg .f32 %f<3>;
            ld.param.f32 %f1, [a];
            add.f32 %f1, %f1, %f1;
            st.param.f32 [r+0], %f1;
            ret;
          }
          .visible .entry f(
            .param .u64 y,
            .param .u32 n
          )
          {
            .reg .pred %p<3>;
            .reg .b32 %r<9>;
            .reg .f32 %f<5>;
            .reg .b64 %rd<5>;
            .local .align 8 .b8 depot[16];
            .shared .align 4 .b8 s[128];
            .loc 1 3 5
            ld.param.u64 %rd1, [y];
            ld.param.u32 %r2, [n];
            mov.u32 %r1, %tid.x;
            setp.ge.u32 %p1, %r1, %r2;
            @%p1 bra $L__end;
            mad.wide.u32 %rd2, %r1, 4, %rd1;
            ld.global.nc.f32 %f1, [%rd2];
            shfl.sync.bfly.b32 %r3|%p2, %r1, 1, 31, -1;
            mov.u64 %rd3, depot;
            st.local.v2.u32 [%rd3+8], {%r1, %r3};
            st.shared.f32 [s+4], %f1;
            bar.sync 0;
            {
              .param .b32 a0;
              st.param.f32 [a0+0], %f1;
              .param .b32 r0;
              call.uni (r0), twice, (a0);
              ld.param.f32 %f2, [r0+0];
            }
            cvt.rn.f32.s32 %f3, %r3;
            fma.rn.f32 %f2, %f2, 0f3F000000, %f3;
            st.global.f32 [%rd2], %f2;
          $L__end:
            ret;
          }
          """;

  private static void load(String text) {
    try (EmulatedKernels kernels = new EmulatedKernels()) {
      kernels.ptx(text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tcgen05.fence::before_thread_sync; | unknown instruction tcgen05.fence::before_thread_sync",
        "add.rn.s32 %r1, %r1, %r1; | unknown instruction add.rn.s32",
        "add.s32 %r1, %r1; | add.s32 with 2 operands",
        "add.s32 %r1, %r1, %rd1; | %rd1 is of type b64, not s32",
        "add.f32 %r1, %r1, %missing; | unknown operand %missing",
        "bra nowhere; | unknown label",
        "ld.global.u32 %r1, [%r1]; | %r1 is too small for an address",
        "mov.u32 %r1, 12x4; | not a number: 12x4",
        ".maxnothing 4; | unknown directive .maxnothing",
        "tex.2d.v4.f32.f32 {%r1, %r1, %r1, %r1}, [%rd1]; | unknown instruction tex.2d.v4.f32.f32",
        "call printf, (%r1); | a call of printf, which is not in the module",
        "redux.sync.add.s32 %r1, %r1, -1; | redux.sync.add.s32 needs sm_80, the text is for sm_75",
        "frobnicate.b32 %r1; | unknown instruction frobnicate.b32"
      })
  void whatIsUnknownIsNamedWithItsLine(String line, String message) {
    String text =
        HEAD
            + ".visible .entry f()\n{\n.reg .b32 %r<9>;\n.reg .b64 %rd<9>;\n"
            + line
            + "\nret;\n}\n";
    assertThatThrownBy(() -> load(text))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_INVALID_PTX (218): PTX line 8: " + message);
  }

  @Test
  void callsThatGrowWithoutEnd() {
    StringBuilder text = new StringBuilder(HEAD);
    text.append(".func f0()\n{\n}\n");
    for (int i = 1; i < 30; i++) {
      String call = "call f" + (i - 1) + ";\n";
      text.append(".func f").append(i).append("()\n{\n").append(call).append(call).append("}\n");
    }
    text.append(".entry k()\n{\ncall f29;\n}\n");
    assertThatThrownBy(() -> load(text.toString()))
        .hasMessageContaining("k calls too many functions");
    String recursive = HEAD + ".func f()\n{\ncall f;\n}\n.entry k()\n{\ncall f;\n}\n";
    assertThatThrownBy(() -> load(recursive))
        .hasMessageContaining("calls nest too deeply: recursion is not supported");
  }

  @Test
  void imagesThatAreNoPtx() {
    try (EmulatedKernels kernels = new EmulatedKernels()) {
      assertThatThrownBy(() -> kernels.ptx("\u007fELF"))
          .hasMessageStartingWith("CUDA_ERROR_NO_BINARY_FOR_GPU (209)");
      assertThatThrownBy(() -> kernels.ptx("")).hasMessageStartingWith("CUDA_ERROR_INVALID_PTX");
      assertThatThrownBy(() -> kernels.ptx(HEAD.replace("75", "90")))
          .hasMessageContaining("it is for sm_90, the device is sm_80");
    }
  }

  @Test
  void mutatedTextGivesOneClearErrorOrLoads() {
    load(VALID);
    Random random = new Random(1);
    EmulatedDevice device = EmulatedDevice.standard().withMemoryBytes(1 << 20);
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () -> {
          for (int i = 0; i < 1000; i++) {
            try (EmulatedKernels kernels = new EmulatedKernels(device)) {
              for (int j = 0; j < 10; j++) {
                tryToLoad(kernels, mutated(random, 4));
              }
            }
          }
        });
  }

  /** Loads text, or is refused for the text's sake. */
  static void tryToLoad(EmulatedKernels kernels, String text) {
    try {
      kernels.ptx(text);
    } catch (CudaException e) {
      // Memory for variables may be more than there is; everything else is the text's fault.
      if (e.code() != CudaException.OUT_OF_MEMORY && e.code() != 218) {
        throw new AssertionError(text, e);
      }
    } catch (RuntimeException e) {
      throw new AssertionError(text, e);
    }
  }

  @Test
  void mutatedKernelsEndInWhateverADriverMaySay() {
    Random random = new Random(2);
    EmulatedDevice device =
        EmulatedDevice.standard().withMemoryBytes(1 << 20).withInstructionLimit(1 << 20);
    int loaded = 0;
    for (int i = 0; i < 3000; i++) {
      String text = mutated(random, 1);
      try (EmulatedKernels kernels = new EmulatedKernels(device)) {
        try {
          kernels.ptx(text);
        } catch (CudaException e) {
          continue;
        }
        loaded++;
        try {
          kernels.run("f", 2, 33, kernels.upload(new float[64]), 64);
        } catch (CudaException e) {
          assertThat(e).as(text).message().doesNotContain("the emulator is at fault");
        }
      }
    }
    assertThat(loaded).isGreaterThan(100);
  }

  private static String mutated(Random random, int most) {
    StringBuilder text = new StringBuilder(VALID);
    if (most > 1 && random.nextInt(4) == 0) {
      text.setLength(random.nextInt(text.length()));
    }
    for (int i = random.nextInt(most); i >= 0 && text.length() > 8; i--) {
      int at = random.nextInt(text.length() - 4);
      List<String> lines = VALID.lines().toList();
      switch (random.nextInt(6)) {
        case 0 -> text.setCharAt(at, (char) (random.nextInt(95) + 32));
        case 1 -> text.deleteCharAt(at);
        case 2 -> text.insert(at, "{}[]();,.<>%@!|:-+\"/*09".charAt(random.nextInt(23)));
        case 3 ->
            text.insert(at, VALID, at / 2, Math.min(VALID.length(), at / 2 + random.nextInt(40)));
        case 4 -> text.delete(at, Math.min(text.length(), at + random.nextInt(60)));
        default -> {
          int line = text.lastIndexOf("\n", at) + 1;
          text.insert(line, lines.get(random.nextInt(lines.size())) + "\n");
        }
      }
    }
    return text.toString().replace('\0', ' ');
  }
}
