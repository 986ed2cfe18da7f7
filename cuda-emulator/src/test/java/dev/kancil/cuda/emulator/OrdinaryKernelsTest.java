package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels as an inference runtime has them, from CUDA C++, against Java. */
class OrdinaryKernelsTest {
  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 33, 100, 256})
  void anElementWiseKernelRunsInBlocksOfAnySize(int threads) {
    int n = 1000;
    float[] x = random(n, 1);
    float[] y = random(n, 2);
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(const float *x, float *y, float a, int n) {
                  int i = blockIdx.x * blockDim.x + threadIdx.x;
                  if (i < n) y[i] = a * x[i] / (1.0f + expf(-x[i])) + y[i];
                }
                """)) {
      long dx = kernels.upload(x);
      long dy = kernels.upload(y);
      kernels.run("f", Math.ceilDiv(n, threads), threads, dx, dy, 2.5f, n);
      float[] result = kernels.floats(dy, n);
      for (int i = 0; i < n; i++) {
        double expected = 2.5 * x[i] / (1 + Math.exp(-x[i])) + y[i];
        assertThat((double) result[i]).isCloseTo(expected, within(2e-6));
      }
    }
  }

  private static final String RMS_NORM =
      """
      extern "C" __global__ void rms_norm(const float *x, const float *w, float *y, int n) {
        __shared__ float partial[32];
        const float *row = x + blockIdx.x * n;
        float sum = 0;
        for (int i = threadIdx.x; i < n; i += blockDim.x) sum += row[i] * row[i];
        for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, o);
        if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
        __syncthreads();
        if (threadIdx.x < 32) {
          float s = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0;
          for (int o = 16; o > 0; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
          if (threadIdx.x == 0) partial[0] = s;
        }
        __syncthreads();
        float scale = rsqrtf(partial[0] / n + 1e-5f);
        for (int i = threadIdx.x; i < n; i += blockDim.x)
          y[blockIdx.x * n + i] = row[i] * scale * w[i];
      }
      """;

  @ParameterizedTest
  @ValueSource(ints = {32, 96, 256, 1024})
  void aBlockReducesByShufflesAndSharedMemory(int threads) {
    int n = 777;
    int rows = 5;
    float[] x = random(n * rows, 3);
    float[] w = random(n, 4);
    try (EmulatedKernels kernels = new EmulatedKernels().cuda(RMS_NORM)) {
      long y = kernels.upload(new float[n * rows]);
      kernels.run("rms_norm", rows, threads, kernels.upload(x), kernels.upload(w), y, n);
      float[] result = kernels.floats(y, n * rows);
      for (int row = 0; row < rows; row++) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
          sum += (double) x[row * n + i] * x[row * n + i];
        }
        double scale = 1 / Math.sqrt(sum / n + 1e-5);
        for (int i = 0; i < n; i++) {
          double expected = x[row * n + i] * scale * w[i];
          assertThat((double) result[row * n + i]).isCloseTo(expected, within(2e-6));
        }
      }
    }
  }

  @Test
  void q40TimesQ80WithDp4a() {
    int blocks = 12;
    int rows = 7;
    Random random = new Random(5);
    byte[] weights = new byte[rows * blocks * 18];
    random.nextBytes(weights);
    byte[] quants = new byte[blocks * 32];
    random.nextBytes(quants);
    float[] scales = random(blocks, 6);
    for (int i = 0; i < rows * blocks; i++) {
      short scale = Float.floatToFloat16((float) random.nextGaussian());
      weights[i * 18] = (byte) scale;
      weights[i * 18 + 1] = (byte) (scale >> 8);
    }
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                struct Block { unsigned short d; unsigned char q[16]; };
                extern "C" __global__ void f(const Block *w, const int *q, const float *d, float *y,
                                             int blocks) {
                  const Block *row = w + blockIdx.x * blocks;
                  float sum = 0;
                  for (int b = threadIdx.x; b < blocks; b += 32) {
                    int s = 0;
                    const unsigned short *p = (const unsigned short *)row[b].q;
                    for (int j = 0; j < 4; j++) {
                      unsigned v = p[2 * j] | p[2 * j + 1] << 16;
                      s = __dp4a((int)__vsubss4_(v & 0x0f0f0f0fu), q[b * 8 + j], s);
                      s = __dp4a((int)__vsubss4_(v >> 4 & 0x0f0f0f0fu), q[b * 8 + j + 4], s);
                    }
                    float scale;
                    asm("cvt.f32.f16 %0, %1;" : "=f"(scale) : "h"(row[b].d));
                    sum += scale * d[b] * s;
                  }
                  for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
                  if (threadIdx.x == 0) y[blockIdx.x] = sum;
                }
                """
                    .replace("__vsubss4_(", "minus8(")
                    .replace(
                        "struct Block",
                        "__device__ unsigned minus8(unsigned v) {"
                            + " return (v | 0x80808080u) - 0x08080808u ^ 0x80808080u; }\n"
                            + "struct Block"))) {
      long y = kernels.upload(new float[rows]);
      kernels.run(
          "f",
          rows,
          32,
          kernels.upload(MemorySegment.ofArray(weights)),
          kernels.upload(MemorySegment.ofArray(quants)),
          kernels.upload(scales),
          y,
          blocks);
      float[] result = kernels.floats(y, rows);
      for (int row = 0; row < rows; row++) {
        double expected = 0;
        for (int b = 0; b < blocks; b++) {
          int at = (row * blocks + b) * 18;
          int sum = 0;
          for (int i = 0; i < 16; i++) {
            int both = weights[at + 2 + i] & 0xff;
            sum += ((both & 15) - 8) * quants[b * 32 + i];
            sum += ((both >> 4) - 8) * quants[b * 32 + 16 + i];
          }
          int bits = weights[at] & 0xff | weights[at + 1] << 8;
          expected += (double) Float.float16ToFloat((short) bits) * scales[b] * sum;
        }
        assertThat((double) result[row])
            .isCloseTo(expected, within(1e-5 * Math.abs(expected) + 0.02));
      }
    }
  }
}
