package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Rope alone: each row's heads turned by its position. Threads: runs of rows. */
final class RopeKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 8192;

  private final Rotation rotation;
  private final HostValue x;
  private final HostValue y;
  private final WorkerPool pool;
  private final int rowsPerChunk;
  private int rows;
  private @Nullable MemorySegment source;
  private @Nullable MemorySegment target;

  RopeKernel(Rotation rotation, HostValue x, HostValue y, WorkerPool pool) {
    this.rotation = rotation;
    this.x = x;
    this.y = y;
    this.pool = pool;
    this.rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  @Override
  public void run(HostStep step) {
    rotation.prepare(step);
    rows = y.rows(step);
    source = x.data(step);
    target = y.data(step);
    pool.run(Math.ceilDiv(rows, rowsPerChunk), this);
  }

  @Override
  public void run(int chunk, int thread) {
    MemorySegment from = Objects.requireNonNull(source);
    MemorySegment to = Objects.requireNonNull(target);
    int end = Math.min(rows, (chunk + 1) * rowsPerChunk);
    for (int row = chunk * rowsPerChunk; row < end; row++) {
      long at = row * x.type().rowBytes();
      rotation.turn(row, x.columns(), from, at, to, at);
    }
  }
}
