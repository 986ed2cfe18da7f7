package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How one node turns heads: its rotary settings, the angles that it shares with other nodes, and
 * whether it is the one that fills them.
 */
final class Rotation {
  private static final int ROWS_PER_CHUNK = 16;

  private final RotaryEmbedding rotary;
  private final RopeAngles angles;
  private final boolean fills;
  private final HostValue positions;
  private final WorkerPool pool;
  private final WorkerPool.Work fill = this::fill;
  private int rows;
  private @Nullable MemorySegment positionData;

  Rotation(
      RotaryEmbedding rotary,
      RopeAngles angles,
      boolean fills,
      HostValue positions,
      WorkerPool pool) {
    this.rotary = rotary;
    this.angles = angles;
    this.fills = fills;
    this.positions = positions;
    this.pool = pool;
  }

  /** Makes the angles of the step's rows ready. Runs on the device's thread. */
  void prepare(HostStep step) {
    if (fills) {
      rows = positions.rows(step);
      positionData = positions.data(step);
      pool.run(Math.ceilDiv(rows, ROWS_PER_CHUNK), fill);
    }
  }

  private void fill(int chunk, int thread) {
    int from = chunk * ROWS_PER_CHUNK;
    angles.fill(Objects.requireNonNull(positionData), from, Math.min(rows, from + ROWS_PER_CHUNK));
  }

  /** Turns the heads of a row, all columns of which are copied. */
  void turn(int row, int columns, MemorySegment x, long at, MemorySegment y, long to) {
    int width = rotary.headWidth();
    int pairs = angles.pairs();
    int from = row * pairs;
    for (int head = 0; head < columns; head += width) {
      if (rotary.pairing() == Pairing.NEIGHBOURS) {
        neighbours(
            angles.cosines(), angles.sines(), from, pairs, x, at + 4L * head, y, to + 4L * head);
      } else {
        halves(angles.cosines(), angles.sines(), from, pairs, x, at + 4L * head, y, to + 4L * head);
      }
      for (int i = 2 * pairs; i < width; i++) {
        set(y, to + 4L * (head + i), get(x, at + 4L * (head + i)));
      }
    }
  }

  private static float get(MemorySegment x, long at) {
    return x.get(ValueLayout.JAVA_FLOAT, at);
  }

  private static void set(MemorySegment y, long at, float value) {
    y.set(ValueLayout.JAVA_FLOAT, at, value);
  }

  private static void neighbours(
      float[] cosines,
      float[] sines,
      int from,
      int pairs,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to) {
    for (int i = 0; i < pairs; i++) {
      float a = get(x, at + 8L * i);
      float b = get(x, at + 8L * i + 4);
      float cosine = cosines[from + i];
      float sine = sines[from + i];
      set(y, to + 8L * i, a * cosine - b * sine);
      set(y, to + 8L * i + 4, a * sine + b * cosine);
    }
  }

  private static void halves(
      float[] cosines,
      float[] sines,
      int from,
      int pairs,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to) {
    for (int i = 0; i < pairs; i++) {
      float a = get(x, at + 4L * i);
      float b = get(x, at + 4L * (i + pairs));
      float cosine = cosines[from + i];
      float sine = sines[from + i];
      set(y, to + 4L * i, a * cosine - b * sine);
      set(y, to + 4L * (i + pairs), a * sine + b * cosine);
    }
  }
}
