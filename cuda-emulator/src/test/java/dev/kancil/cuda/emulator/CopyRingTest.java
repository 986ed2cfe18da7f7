package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A ring of four stages, which one thread fills with bulk copies and two warps empty, with an
 * mbarrier for each stage that is full and one for each that is empty; and the same with one bug
 * each.
 */
class CopyRingTest {
  private static final int WORDS = 64;
  private static final int TILES = 19;
  private static final int BLOCKS = 3;

  private static final String SOURCE =
      """
      #define STAGES 4
      #define WORDS 64
      #define BYTES (4 * WORDS)
      #ifndef BUG
      #define BUG 0
      #endif
      enum { NONE, NO_EXPECT, HALF_EXPECTED, WRONG_PARITY, PARITY_STAYS, EMPTY_PARITY, NO_EMPTY,
             NO_WAIT, ONE_WAITS, ASKS_ONCE, NO_SYNCWARP, NO_ARRIVAL, TWO_ARRIVALS, NO_INIT, NO_FENCE,
             NO_SYNCTHREADS, TOO_MANY, RELAXED, OTHER_STAGE, OVERWRITTEN };
      typedef unsigned long long mbarrier;
      __device__ unsigned at(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }
      __device__ void init(mbarrier *b, unsigned count) {
        asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" :: "r"(at(b)), "r"(count) : "memory");
      }
      __device__ bool ended(mbarrier *b, unsigned parity) {
        unsigned result;
        asm volatile("{\\n.reg .pred p;\\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\\n"
            "selp.u32 %0, 1, 0, p;\\n}" : "=r"(result) : "r"(at(b)), "r"(parity) : "memory");
        return result;
      }
      __device__ void wait(mbarrier *b, unsigned parity) {
        asm volatile("{\\n.reg .pred p;\\nagain:\\n"
            "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 p, [%0], %1, 1000;\\n"
            "@!p bra again;\\n}" :: "r"(at(b)), "r"(parity) : "memory");
      }
      __device__ void arrive(mbarrier *b) {
        if (BUG == RELAXED)
          asm volatile("mbarrier.arrive.relaxed.cta.shared::cta.b64 _, [%0];" :: "r"(at(b)) : "memory");
        else
          asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" :: "r"(at(b)) : "memory");
      }
      __device__ void expect(mbarrier *b, unsigned bytes) {
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
            :: "r"(at(b)), "r"(bytes) : "memory");
      }
      __device__ void copy(void *to, const void *from, mbarrier *b) {
        asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
            :: "r"(at(to)), "l"(from), "r"(BYTES), "r"(at(b)) : "memory");
      }
      extern "C" __global__ void ring(const int *x, int *y, int tiles) {
        __shared__ alignas(16) int stage[STAGES][WORDS];
        __shared__ mbarrier full[STAGES], empty[STAGES];
        x += blockIdx.x * tiles * WORDS;
        if (threadIdx.x == 0) {
          for (int s = 0; s < STAGES; s++) {
            if (BUG != NO_INIT || s != 2) init(&full[s], 1);
            init(&empty[s], BUG == TWO_ARRIVALS ? 1 : 2);
          }
          if (BUG != NO_FENCE) asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
        }
        if (BUG != NO_SYNCTHREADS) __syncthreads();
        if (threadIdx.x == 0) {
          for (int t = 0; t < tiles + (BUG == TOO_MANY); t++) {
            int s = t % STAGES, parity = t / STAGES & 1;
            if (BUG != NO_EMPTY) wait(&empty[s], parity ^ (BUG != EMPTY_PARITY));
            if (BUG == NO_EXPECT) arrive(&full[s]);
            else expect(&full[s], BUG == HALF_EXPECTED ? BYTES / 2 : BYTES);
            copy(stage[s], t == tiles ? x : x + t * WORDS, &full[s]);
            if (BUG == OVERWRITTEN && t == 5) stage[2][0] = 1;
          }
        } else if (threadIdx.x >= 32) {
          int i = threadIdx.x - 32, lane = i % 32, sum = 0;
          for (int t = 0; t < tiles; t++) {
            int s = t % STAGES, parity = t / STAGES & 1;
            if (BUG == WRONG_PARITY) parity ^= 1;
            if (BUG == PARITY_STAYS) parity = 0;
            if (BUG == OTHER_STAGE && t == 9) parity = (t - 1) / STAGES & 1;
            if (BUG == ASKS_ONCE) ended(&full[s], parity);
            else if (BUG == ONE_WAITS) { if (lane == 0) wait(&full[s], parity); }
            else if (BUG != NO_WAIT || t != 7) {
              if (t % 2) wait(&full[BUG == OTHER_STAGE && t == 9 ? s - 1 : s], parity);
              else while (!ended(&full[s], parity)) { }
            }
            sum += stage[s][i ^ 1] * (t + 1);
            if (BUG != NO_SYNCWARP) __syncwarp();
            if (lane == 0 && (BUG != NO_ARRIVAL || t != 6 || i > 0)) arrive(&empty[s]);
          }
          y[blockIdx.x * WORDS + i] = sum;
        }
      }
      """;

