package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * MoeSum: {@code y[r] = Σₛ w[r, s] · x[r, s]}. Bound by memory: 4 bytes for each element of x.
 * Threads: runs of rows. Slots are added in their order.
 */
final class MoeSumKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;

  private final HostValue x;
  private final HostValue weights;
  private final HostValue y;
  private final int chunkRows;
  private final WorkerPool pool;
  private @Nullable HostStep step;

  MoeSumKernel(Node node, Lowering.Operands operands, WorkerPool pool) {
    this.pool = pool;
    x = operands.value(node.value(0));
    weights = operands.value(node.value(1));
    y = operands.value(node.output());
    chunkRows = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.ceilDiv(y.rows(newStep), chunkRows), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int end = Math.min(y.rows(current), (chunk + 1) * chunkRows);
    for (int row = chunk * chunkRows; row < end; row++) {
      sum(
          x.data(current),
          row * x.type().rowBytes(),
          weights.data(current),
          row * weights.type().rowBytes(),
          weights.columns(),
          y.data(current),
          row * y.type().rowBytes(),
          y.columns());
    }
  }

  private static void sum(
      MemorySegment x,
      long xAt,
      MemorySegment weights,
      long weightsAt,
      int slots,
      MemorySegment y,
      long yAt,
      int columns) {
    int c = 0;
    for (; c < Lanes.whole(columns); c += LENGTH) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int slot = 0; slot < slots; slot++) {
        float weight = weights.get(ValueLayout.JAVA_FLOAT, weightsAt + 4L * slot);
        sum =
            Lanes.floats(x, xAt + 4L * ((long) slot * columns + c))
                .fma(FloatVector.broadcast(FLOATS, weight), sum);
      }
      sum.intoMemorySegment(y, yAt + 4L * c, Lanes.ORDER);
    }
    for (; c < columns; c++) {
      float sum = 0;
      for (int slot = 0; slot < slots; slot++) {
        float weight = weights.get(ValueLayout.JAVA_FLOAT, weightsAt + 4L * slot);
        float element = x.get(ValueLayout.JAVA_FLOAT, xAt + 4L * ((long) slot * columns + c));
        sum = Math.fma(element, weight, sum);
      }
      y.set(ValueLayout.JAVA_FLOAT, yAt + 4L * c, sum);
    }
  }
}
