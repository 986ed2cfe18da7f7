package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.ORDER;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * Bias: the same vector added to each row. Bound by memory, 8 bytes an element. Threads: runs of
 * rows, of about 16384 elements.
 */
final class BiasKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;

  private final WorkerPool pool;
  private final HostValue x;
  private final HostValue y;
  private final float[] bias;
  private final int rowsPerChunk;
  private int rows;
  private @Nullable MemorySegment source;
  private @Nullable MemorySegment target;

  BiasKernel(Node node, Lowering.Operands operands, WorkerPool pool) {
    this.pool = pool;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    bias = Blocks.decode(operands.weight(node.weight(1)));
    rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  @Override
  public void run(HostStep step) {
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
      add(from, row * x.type().rowBytes(), bias, to);
    }
  }

  private static void add(MemorySegment x, long at, float[] bias, MemorySegment y) {
    int i = 0;
    for (; i < Lanes.whole(bias.length); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(x, offset)
          .add(FloatVector.fromArray(FLOATS, bias, i))
          .intoMemorySegment(y, offset, ORDER);
    }
    if (i < bias.length) {
      VectorMask<Float> rest = FLOATS.indexInRange(i, bias.length);
      long offset = at + 4L * i;
      FloatVector.fromMemorySegment(FLOATS, x, offset, ORDER, rest)
          .add(FloatVector.fromArray(FLOATS, bias, i, rest))
          .intoMemorySegment(y, offset, ORDER, rest);
    }
  }
}
