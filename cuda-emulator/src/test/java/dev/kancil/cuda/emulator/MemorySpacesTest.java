package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Vectors, local arrays, constants, generic addresses, atomics, grids of all dimensions. */
class MemorySpacesTest {
  @Test
  void gridsAndBlocksOfThreeDimensions() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y) {
                  int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
                  int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
                  int threads = blockDim.x * blockDim.y * blockDim.z;
                  y[block * threads + thread] +=
                      blockIdx.x + 10 * blockIdx.y + 100 * blockIdx.z
                      + 1000 * threadIdx.x + 10000 * threadIdx.y + 100000 * threadIdx.z;
                }
                """)) {
      long y = kernels.upload(new int[2 * 3 * 4 * 5 * 7 * 2]);
      kernels.run("f", new int[] {2, 3, 4}, new int[] {5, 7, 2}, 0, y);
      int[] result = kernels.ints(y, 2 * 3 * 4 * 5 * 7 * 2);
      int at = 0;
      for (int block = 0; block < 24; block++) {
        for (int thread = 0; thread < 70; thread++) {
          int expected = block % 2 + 10 * (block / 2 % 3) + 100 * (block / 6);
          expected += 1000 * (thread % 5) + 10000 * (thread / 5 % 7) + 100000 * (thread / 35);
          assertThat(result[at++]).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void vectorsOfAllWidths() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(const float4 *x, const short4 *s, const uchar4 *b,
                                             const double2 *d, float4 *y) {
                  int i = threadIdx.x;
                  float4 v = x[i]; short4 t = s[i]; uchar4 c = b[i]; double2 e = d[i];
                  y[i] = make_float4(v.x + t.w + c.y, v.y + t.z, v.z + t.y + (float)e.y,
                                     v.w + t.x + c.w + (float)e.x);
                }
                """)) {
      Random random = new Random(1);
      float[] x = new float[256];
      short[] s = new short[256];
      byte[] b = new byte[256];
      double[] d = new double[128];
      for (int i = 0; i < 256; i++) {
        x[i] = random.nextInt(1000);
        s[i] = (short) random.nextInt(-1000, 1000);
        b[i] = (byte) random.nextInt();
        d[i / 2] = random.nextInt(1000);
      }
      long y = kernels.upload(new float[256]);
      kernels.run(
          "f",
          1,
          64,
          kernels.upload(x),
          kernels.upload(MemorySegment.ofArray(s)),
          kernels.upload(MemorySegment.ofArray(b)),
          kernels.upload(MemorySegment.ofArray(d)),
          y);
      float[] result = kernels.floats(y, 256);
      for (int i = 0; i < 64; i++) {
        int at = 4 * i;
        assertThat(result[at]).isEqualTo(x[at] + s[at + 3] + (b[at + 1] & 0xff));
        assertThat(result[at + 1]).isEqualTo(x[at + 1] + s[at + 2]);
        assertThat(result[at + 2]).isEqualTo(x[at + 2] + s[at + 1] + (float) d[2 * i + 1]);
        assertThat(result[at + 3])
            .isEqualTo(x[at + 3] + s[at] + (b[at + 3] & 0xff) + (float) d[2 * i]);
      }
    }
  }

  @Test
  void localArraysConstantsParametersAndGenericAddresses() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                __constant__ int table[5] = {3, 1, 4, 1, 5};
                __device__ int global[2] = {100, 200};
                struct Given { int values[6]; };
                __device__ __noinline__ int sum(const int *p, int n) {
                  int s = 0;
                  for (int i = 0; i < n; i++) s += p[i];
                  return s;
                }
                extern "C" __global__ void f(int *y, Given given) {
                  __shared__ int shared[8];
                  int own[10];
                  int i = threadIdx.x;
                  for (int j = 0; j < 10; j++) own[j] = i * j;
                  own[i % 10] += 1000;
                  if (i < 8) shared[i] = i;
                  __syncthreads();
                  y[i] = sum(own, 10) + sum(shared, 8) + sum(global, 2) + own[(i * 7) % 10]
                      + table[i % 5] + given.values[i % 6] + sum(given.values, 6);
                }
                """)) {
      long y = kernels.upload(new int[50]);
      kernels.run("f", 1, 50, y, 10, 20, 30, 40, 50, 60);
      int[] result = kernels.ints(y, 50);
      int[] table = {3, 1, 4, 1, 5};
      for (int i = 0; i < 50; i++) {
        int at = i * 7 % 10;
        int picked = i * at + (at == i % 10 ? 1000 : 0);
        int expected = 45 * i + 1000 + 28 + 300 + picked + table[i % 5];
        assertThat(result[i]).isEqualTo(expected + 10 * (i % 6 + 1) + 210);
      }
    }
  }

  @Test
  void atomicOperationsInBothMemories() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y, float *z, unsigned long long *w) {
                  __shared__ int s[4];
                  int i = blockIdx.x * blockDim.x + threadIdx.x;
                  if (threadIdx.x < 4) s[threadIdx.x] = 0;
                  __syncthreads();
                  atomicAdd(&s[i & 3], i);
                  atomicMax(&s[1], i);
                  __syncthreads();
                  if (threadIdx.x == 0) atomicAdd(&y[0], s[0]);
                  atomicAdd(&y[1], 1);
                  atomicMin(&y[2], -i);
                  atomicMax((unsigned *)&y[3], (unsigned)i);
                  atomicOr(&y[4], 1 << (i & 31));
                  atomicXor(&y[5], i);
                  atomicAnd(&y[6], ~(1 << (i & 15)));
                  y[16 + atomicInc((unsigned *)&y[7], 99)] = i;
                  int old = y[8], seen;
                  do { seen = old; old = atomicCAS(&y[8], seen, seen + 2); } while (old != seen);
                  atomicExch(&y[9], i);
                  atomicAdd(z, 0.5f);
                  atomicAdd(w, 1ull << 33);
                }
                """)) {
      int[] start = new int[200];
      start[6] = -1;
      long y = kernels.upload(start);
      long z = kernels.upload(new float[1]);
      long w = kernels.upload(new int[2]);
      kernels.run("f", 5, 40, y, z, w);
      int[] result = kernels.ints(y, 200);
      int xor = IntStream.range(0, 200).reduce(0, (a, b) -> a ^ b);
      int sum = IntStream.range(0, 200).filter(i -> i % 4 == 0).sum();
      assertThat(result).startsWith(sum, 200, -199, 199, -1, xor, 0xffff_0000, 0, 400, 199);
      assertThat(Arrays.copyOfRange(result, 16, 116))
          .containsExactlyInAnyOrder(IntStream.range(100, 200).toArray());
      assertThat(kernels.floats(z, 1)).containsExactly(100);
      assertThat(kernels.longs(w, 1)).containsExactly(200L << 33);
    }
  }

  @Test
  void resultsDoNotDependOnTheNumberOfWorkers() {
    String source =
        """
        extern "C" __global__ void f(float *y, float *sum) {
          int i = blockIdx.x * blockDim.x + threadIdx.x;
          y[i] = sinf(i) * 1e3f;
          atomicAdd(sum, y[i]);
        }
        """;
    float[] sums = new float[2];
    for (int workers = 1; workers <= 2; workers++) {
      EmulatedDevice device = EmulatedDevice.standard().withWorkers(workers * 4 - 3);
      try (EmulatedKernels kernels = new EmulatedKernels(device).cuda(source)) {
        long sum = kernels.upload(new float[1]);
        kernels.run("f", 100, 64, kernels.upload(new float[6400]), sum);
        sums[workers - 1] = kernels.floats(sum, 1)[0];
      }
    }
    assertThat(sums[0]).isEqualTo(sums[1]);
  }
}
