package dev.kancil.backend.cpu;

import dev.kancil.graph.op.Activation;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs a program's kernels on little data until the JVM has compiled them, while the caller still
 * prepares its first step. Vector code is hundreds of times slower before that, so a first step
 * that met it would take seconds, and it would keep the compiler from the processor besides.
 *
 * <p>A kernel is first run in its smallest size, until the interpreter hands it to the first
 * compiler, then in a size whose loops give the optimising compiler a profile like the real one.
 * The weights are the program's own, since the compiler also specialises on the kind of memory.
 * What a JVM has rehearsed once is not rehearsed again.
 */
final class Rehearsal implements WorkerPool.Work {
  private static final Set<String> DONE = ConcurrentHashMap.newKeySet();
  private static final int SMALL_RUNS = 220;
  private static final int SIZE = 16;
  private static final int RUNS_BETWEEN_LOOKS = 64;
  private static final int RUNS_BEFORE_WAITING = 1_200;

  /** How many times faster compiled code is, at the very least. */
  private static final int SPEED_UP = 60;

  private static final long MOST_NANOS = 1_500_000_000;

  /** A kernel on data of a size from 1 to {@link #SIZE}. */
  @FunctionalInterface
  private interface Part {
    void run(int size);
  }

  private final List<Part> parts = new ArrayList<>();

  private void add(String name, Part part) {
    if (DONE.add(name)) {
      parts.add(part);
    }
  }

  /** Decoding rows of a weight's type. */
  void addDecoding(WeightRows weight) {
    if (weight.columns() >= weight.type().blockElements()) {
      float[] target = new float[SIZE * 256];
      add(
          "decode " + weight.type() + " " + weight.data().getClass(),
          size ->
              Decoding.decode(weight.type(), weight.data(), 0, target, 0, elements(weight, size)));
    }
  }

  /** Products with a weight. */
  void addProduct(WeightRows weight) {
    addDecoding(weight);
    DataType type = weight.type();
    float[] x = new float[SIZE * 256];
    float[] sums = new float[SIZE * 256 / Activations.SUM];
    float[] decoded = new float[SIZE * 256];
    float[] results = new float[2];
    add(
        "dots " + type + " " + weight.data().getClass(),
        size ->
            Dots.multiply(
                type,
                weight.data(),
                0,
                weight.rowBytes(),
                Math.min(2, weight.rows()),
                x,
                sums,
                elements(weight, size),
                decoded,
                results));
    float[] panel = new float[PanelProduct.PANEL_ROWS * SIZE];
    float[] packed = new float[PackedTiles.WIDTH * SIZE];
    float[] y = new float[PackedTiles.WIDTH * PackedTiles.ROWS];
    for (int columns : new int[] {PackedTiles.WIDTH, 1}) {
      add(
          "packed tiles of " + columns,
          size ->
              PackedTiles.multiply(
                  panel, SIZE, 1, PackedTiles.ROWS, packed, 0, size, columns, y, 0, false));
    }
  }

  void addGlu(Activation activation) {
    float[] gates = new float[SIZE * Lanes.LENGTH];
    float[] ups = new float[SIZE * Lanes.LENGTH];
    float[] room = new float[SIZE * Lanes.LENGTH];
    add(
        "glu " + activation,
        size -> VectorMath.glu(activation, gates, ups, room, size * Lanes.LENGTH));
  }

  void addNorm() {
    float[] weight = new float[SIZE * Lanes.LENGTH];
    float[] shortWeight = new float[Lanes.LENGTH];
    MemorySegment x = Arena.ofAuto().allocate(4L * weight.length, 64);
    MemorySegment y = Arena.ofAuto().allocate(4L * weight.length, 64);
    add("squares", size -> RmsNormKernel.squares(x, 0, size * Lanes.LENGTH));
    add("norm", size -> RmsNormKernel.scale(x, 0, size == 1 ? shortWeight : weight, 1, y));
    add("sum", size -> RmsNormKernel.add(x, x, y, 0, size * Lanes.LENGTH));
  }

  void addAttention() {
    int stride = SIZE * Lanes.LENGTH;
    float[] panel = new float[4 * stride];
    float[] scores = new float[4 * Pages.TOKENS];
    float[] sums = new float[4 * (2 + stride)];
    float[] values = new float[Pages.TOKENS * stride];
    MemorySegment queries = Arena.ofAuto().allocate(16L * stride, 64);
    for (int rows : new int[] {4, 2, 1}) {
      add(
          "tiles of " + rows,
          size ->
              Tiles.multiply(
                  queries,
                  0,
                  4L * stride,
                  rows,
                  panel,
                  stride,
                  4,
                  size * Lanes.LENGTH,
                  scores,
                  Pages.TOKENS));
    }
    add("weights", _ -> AttentionTile.weigh(scores, 0, sums, 0, 1, Lanes.LENGTH));
    for (int count : new int[] {4, 1}) {
      add(
          "weighted sums of " + count,
          size ->
              WeightedSums.add(
                  scores, values, Lanes.LENGTH, Math.max(2, size), sums, 2 * count, count));
    }
    add("scaling", size -> AttentionTile.scale(queries, 0, queries, 0, size * Lanes.LENGTH, 1));
  }

  private static int elements(WeightRows weight, int size) {
    int block = weight.type().blockElements();
    int unit = Math.max(block, 32);
    int most = unit == 256 ? Math.max(1, size / 4) : size;
    return Math.min(weight.columns() / block * block, unit * most);
  }

  /** Runs all parts, on all threads. */
  void run(WorkerPool pool) {
    pool.run(parts.size(), this);
    parts.clear();
  }

  @Override
  public void run(int chunk, int thread) {
    Part part = parts.get(chunk);
    long start = System.nanoTime();
    long interpreted = Long.MAX_VALUE;
    for (int i = 0; i < SMALL_RUNS; i++) {
      part.run(1);
      if (i == 8) {
        interpreted = time(part);
      }
    }
    int runs = 0;
    while (System.nanoTime() - start < MOST_NANOS) {
      boolean isWaiting = runs > RUNS_BEFORE_WAITING;
      for (int i = 0; i < (isWaiting ? 1 : RUNS_BETWEEN_LOOKS); i++) {
        part.run(SIZE);
        runs++;
      }
      if (time(part) < interpreted / SPEED_UP) {
        return;
      }
      if (isWaiting && !sleep()) {
        return;
      }
    }
  }

  /** The smallest of three times, since a neighbour may have taken the processor. */
  private static long time(Part part) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      part.run(1);
      best = Math.min(best, System.nanoTime() - start);
    }
    return best;
  }

  /** Leaves the processor to the compiler; false if the thread is to stop. */
  private static boolean sleep() {
    try {
      Thread.sleep(1);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
