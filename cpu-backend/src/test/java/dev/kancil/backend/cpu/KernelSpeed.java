package dev.kancil.backend.cpu;

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
                DataType.Q4_K,
                DataType.Q5_K,
                DataType.Q6_K);
    System.out.println(CpuDevice.kernels(NativeLibrary.find()));
    System.out.printf("%-6s %8s %8s %8s%n", "", "1 row", "panel", "decode");
    for (DataType type : types) {
      measure(type);
    }
  }

  private static void measure(DataType type) {
    Random random = new Random(1);
    long rowBytes = type.byteSize(DEPTH);
    MemorySegment data = Arena.ofAuto().allocate(rowBytes * ROWS, 64);
    for (long i = 0; i < data.byteSize(); i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt() & 0x37));
    }
    MemorySegment x = Arena.ofAuto().allocate(4L * DEPTH * TOKENS, 64);
    for (int i = 0; i < DEPTH * TOKENS; i++) {
      x.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
    }
    WeightRows weight = new WeightRows(type, data, ROWS, DEPTH, rowBytes);
    Activations activations = new Activations();
    activations.reserve(DEPTH);
    activations.load(x, DEPTH);
    float[] decoded = new float[DEPTH];
    float[] results = new float[64];
    double dots =
        speed(
            (long) ROWS * DEPTH,
            () -> {
              for (int row = 0; row < ROWS; row += 16) {
                activations.multiply(weight, row, 16, decoded, results);
              }
            });
    float[] panel = new float[PanelProduct.PANEL_ROWS * DEPTH];
    int columns = PackedTiles.WIDTH;
    float[] packed = new float[DEPTH * TOKENS];
    for (int i = 0; i < packed.length; i++) {
      packed[i] = random.nextFloat();
    }
    float[] products = new float[columns * PanelProduct.PANEL_ROWS];
    double tiles =
        speed(
            64L * DEPTH * TOKENS,
            () -> {
              for (int row = 0; row < 64; row += PanelProduct.PANEL_ROWS) {
                weight.decode(row, PanelProduct.PANEL_ROWS, panel, DEPTH);
                for (int token = 0; token < TOKENS; token += columns) {
                  PackedTiles.multiply(
                      panel,
                      DEPTH,
                      1,
                      PanelProduct.PANEL_ROWS,
                      packed,
                      token * DEPTH,
                      DEPTH,
                      columns,
                      products,
                      0,
                      false);
                }
              }
            });
    double decode =
        speed(
            (long) ROWS * DEPTH,
            () -> {
              for (int row = 0; row < ROWS; row += 16) {
                weight.decode(row, 16, panel, DEPTH);
              }
            });
    System.out.printf("%-6s %8.1f %8.1f %8.1f%n", type, dots, tiles, decode);
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
