package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.graph.op.RotaryEmbedding;
import java.lang.foreign.MemorySegment;
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
  private final RowKernels kernels;
  private final WorkerPool.Work fill = this::fill;
  private int rows;
  private @Nullable MemorySegment positionData;

  Rotation(
      RotaryEmbedding rotary,
      RopeAngles angles,
      boolean fills,
      HostValue positions,
      WorkerPool pool,
      RowKernels kernels) {
    this.kernels = kernels;
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
    kernels.turn(
        rotary, angles.pairs(), angles.table(), row * angles.rowBytes(), x, at, y, to, columns);
  }
}
