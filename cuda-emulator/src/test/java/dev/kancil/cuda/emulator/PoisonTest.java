package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What nobody has written is a NaN. */
class PoisonTest {
  @Test
  void sharedMemoryIsPoisonedForEachBlock() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(float *y) {
                  __shared__ volatile float s[32];
                  y[blockIdx.x * 32 + threadIdx.x] = s[threadIdx.x];
                  s[threadIdx.x] = 1;
                }
                """)) {
      long y = kernels.upload(new float[96]);
      kernels.run("f", 3, 32, y);
      assertThat(kernels.floats(y, 96)).containsOnly(Float.NaN);
    }
  }

  @Test
  void allocationsAndRegistersArePoisoned() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .ptx(
                """
                .version 7.0
                .target sm_75
                .address_size 64
                .visible .entry f(.param .u64 y)
                {
                  .reg .b64 %rd<2>;
                  .reg .f32 %f<2>;
                  ld.param.u64 %rd1, [y];
                  st.global.f32 [%rd1], %f1;
                  ret;
                }
                """)) {
      long y = kernels.driver.allocate(8);
      kernels.run("f", 1, 1, y);
      assertThat(kernels.floats(y, 2)).containsOnly(Float.NaN);
    }
  }

  @Test
  void aLaneThatDoesNotExistGivesPoison() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(float *y) {
                  y[threadIdx.x] = __shfl_down_sync(0xffffffffu, y[threadIdx.x], 1);
                }
                """)) {
      long y = kernels.upload(new float[] {1, 2, 3});
      kernels.run("f", 1, 3, y);
      assertThat(kernels.floats(y, 3)).containsExactly(2, 3, Float.NaN);
    }
  }
}
