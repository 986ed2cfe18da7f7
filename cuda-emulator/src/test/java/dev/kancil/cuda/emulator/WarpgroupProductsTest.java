package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What four warps multiply together, against loops over whole matrices. */
class WarpgroupProductsTest {
  private static final int THREADS = 128;

  private final Random random = new Random(5);

  private int half(double value, boolean brain) {
    return brain
        ? Float.floatToRawIntBits((float) value) >>> 16
        : Float.floatToFloat16((float) value) & 0xffff;
  }

  private static float single(int half, boolean brain) {
    return brain ? Float.intBitsToFloat(half << 16) : Float.float16ToFloat((short) half);
  }

  private int[][] matrix(int rows, int columns, boolean brain) {
    int[][] matrix = new int[rows][columns];
    for (int[] row : matrix) {
      for (int i = 0; i < columns; i++) {
        row[i] = half(random.nextGaussian(), brain);
      }
    }
    return matrix;
  }

  private float[][] sums(int columns) {
    float[][] sums = new float[64][columns];
    for (float[] row : sums) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return sums;
  }

  /** Row and column of a thread's sum. */
  private static int row(int thread, int sum) {
    return thread / 32 * 16 + thread % 32 / 4 + sum / 2 % 2 * 8;
  }

  private static int column(int thread, int sum) {
    return sum / 4 * 8 + thread % 4 * 2 + sum % 2;
  }

  /** A as each thread's four registers hold it, and C. */
  private static int[] registers(int[][] a, float[][] c) {
    int perThread = 4 + c[0].length / 2;
    int[] registers = new int[THREADS * perThread];
    for (int thread = 0; thread < THREADS; thread++) {
      int at = thread * perThread;
      for (int i = 0; i < 4; i++) {
        int row = thread / 32 * 16 + thread % 32 / 4 + i % 2 * 8;
        int column = thread % 4 * 2 + i / 2 * 8;
        registers[at + i] = a[row][column] | a[row][column + 1] << 16;
      }
      for (int i = 0; i < perThread - 4; i++) {
        registers[at + 4 + i] = Float.floatToRawIntBits(c[row(thread, i)][column(thread, i)]);
      }
    }
    return registers;
  }

  /** Where a row's number lies in bytes, from the start of shared memory. */
  private static void put(byte[] shared, int[][] rows, IntBinaryOperator place) {
    for (int row = 0; row < rows.length; row++) {
      for (int k = 0; k < rows[row].length; k++) {
        int at = place.applyAsInt(row, k);
        shared[at] = (byte) rows[row][k];
        shared[at + 1] = (byte) (rows[row][k] >> 8);
      }
    }
  }

  /** Rows of so many bytes, whose units of 16 are exchanged. */
  private static IntBinaryOperator swizzled(int bytes) {
    return (row, k) -> {
      int line = row * bytes;
      int unit = k / 8;
      int exchanged =
          switch (bytes) {
            case 128 -> unit ^ row % 8;
            case 64 -> unit ^ row / 2 % 4;
            default -> unit ^ row / 4 % 2;
          };
      return line + exchanged * 16 + k % 8 * 2;
    };
  }

  private static float[][] product(
      int[][] a, int[][] b, int from, float[][] c, boolean brain, int sign) {
    float[][] d = new float[64][b.length];
    for (int row = 0; row < 64; row++) {
      for (int column = 0; column < b.length; column++) {
        float sum = c[row][column];
        for (int k = 0; k < 16; k++) {
          sum += sign * single(a[row][k], brain) * single(b[column][from + k], brain);
        }
        d[row][column] = sum;
      }
    }
    return d;
  }

  private static float[][] run(WarpgroupKernel kernel, int[] registers, byte[] shared) {
    float[] results = kernel.run(registers, shared);
    int perThread = kernel.columns() / 2;
    float[][] d = new float[64][kernel.columns()];
    for (int thread = 0; thread < THREADS; thread++) {
      for (int i = 0; i < perThread; i++) {
        d[row(thread, i)][column(thread, i)] = results[thread * perThread + i];
      }
    }
    return d;
  }

