package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import dev.kancil.graph.op.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs the Vector API's kernels that every first step needs on a little data, so that the JVM
 * compiles them while a model's file is still read. Vector code is hundreds of times slower before
 * that. It happens once in a process, on a thread of its own that ends by itself.
 */
final class Rehearsal {
  private static final AtomicBoolean BEGUN = new AtomicBoolean();
  private static final int SIZE = 16 * Lanes.LENGTH;
  private static final int RUNS = 400;

  /** Where kernels are compiled late, or on a busy machine, the rest is left to the first step. */
  private static final long MOST_NANOS = 800_000_000;

  private final long end = System.nanoTime() + MOST_NANOS;

  private Rehearsal() {}

  static void begin() {
    if (!BEGUN.getAndSet(true)) {
      Thread.ofPlatform().name("kancil-rehearsal").daemon().start(() -> new Rehearsal().run());
    }
  }

  private void run() {
    products();
    rows();
    attention();
    sampling();
  }

  private void repeat(Runnable kernel) {
    for (int i = 0; i < RUNS && System.nanoTime() - end < 0; i++) {
      kernel.run();
    }
  }

  private void products() {
    float[] x = new float[PackedTiles.ROWS * SIZE];
    float[] panel = new float[PackedTiles.WIDTH * SIZE];
    float[] y = new float[PackedTiles.WIDTH * PackedTiles.ROWS];
    for (int columns : new int[] {PackedTiles.WIDTH, 1}) {
      repeat(() -> PackedTiles.multiply(x, 0, SIZE, PackedTiles.ROWS, panel, SIZE, columns, y));
    }
    ProductRows rows = new ProductRows();
    rows.reserve(1, 1, SIZE);
    rows.begin(SIZE);
    repeat(() -> rows.shift(0, 0));
  }

  private void rows() {
    MemorySegment x = memory();
    MemorySegment y = memory();
    MemorySegment weight = memory();
    float[] ups = new float[SIZE];
    float[] gates = new float[SIZE];
    float[] room = new float[SIZE];
    repeat(() -> VectorRows.squares(x, 0, SIZE, 0));
    repeat(() -> VectorRows.weighted(x, 0, weight, 1, y, 0, SIZE));
    VectorRows rows = new VectorRows(new Scratch(1));
    repeat(() -> rows.add(x, 0, x, 0, y, 0, SIZE));
    repeat(() -> VectorMath.glu(Activation.SILU, gates, ups, room, SIZE));
  }

  private void attention() {
    MemorySegment queries = memory();
    float[] keys = new float[4 * SIZE];
    float[] scores = new float[4 * Pages.TOKENS];
    float[] values = new float[Pages.TOKENS * SIZE];
    float[] sums = new float[4 * SIZE];
    repeat(() -> Tiles.multiply(queries, 0, 0, 4, keys, SIZE, 4, SIZE, scores, Pages.TOKENS));
    repeat(() -> WeightedSums.add(scores, values, SIZE, 4, sums, 0, 4));
  }

  private void sampling() {
    MemorySegment logits = memory();
    float[] x = new float[SIZE];
    int[] room = new int[SIZE];
    long[] weights = new long[SIZE];
    repeat(() -> LikeliestToken.largest(logits, 0, SIZE));
    repeat(() -> LikeliestToken.largest(x, 0, SIZE));
    repeat(() -> VectorWeights.of(x, 0, SIZE, 0, 1, room, weights));
  }

  private static MemorySegment memory() {
    return NativeMemory.allocate(4L * SIZE, Arena.ofAuto(), "a rehearsal");
  }
}
