package dev.kancil.backend.cpu;

import dev.kancil.backend.host.Packing;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;

/**
 * Prints the speed of the matrix product kernels on one thread, in 10⁹ multiply-adds for each
 * second of processor time, so that busy neighbours disturb little. Run by hand.
 */
final class KernelSpeed {
  private static final int ROWS = 1024;
  private static final int DEPTH = 1536;
  private static final int TOKENS = 64;

  private KernelSpeed() {}

  public static void main(String[] args) {
    List<DataType> types =
        args.length > 0
            ? List.of(args).stream().map(DataType::valueOf).toList()
            : List.of(
                DataType.F32,
                DataType.F16,
                DataType.BF16,
                DataType.Q4_0,
                DataType.Q4_1,
                DataType.Q5_0,
                DataType.Q5_1,
                DataType.Q8_0,
                DataType.Q2_K,
                DataType.Q3_K,
                DataType.Q4_K,
                DataType.Q5_K,
                DataType.Q6_K);
    System.out.println(CpuDevice.kernels(NativeLibrary.find()));
    System.out.printf("%-6s %8s %8s%n", "", "1 row", TOKENS + " rows");
    for (DataType type : types) {
      measure(type);
    }
  }

  private static void measure(DataType type) {
    Random random = new Random(1);
    long rowBytes = type.byteSize(DEPTH);
    MemorySegment data = Arena.ofAuto().allocate(rowBytes * ROWS, 64);
    for (long i = 0; i < data.byteSize(); i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt() & 0x37 | 0x10));
    }
    MemorySegment x = Arena.ofAuto().allocate(4L * DEPTH * TOKENS, 64);
    for (int i = 0; i < DEPTH * TOKENS; i++) {
      x.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
    }
    Packing packing = VectorTiles.packing(type, DEPTH, ROWS, 1);
    MemorySegment tiles = Arena.ofAuto().allocate(packing.bytes(), 64);
    packing.pack(data, tiles);
    VectorTiles weight = VectorTiles.of(type, tiles, DEPTH, ROWS);
    ProductRows rows = new ProductRows();
    rows.reserve(TOKENS, 1, DEPTH);
    rows.begin(DEPTH);
    for (int i = 0; i < TOKENS; i++) {
      rows.put(i, x, 4L * DEPTH * i, DEPTH);
    }
    rows.shift(0, 0);
    Scratch scratch = new Scratch(1);
    VectorProduct.reserve(scratch, TOKENS, DEPTH, 1);
    double one = speed((long) ROWS * DEPTH, () -> multiply(weight, rows, 1, scratch));
    double many =
        speed((long) TOKENS * ROWS * DEPTH, () -> multiply(weight, rows, TOKENS, scratch));
    System.out.printf("%-6s %8.1f %8.1f%n", type, one, many);
  }

  private static void multiply(VectorTiles weight, ProductRows x, int rows, Scratch scratch) {
    float[] results = scratch.of(Scratch.Kind.PRODUCTS, 0);
    for (int row = 0; row < ROWS; row += VectorProduct.ROWS) {
      VectorProduct.multiply(weight, 0, row, x, 0, 0, rows, rows == 1, scratch, 0, results);
    }
  }

  private static double speed(long operations, Runnable work) {
    var threads = ManagementFactory.getThreadMXBean();
    double best = 0;
    for (int i = 0; i < 12; i++) {
      long start = threads.getCurrentThreadCpuTime();
      int runs = 0;
      long nanos;
      do {
        work.run();
        runs++;
        nanos = threads.getCurrentThreadCpuTime() - start;
      } while (nanos < 60_000_000);
      best = Math.max(best, (double) operations * runs / nanos);
    }
    return best;
  }
}