  @ParameterizedTest
  @CsvSource({
    "f16,8,0",
    "f16,16,1",
    "f16,24,2",
    "f16,128,3",
    "f16,256,1",
    "bf16,8,3",
    "bf16,64,2",
    "bf16,256,0"
  })
  void rowsOf128BytesAreMultipliedFromAnyStepOn(String type, int columns, int step) {
    boolean brain = type.equals("bf16");
    int[][] a = matrix(64, 16, brain);
    int[][] b = matrix(columns, 64, brain);
    float[][] c = sums(columns);
    byte[] shared = new byte[columns * 128];
    put(shared, b, swizzled(128));
    WarpgroupKernel kernel = new WarpgroupKernel(columns, shared.length);
    String line = kernel.product(type, "{%a0, %a1, %a2, %a3}", "%b", "1, 1, 1, 0");
    kernel.body(kernel.descriptor("%b", 32 * step, 16, 1024, 1) + kernel.group(line) + wait(0));
    assertThat(run(kernel, registers(a, c), shared))
        .isDeepEqualTo(product(a, b, 16 * step, c, brain, 1));
  }

  private static String wait(int groups) {
    return "wgmma.wait_group.sync.aligned " + groups + ";\n";
  }

  @ParameterizedTest
  @CsvSource({"64,0", "64,1", "32,0"})
  void narrowerRowsAreExchangedLess(int bytes, int step) {
    int[][] a = matrix(64, 16, false);
    int[][] b = matrix(32, bytes / 2, false);
    float[][] c = sums(32);
    byte[] shared = new byte[32 * bytes];
    put(shared, b, swizzled(bytes));
    WarpgroupKernel kernel = new WarpgroupKernel(32, shared.length);
    String line = kernel.product("f16", "{%a0, %a1, %a2, %a3}", "%b", "1, 1, 1, 0");
    int mode = bytes == 64 ? 2 : 3;
    kernel.body(
        kernel.descriptor("%b", 32 * step, 16, 8 * bytes, mode) + kernel.group(line) + wait(0));
    assertThat(run(kernel, registers(a, c), shared))
        .isDeepEqualTo(product(a, b, 16 * step, c, false, 1));
  }

