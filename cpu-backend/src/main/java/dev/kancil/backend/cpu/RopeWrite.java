package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The first half of RopeAttention: queries turned into memory of the program's, keys turned and
 * stored, values stored. Threads: runs of rows.
 */
final class RopeWrite implements AttentionKernel.Prologue, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 8192;

  private final Rotation rotation;
  private final CacheWriter writer;
  private final HostValue q;
  private final HostValue k;
  private final HostValue v;
  private final MemorySegment queries;
  private final MemorySegment keys;
  private final WorkerPool pool;
  private final int rowsPerChunk;
  private int rows;
  private @Nullable HostStep step;

  /**
   * @param queries room for the queries of the largest step
   * @param keys room for its keys
   */
  RopeWrite(
      Rotation rotation,
      CacheWriter writer,
      HostValue q,
      HostValue k,
      HostValue v,
      MemorySegment queries,
      MemorySegment keys,
      WorkerPool pool) {
    this.rotation = rotation;
    this.writer = writer;
    this.q = q;
    this.k = k;
    this.v = v;
    this.queries = queries;
    this.keys = keys;
    this.pool = pool;
    this.rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / (q.columns() + k.columns() + v.columns()));
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    rows = q.rows(newStep);
    rotation.prepare(newStep);
    writer.prepare(newStep);
    pool.run(Math.ceilDiv(rows, rowsPerChunk), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int end = Math.min(rows, (chunk + 1) * rowsPerChunk);
    for (int row = chunk * rowsPerChunk; row < end; row++) {
      long qAt = row * q.type().rowBytes();
      rotation.turn(row, q.columns(), q.data(current), qAt, queries, qAt);
      long kAt = row * k.type().rowBytes();
      rotation.turn(row, k.columns(), k.data(current), kAt, keys, kAt);
      writer.writeKeys(current, row, keys, kAt, thread);
      writer.writeValues(current, row, v.data(current), row * v.type().rowBytes(), thread);
    }
  }

  @Override
  public MemorySegment queries() {
    return queries;
  }
}
