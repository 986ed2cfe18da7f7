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
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * RmsNorm: {@code y = w · x / sqrt(mean(x²) + eps)} over each group of a row; and AddRmsNorm, which
 * first writes the sum that it norms.
 *
 * <p>Threads: runs of rows, of about 8192 elements. Traffic: a row is read twice, the second time
 * from the first-level cache. Squares are summed in float32 in four vectors, then over the lanes.
 */
final class RmsNormKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 8192;

  private final WorkerPool pool;
  private final HostValue x;
  private final @Nullable HostValue added;
  private final @Nullable HostValue sum;
  private final HostValue y;
  private final float epsilon;
  private final int group;
  private final float[] weight;
  private final int rowsPerChunk;
  private int rows;
  private @Nullable MemorySegment source;
  private @Nullable MemorySegment second;
  private @Nullable MemorySegment total;
  private @Nullable MemorySegment target;

  private RmsNormKernel(
      HostValue x,
      @Nullable HostValue added,
      @Nullable HostValue sum,
      HostValue y,
      float epsilon,
      float[] weight,
      WorkerPool pool) {
    this.pool = pool;
    this.x = x;
    this.added = added;
    this.sum = sum;
    this.y = y;
    this.epsilon = epsilon;
    this.group = weight.length;
    this.weight = weight;
    this.rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  static RmsNormKernel norm(float epsilon, Node node, Lowering.Operands operands, WorkerPool pool) {
    return new RmsNormKernel(
        operands.value(node.value(0)),
        null,
        null,
        operands.value(node.output()),
        epsilon,
        Blocks.decode(operands.weight(node.weight(1))),
        pool);
  }

  static RmsNormKernel addAndNorm(
      float epsilon, Node node, Lowering.Operands operands, WorkerPool pool) {
    return new RmsNormKernel(
        operands.value(node.value(0)),
        operands.value(node.value(1)),
        operands.value(node.outputs().get(0)),
        operands.value(node.outputs().get(1)),
        epsilon,
        Blocks.decode(operands.weight(node.weight(2))),
        pool);
  }

  @Override
  public void run(HostStep step) {
    rows = y.rows(step);
    source = x.data(step);
    target = y.data(step);
    if (added != null && sum != null) {
      second = added.data(step);
      total = sum.data(step);
    }
    pool.run(Math.ceilDiv(rows, rowsPerChunk), this);
  }

  @Override
  public void run(int chunk, int thread) {
    MemorySegment from = Objects.requireNonNull(source);
    MemorySegment to = Objects.requireNonNull(target);
    int end = Math.min(rows, (chunk + 1) * rowsPerChunk);
    int columns = y.columns();
    for (int row = chunk * rowsPerChunk; row < end; row++) {
      long at = 4L * row * columns;
      MemorySegment normed = from;
      if (second != null && total != null) {
        add(from, second, total, at, columns);
        normed = total;
      }
      for (int start = 0; start < columns; start += group) {
        long groupAt = at + 4L * start;
        float squares = squares(normed, groupAt, group);
        float factor = (float) (1 / Math.sqrt((double) squares / group + epsilon));
        scale(normed, groupAt, weight, factor, to);
      }
    }
  }

  static void add(MemorySegment a, MemorySegment b, MemorySegment y, long at, int columns) {
    int i = 0;
    for (; i < Lanes.whole(columns); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(a, offset).add(Lanes.floats(b, offset)).intoMemorySegment(y, offset, ORDER);
    }
    for (; i < columns; i++) {
      long offset = at + 4L * i;
      y.set(
          ValueLayout.JAVA_FLOAT,
          offset,
          a.get(ValueLayout.JAVA_FLOAT, offset) + b.get(ValueLayout.JAVA_FLOAT, offset));
    }
  }

  static float squares(MemorySegment x, long at, int columns) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i <= columns - 4 * LENGTH; i += 4 * LENGTH) {
      FloatVector a = Lanes.floats(x, at + 4L * i);
      FloatVector b = Lanes.floats(x, at + 4L * (i + LENGTH));
      FloatVector c = Lanes.floats(x, at + 4L * (i + 2 * LENGTH));
      FloatVector d = Lanes.floats(x, at + 4L * (i + 3 * LENGTH));
      s0 = a.fma(a, s0);
      s1 = b.fma(b, s1);
      s2 = c.fma(c, s2);
      s3 = d.fma(d, s3);
    }
    float sum = Lanes.sum(s0.add(s1).add(s2.add(s3)));
    for (; i < columns; i++) {
      float value = x.get(ValueLayout.JAVA_FLOAT, at + 4L * i);
      sum = Math.fma(value, value, sum);
    }
    return sum;
  }

  static void scale(MemorySegment x, long at, float[] weight, float factor, MemorySegment y) {
    int i = 0;
    for (; i < Lanes.whole(weight.length); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(x, offset)
          .mul(factor)
          .mul(FloatVector.fromArray(FLOATS, weight, i))
          .intoMemorySegment(y, offset, ORDER);
    }
    if (i < weight.length) {
      VectorMask<Float> rest = FLOATS.indexInRange(i, weight.length);
      long offset = at + 4L * i;
      FloatVector.fromMemorySegment(FLOATS, x, offset, ORDER, rest)
          .mul(factor)
          .mul(FloatVector.fromArray(FLOATS, weight, i, rest))
          .intoMemorySegment(y, offset, ORDER, rest);
    }
  }
}