  @ParameterizedTest
  @CsvSource({"128,256", "512,128"})
  void withoutSwizzleBothUnitsOfEightRowsLieWhereTheDescriptorSays(int leading, int stride) {
    int[][] a = matrix(64, 16, false);
    int[][] b = matrix(32, 16, false);
    float[][] c = sums(32);
    byte[] shared = new byte[1024];
    put(shared, b, (row, k) -> row / 8 * stride + k / 8 * leading + row % 8 * 16 + k % 8 * 2);
    WarpgroupKernel kernel = new WarpgroupKernel(32, shared.length);
    String line = kernel.product("f16", "{%a0, %a1, %a2, %a3}", "%b", "1, 1, 1, 0");
    kernel.body(kernel.descriptor("%b", 0, leading, stride, 0) + kernel.group(line) + wait(0));
    assertThat(run(kernel, registers(a, c), shared)).isDeepEqualTo(product(a, b, 0, c, false, 1));
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 64, 32})
  void bothMatricesMayLieInSharedMemory(int bytes) {
    int[][] a = matrix(64, bytes / 2, true);
    int[][] b = matrix(40, bytes / 2, true);
    float[][] c = sums(40);
    int second = 64 * bytes;
    byte[] shared = new byte[second + 40 * bytes];
    put(shared, a, swizzled(bytes));
    put(shared, b, (row, k) -> second + swizzled(bytes).applyAsInt(row, k));
    WarpgroupKernel kernel = new WarpgroupKernel(40, shared.length);
    int mode = bytes == 128 ? 1 : bytes == 64 ? 2 : 3;
    kernel.body(
        kernel.descriptor("%l", 0, 16, 8 * bytes, mode)
            + kernel.descriptor("%b", second, 16, 8 * bytes, mode)
            + kernel.group(kernel.product("bf16", "%l", "%b", "1, 1, 1, 0, 0"))
            + wait(0));
    assertThat(run(kernel, registers(new int[64][16], c), shared))
        .isDeepEqualTo(product(a, b, 0, c, true, 1));
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,-1", "-1,1", "-1,-1"})
  void eachFactorMayBeNegatedAndSumsMayBeginWithZero(int left, int right) {
    int[][] a = matrix(64, 16, false);
    int[][] b = matrix(16, 64, false);
    float[][] c = sums(16);
    byte[] shared = new byte[2048];
    put(shared, b, swizzled(128));
    for (boolean adds : new boolean[] {true, false}) {
      WarpgroupKernel kernel = new WarpgroupKernel(16, shared.length);
      String signs = "%p1, " + left + ", " + right + ", 0";
      kernel.body(
          kernel.descriptor("%b", 0, 16, 1024, 1)
              + "setp.eq.u32 %p1, 1, "
              + (adds ? 1 : 0)
              + ";\n"
              + kernel.group(kernel.product("f16", "{%a0, %a1, %a2, %a3}", "%b", signs))
              + wait(0));
      assertThat(run(kernel, registers(a, c), shared))
          .isDeepEqualTo(product(a, b, 0, adds ? c : new float[64][16], false, left * right));
    }
  }

  @Test
  void productsOfTheSameSumsFollowEachOtherWithoutWaits() {
    int[][] a = matrix(64, 16, false);
    int[][] b = matrix(16, 64, false);
    float[][] c = sums(16);
    byte[] shared = new byte[2048];
    put(shared, b, swizzled(128));
    WarpgroupKernel kernel = new WarpgroupKernel(16, shared.length);
    StringBuilder body = new StringBuilder();
    float[][] expected = c;
    for (int step = 0; step < 4; step++) {
      body.append(kernel.descriptor("%b", 32 * step, 16, 1024, 1));
      body.append(step % 2 == 0 ? "wgmma.fence.sync.aligned;\n" : "");
      body.append(kernel.product("f16", "{%a0, %a1, %a2, %a3}", "%b", "1, 1, 1, 0"));
      body.append(step % 2 == 1 ? "wgmma.commit_group.sync.aligned;\n" + wait(1) : "");
      expected = product(a, b, 16 * step, expected, false, 1);
    }
    kernel.body(body + wait(0));
    assertThat(run(kernel, registers(a, c), shared)).isDeepEqualTo(expected);
  }

  @Test
  void sumsAreThereWhenTheirGroupIsWaitedForAndNoSooner() {
    int[][] a = matrix(64, 16, false);
    byte[] shared = new byte[1024];
    put(shared, matrix(8, 64, false), swizzled(128));
    String[] waits = {
      "",
      wait(1),
      wait(0),
      "wgmma.commit_group.sync.aligned;\n" + wait(1),
      "wgmma.commit_group.sync.aligned;\n" + wait(2),
    };
    boolean[] arrived = {false, false, true, true, false};
    for (int i = 0; i < waits.length; i++) {
      WarpgroupKernel kernel = new WarpgroupKernel(8, shared.length);
      String line = kernel.product("f16", "{%a0, %a1, %a2, %a3}", "%b", "1, 1, 1, 0");
      kernel.body(kernel.descriptor("%b", 0, 16, 1024, 1) + kernel.group(line) + waits[i]);
      float[] results = kernel.run(registers(a, sums(8)), shared);
      for (Float result : results) {
        assertThat(result.isNaN()).as(waits[i]).isEqualTo(!arrived[i]);
      }
    }
  }
}
