package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Rows of x turned for {@link PackedTiles}: groups of {@link PackedTiles#WIDTH} rows, in each of
 * which a column's elements lie beside each other. Filled by all threads before a product's chunks
 * run; the kernels of a program share it, since they run one after the other.
 *
 * <p>Traffic: 8 bytes an element for each product, which at {@code out} weight rows is 1 / out of
 * the multiply-adds.
 */
final class PackedRows implements WorkerPool.Work {
  private float[] packed = new float[0];
  private @Nullable MemorySegment source;
  private int rows;
  private int columns;

  /** Makes room for the largest step. */
  void reserve(int mostRows, int mostColumns) {
    int groups = Math.ceilDiv(mostRows, PackedTiles.WIDTH);
    int size = Math.toIntExact((long) groups * PackedTiles.WIDTH * mostColumns);
    if (packed.length < size) {
      packed = new float[size];
    }
  }

  /** Packs all rows of x. */
  void pack(HostValue x, HostStep step, WorkerPool pool) {
    source = x.data(step);
    rows = x.rows(step);
    columns = x.columns();
    pool.run(groups(), this);
  }

  int groups() {
    return Math.ceilDiv(rows, PackedTiles.WIDTH);
  }

  /** Rows of group {@code group}. */
  int rowCount(int group) {
    return Math.min(PackedTiles.WIDTH, rows - group * PackedTiles.WIDTH);
  }

  @Override
  public void run(int group, int thread) {
    transpose(
        Objects.requireNonNull(source),
        4L * group * PackedTiles.WIDTH * columns,
        rowCount(group),
        columns,
        packed,
        group * PackedTiles.WIDTH * columns);
  }

  static void transpose(MemorySegment x, long at, int rows, int columns, float[] target, int to) {
    long rowBytes = 4L * columns;
    for (int k = 0; k < columns; k++) {
      for (int t = 0; t < rows; t++) {
        target[to + k * PackedTiles.WIDTH + t] =
            x.get(ValueLayout.JAVA_FLOAT, at + t * rowBytes + 4L * k);
      }
    }
  }

  /** {@code results[p · WIDTH + t] = panel[p] · x[group · WIDTH + t]}. */
  void multiply(int group, float[] panel, int stride, int panelRows, float[] results) {
    PackedTiles.multiply(
        panel,
        stride,
        1,
        panelRows,
        packed,
        group * PackedTiles.WIDTH * columns,
        columns,
        rowCount(group),
        results,
        0,
        false);
  }

  /** Stores a group's results in columns {@code first} to {@code first + count} of y's rows. */
  void store(int group, float[] results, MemorySegment y, long yRowBytes, int first, int count) {
    int some = rowCount(group);
    long at = (long) group * PackedTiles.WIDTH * yRowBytes + 4L * first;
    for (int t = 0; t < some; t++) {
      for (int p = 0; p < count; p++) {
        y.set(
            ValueLayout.JAVA_FLOAT,
            at + t * yRowBytes + 4L * p,
            results[p * PackedTiles.WIDTH + t]);
      }
    }
  }
}
