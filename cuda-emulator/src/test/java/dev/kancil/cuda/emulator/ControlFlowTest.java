package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lanes of a warp that go different ways, and meet again. */
class ControlFlowTest {
  private static int steps(int i) {
    int sum = 0;
    for (int a = 0; a < i % 7 + 3; a++) {
      for (int b = a; b < 20; b++) {
        if ((a * b + i) % 11 == 0) {
          break;
        }
        if ((b + i) % 3 == 0) {
          continue;
        }
        sum += a * b + i;
      }
      if (sum > 500) {
        break;
      }
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 33, 100, 1024})
  void nestedLoopsWithBreaks(int threads) {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y) {
                  int i = blockIdx.x * blockDim.x + threadIdx.x;
                  int sum = 0;
                  for (int a = 0; a < i % 7 + 3; a++) {
                    for (int b = a; b < 20; b++) {
                      if ((a * b + i) % 11 == 0) break;
                      if ((b + i) % 3 == 0) continue;
                      sum += a * b + i;
                    }
                    if (sum > 500) break;
                  }
                  y[i] = sum;
                }
                """)) {
      long y = kernels.upload(new int[3 * threads]);
      kernels.run("f", 3, threads, y);
      int[] result = kernels.ints(y, 3 * threads);
      for (int i = 0; i < result.length; i++) {
        assertThat(result[i]).isEqualTo(steps(i));
      }
    }
  }

  @Test
  void lanesThatStartTheirNextTurnWaitForOthersAtAShuffle() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y) {
                  int lane = threadIdx.x, sum = 0;
                  #pragma unroll 1
                  for (int i = 0; i < 8; i++) {
                    sum += __shfl_xor_sync(0xffffffffu, lane + i, 1);
                    if ((lane + i) % 3 == 0) continue;
                    #pragma unroll 1
                    for (int j = 0; j < lane; j++) sum += y[j] >> 20;
                  }
                  y[lane] = sum;
                }
                """)) {
      long y = kernels.upload(new int[32]);
      kernels.run("f", 1, 32, y);
      int[] result = kernels.ints(y, 32);
      for (int lane = 0; lane < 32; lane++) {
        assertThat(result[lane]).isEqualTo(8 * (lane ^ 1) + 28);
      }
    }
  }

  @Test
  void halvesOfAWarpExchangeUnderMasksOfTheirOwn() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y) {
                  int lane = threadIdx.x;
                  unsigned mask = lane < 16 ? 0xffffu : 0xffff0000u;
                  int sum = 0;
                  #pragma unroll 1
                  for (int i = 0; i < (lane < 16 ? 3 : 5); i++)
                    sum += __reduce_add_sync(mask, lane) + __popc(__ballot_sync(mask, lane & 1));
                  y[lane] = sum + __any_sync(mask, lane == 20) + 2 * __all_sync(mask, lane < 16);
                }
                """)) {
      long y = kernels.upload(new int[32]);
      kernels.run("f", 1, 32, y);
      int[] result = kernels.ints(y, 32);
      for (int lane = 0; lane < 32; lane++) {
        assertThat(result[lane]).isEqualTo(lane < 16 ? 3 * (120 + 8) + 2 : 5 * (376 + 8) + 1);
      }
    }
  }

  @Test
  void manyCasesAndCalledFunctions() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                __device__ __noinline__ int twice(int a, const int *b) { return a > 5 ? a + *b : 2 * a; }
                extern "C" __global__ void f(int *y) {
                  int i = threadIdx.x, r = twice(i, y);
                  switch (i % 9) {
                    case 0: r += y[1]; break;
                    case 1: r *= 3; break;
                    case 2: r -= 7; break;
                    case 3: r ^= 5; break;
                    case 4: r <<= 2; break;
                    case 5: r = -r; break;
                    case 6: r = twice(r, y + 1); break;
                    case 7: r = 1; break;
                  }
                  y[2 + i] = r;
                }
                """)) {
      int[] start = new int[66];
      start[0] = 100;
      start[1] = 1000;
      long y = kernels.upload(start);
      kernels.run("f", 1, 64, y);
      int[] result = kernels.ints(y, 66);
      for (int i = 0; i < 64; i++) {
        int r = i > 5 ? i + 100 : 2 * i;
        int expected =
            switch (i % 9) {
              case 0 -> r + 1000;
              case 1 -> r * 3;
              case 2 -> r - 7;
              case 3 -> r ^ 5;
              case 4 -> r << 2;
              case 5 -> -r;
              case 6 -> r > 5 ? r + 1000 : 2 * r;
              case 7 -> 1;
              default -> r;
            };
        assertThat(result[2 + i]).isEqualTo(expected);
      }
    }
  }

  @Test
  void indexedBranchesOfPtx() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .ptx(
                """
                .version 7.0
                .target sm_75
                .address_size 64
                .visible .entry f(.param .u64 y)
                {
                  .reg .b64 %rd<3>;
                  .reg .b32 %r<4>;
                  ld.param.u64 %rd1, [y];
                  mov.u32 %r1, %tid.x;
                  rem.u32 %r2, %r1, 3;
                  list: .branchtargets a, b, c;
                  brx.idx %r2, list;
                a:
                  mov.u32 %r3, 10;
                  bra.uni end;
                b:
                  mov.u32 %r3, 20;
                  bra.uni end;
                c:
                  mov.u32 %r3, 30;
                end:
                  mad.wide.u32 %rd2, %r1, 4, %rd1;
                  st.global.u32 [%rd2], %r3;
                  ret;
                }
                """)) {
      long y = kernels.upload(new int[6]);
      kernels.run("f", 1, 6, y);
      assertThat(kernels.ints(y, 6)).containsExactly(10, 20, 30, 10, 20, 30);
    }
  }

  @Test
  void barriersOfSomeWarpsOnly() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y) {
                  __shared__ int s[128];
                  int i = threadIdx.x;
                  s[i] = i;
                  if (i < 64) {
                    asm volatile("bar.sync 1, 64;" ::: "memory");
                    y[i] = s[63 - i];
                  } else {
                    asm volatile("bar.sync 2, 64;" ::: "memory");
                    y[i] = s[64 + 127 - i];
                  }
                  int count = __syncthreads_count(i % 3 == 0);
                  y[128 + i] = count + 1000 * __syncthreads_and(i < 128) + 10000 * __syncthreads_or(i < 0);
                }
                """)) {
      long y = kernels.upload(new int[256]);
      kernels.run("f", 1, 128, y);
      int[] result = kernels.ints(y, 256);
      for (int i = 0; i < 128; i++) {
        assertThat(result[i]).isEqualTo(i < 64 ? 63 - i : 191 - i);
        assertThat(result[128 + i]).isEqualTo(1043);
      }
    }
  }

  /** Warps hand numbers on through four places, and only who adds them up waits. */
  @Test
  void warpsComeToABarrierWithoutWaitingThere() {
    try (EmulatedKernels kernels =
        new EmulatedKernels()
            .cuda(
                """
                extern "C" __global__ void f(int *y) {
                  __shared__ int s[4][96];
                  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
                  for (int turn = 0; turn < 9; turn++) {
                    s[turn % 4][threadIdx.x] = 100 * turn + threadIdx.x;
                    if (turn % 3 == warp) {
                      asm volatile("bar.sync %0, 96;" :: "r"(turn % 4 + 1) : "memory");
                      y[32 * turn + lane] = s[turn % 4][lane] + s[turn % 4][32 + lane] + s[turn % 4][64 + lane];
                    } else {
                      asm volatile("bar.arrive %0, 96;" :: "r"(turn % 4 + 1) : "memory");
                    }
                  }
                }
                """)) {
      long y = kernels.upload(new int[9 * 32]);
      kernels.run("f", 1, 96, y);
      int[] result = kernels.ints(y, 9 * 32);
      for (int i = 0; i < result.length; i++) {
        assertThat(result[i]).isEqualTo(300 * (i / 32) + 96 + 3 * (i % 32));
      }
    }
  }
}