  private static int[] run(EmulatedDevice device, int[] x, String... options) {
    String ptx = EmulatedKernels.compile(SOURCE, "compute_90", options);
    try (EmulatedKernels kernels = new EmulatedKernels(device).ptx(ptx)) {
      long y = kernels.upload(new int[BLOCKS * WORDS]);
      kernels.run("ring", BLOCKS, 32 + WORDS, kernels.upload(x), y, TILES);
      return kernels.ints(y, BLOCKS * WORDS);
    }
  }

  private static EmulatedDevice device() {
    return EmulatedDevice.standard().withComputeCapability(90);
  }

  private static int[] values() {
    return new Random(1).ints(BLOCKS * TILES * WORDS, -1000, 1000).toArray();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRingWithoutABugAddsUpAllTiles(boolean isChecked) {
    int[] x = values();
    int[] y = run(device().withRaceCheck(isChecked), x);
    for (int block = 0; block < BLOCKS; block++) {
      for (int i = 0; i < WORDS; i++) {
        int sum = 0;
        for (int tile = 0; tile < TILES; tile++) {
          sum += x[(block * TILES + tile) * WORDS + (i ^ 1)] * (tile + 1);
        }
        assertThat(y[block * WORDS + i]).isEqualTo(sum);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "NO_EXPECT      | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "HALF_EXPECTED  | lacks 0 arrivals and 128 bytes, 256 bytes are under way",
        "WRONG_PARITY   | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "PARITY_STAYS   | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "EMPTY_PARITY   | deadlock: of 65 threads, 65 wait for mbarriers and 0 at barriers; phase 0",
        "NO_EMPTY       | others have come more often than it says",
        "NO_WAIT        | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "ONE_WAITS      | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "ASKS_ONCE      | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "NO_SYNCWARP    | read it, and no barrier lies between",
        "NO_ARRIVAL     | lacks 1 arrivals and 0 bytes",
        "TWO_ARRIVALS   | data race in shared memory",
        "NO_INIT        | there is no mbarrier at offset",
        "NO_FENCE       | no fence.proxy.async or fence.mbarrier_init lies between",
        "NO_SYNCTHREADS | data race in shared memory",
        "TOO_MANY       | the block has ended, and nobody has waited for this copy",
        "RELAXED        | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "OTHER_STAGE    | a bulk copy writes it, and the thread has not seen its mbarrier's phase end",
        "OVERWRITTEN    | a bulk copy writes it, and the thread has not seen its mbarrier's phase end"
      })
  void eachBugIsFound(String bug, String message) {
    assertThatThrownBy(() -> run(device(), values(), "-DBUG=" + bug))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_LAUNCH_FAILED (719): kernel ring, ")
        .hasMessageContaining(message);
  }

  @Test
  void bytesThatHaveNotArrivedArePoison() {
    EmulatedDevice blind = device().withRaceCheck(false);
    int[] right = run(blind, values());
    for (String bug : new String[] {"NO_EXPECT", "WRONG_PARITY", "NO_WAIT"}) {
      assertThatThrownBy(
              () -> assertThat(run(blind, values(), "-DBUG=" + bug)).as(bug).isEqualTo(right))
          .isInstanceOfAny(AssertionError.class, CudaException.class);
    }
  }
}
