package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import org.junit.jupiter.api.Test;

/** Each kernel has a bug of its own. */
class FaultsTest {
  private static void fails(String error, String source, int threads, String... messages) {
    fails(EmulatedDevice.standard(), error, source, threads, messages);
  }

  private static void fails(
      EmulatedDevice device, String error, String source, int threads, String... messages) {
    try (EmulatedKernels kernels = new EmulatedKernels(device).cuda(source)) {
      long x = kernels.upload(new float[64]);
      long freed = kernels.upload(new float[64]);
      kernels.driver.free(freed);
      var thrown = assertThatThrownBy(() -> kernels.run("f", 1, threads, x, freed));
      thrown.isInstanceOf(CudaException.class).hasMessageStartingWith("CUDA_ERROR_" + error);
      for (String message : messages) {
        thrown.hasMessageContaining(message);
      }
    }
  }

  @Test
  void aReadBeyondTheEnd() {
    fails(
        "ILLEGAL_ADDRESS (700): kernel f, ld.global",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          x[threadIdx.x] = x[threadIdx.x + 1];
        }
        """,
        64,
        "(PTX line ",
        ", test.cu:2)",
        "thread (63, 0, 0)",
        "read of 4 bytes at 0x2000",
        "0 bytes after an allocation of 256 bytes at 0x2000");
  }

  @Test
  void aWriteBeforeTheBeginning() {
    fails(
        "ILLEGAL_ADDRESS",
        "extern \"C\" __global__ void f(float *x, float *freed) { x[-1] = 1; }",
        1,
        "write of 4 bytes",
        "4 bytes before an allocation");
  }

  @Test
  void memoryThatWasFreed() {
    fails(
        "ILLEGAL_ADDRESS",
        "extern \"C\" __global__ void f(float *x, float *freed) { x[0] = freed[3]; }",
        1,
        "12 bytes into a freed allocation of 256 bytes");
  }

  @Test
  void aVectorThatIsNotAligned() {
    fails(
        "MISALIGNED_ADDRESS (716)",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          *(float4 *)(x + 1) = make_float4(1, 2, 3, 4);
        }
        """,
        1,
        "is not a multiple of 16");
  }

  @Test
  void aWriteIntoConstantMemory() {
    fails(
        "ILLEGAL_ADDRESS",
        """
        __constant__ float table[4] = {1, 2, 3, 4};
        extern "C" __global__ void f(float *x, float *freed) {
          float *t = (float *)&table[threadIdx.x];
          asm volatile("st.f32 [%0], %1;" :: "l"(t), "f"(x[0]));
        }
        """,
        1,
        "a write into variable table");
  }

  @Test
  void sharedMemoryBeyondWhatTheLaunchAskedFor() {
    fails(
        "ILLEGAL_ADDRESS",
        """
        extern __shared__ float s[];
        extern "C" __global__ void f(float *x, float *freed) { s[threadIdx.x] = 1; x[0] = s[0]; }
        """,
        1,
        "of shared memory, which has 0");
  }

  @Test
  void aReadOfWhatAnotherWarpWroteWithoutABarrier() {
    fails(
        "LAUNCH_FAILED (719)",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          __shared__ float s[64];
          s[threadIdx.x] = x[threadIdx.x];
          x[threadIdx.x] = s[63 - threadIdx.x];
        }
        """,
        64,
        "test.cu:3",
        "thread (32, 0, 0): data race in shared memory at offset 128: thread (31, 0, 0) read it");
  }

  @Test
  void aWriteOverWhatAnotherWarpMayStillRead() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          __shared__ float s[64];
          for (int i = 0; i < 2; i++) {
            s[threadIdx.x] = x[threadIdx.x] + i;
            __syncthreads();
            x[threadIdx.x] = s[63 - threadIdx.x];
          }
        }
        """,
        64,
        "data race in shared memory");
  }

  @Test
  void aWriteAfterItsWarpHasComeToTheBarrierOfTheReader() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          __shared__ float s[32];
          if (threadIdx.x < 32) {
            asm volatile("bar.arrive 1, 64;" ::: "memory");
            s[threadIdx.x] = 1;
          } else {
            asm volatile("bar.sync 1, 64;" ::: "memory");
            x[threadIdx.x] = s[threadIdx.x - 32];
          }
        }
        """,
        64,
        "data race in shared memory");
  }

  @Test
  void aPlaceThatIsWrittenAgainBeforeItsReaderIsKnownToBeDone() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          __shared__ float s[32];
          for (int turn = 0; turn < 2; turn++) {
            if (threadIdx.x < 32) {
              s[threadIdx.x] = turn;
              asm volatile("bar.arrive %0, 64;" :: "r"(turn + 1) : "memory");
            } else {
              asm volatile("bar.sync %0, 64;" :: "r"(turn + 1) : "memory");
              x[threadIdx.x] = s[threadIdx.x - 32];
            }
          }
        }
        """,
        64,
        "data race in shared memory");
  }

  @Test
  void lanesOfAWarpThatExchangeWithoutSyncwarp() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          __shared__ volatile float s[32];
          s[threadIdx.x] = x[threadIdx.x];
          x[threadIdx.x] = s[31 - threadIdx.x];
        }
        """,
        32,
        "data race in shared memory");
  }

  @Test
  void aBytesRace() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(char *x, float *freed) {
          __shared__ char s[64];
          s[threadIdx.x / 2] = x[threadIdx.x];
          __syncthreads();
          x[threadIdx.x] = s[threadIdx.x];
        }
        """,
        64,
        "data race in shared memory at offset 0: thread (0, 0, 0) wrote it");
  }

  @Test
  void aBarrierThatSomeHaveLeft() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          __shared__ float s[64];
          if (threadIdx.x == 40) return;
          s[threadIdx.x] = x[threadIdx.x];
          __syncthreads();
          x[threadIdx.x] = s[63 - threadIdx.x];
        }
        """,
        64,
        "divergent barrier: 63 of 64 threads wait, 1 have exited; thread (40, 0, 0) does not");
  }

  @Test
  void barriersInTwoBranches() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          if (threadIdx.x < 32) { x[0] = 1; __syncthreads(); x[1] = 2; }
          else { x[2] = 1; __syncthreads(); x[3] = 3; }
        }
        """,
        64,
        "divergent barrier: this thread waits at another");
  }

  @Test
  void aShuffleThatSomeLanesNeverReach() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          if (threadIdx.x < 16) x[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 1);
          else { __syncwarp(); x[threadIdx.x] = 3; }
        }
        """,
        32,
        "it waits for lanes that never come: mask 0xffff");
  }

  @Test
  void aShuffleOutsideOfItsMask() {
    fails(
        "LAUNCH_FAILED",
        """
        extern "C" __global__ void f(float *x, float *freed) {
          x[threadIdx.x] = __shfl_sync(0xffffu, x[threadIdx.x], 1);
        }
        """,
        32,
        "thread (16, 0, 0): the lane is not in its own mask, 0xffff");
  }

  @Test
  void aLoopWithoutAnEnd() {
    fails(
        EmulatedDevice.standard().withInstructionLimit(1_000_000),
        "LAUNCH_TIMEOUT (702)",
        """
        extern "C" __global__ void f(volatile float *x, float *freed) { while (x[0] == 0) {} }
        """,
        32,
        "more than 1000000 instructions");
  }

  @Test
  void aTrap() {
    fails(
        "LAUNCH_FAILED",
        "extern \"C\" __global__ void f(float *x, float *freed) { if (x[3] == 0) __trap(); }",
        1,
        "a trap");
  }
}
