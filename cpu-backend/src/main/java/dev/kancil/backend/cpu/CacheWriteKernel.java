package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** CacheWrite alone. Threads: runs of rows; no two rows share a cache row. */
final class CacheWriteKernel implements Kernel, WorkerPool.Work {
  private static final int ROWS_PER_CHUNK = 16;

  private final CacheWriter writer;
  private final HostValue k;
  private final HostValue v;
  private final WorkerPool pool;
  private @Nullable HostStep step;

  CacheWriteKernel(CacheWriter writer, HostValue k, HostValue v, WorkerPool pool) {
    this.writer = writer;
    this.k = k;
    this.v = v;
    this.pool = pool;
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    writer.prepare(newStep);
    pool.run(Math.ceilDiv(k.rows(newStep), ROWS_PER_CHUNK), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int end = Math.min(k.rows(current), (chunk + 1) * ROWS_PER_CHUNK);
    for (int row = chunk * ROWS_PER_CHUNK; row < end; row++) {
      writer.writeKeys(current, row, k.data(current), row * k.type().rowBytes(), thread);
      writer.writeValues(current, row, v.data(current), row * v.type().rowBytes(), thread);
    }
  }
}
