package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.ORDER;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * LayerNorm: {@code y = w · (x - mean) / sqrt(variance + eps) + b} over each group of a row. A
 * weight that is absent is ones, a bias zeros.
 *
 * <p>Threads: runs of rows, of about 8192 elements. Traffic: a row is read three times, but for the
 * first from the first-level cache. The mean, then the squares of what differs from it, are summed
 * in float32 in vectors; what the mean's rounding loses is in the differences' sum.
 */
final class LayerNormKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 8192;

  private final WorkerPool pool;
  private final HostValue x;
  private final HostValue y;
  private final LayerNorm op;
  private final float[] weight;
  private final float[] bias;
  private final int rowsPerChunk;
  private int rows;
  private @Nullable MemorySegment source;
  private @Nullable MemorySegment target;

  LayerNormKernel(LayerNorm op, Node node, Lowering.Operands operands, WorkerPool pool) {
    this.op = op;
    this.pool = pool;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    int inputs = node.inputs().size();
    if (inputs > 1) {
      weight = Blocks.decode(operands.weight(node.weight(1)));
    } else {
      weight = new float[op.group()];
      Arrays.fill(weight, 1);
    }
    bias = inputs > 2 ? Blocks.decode(operands.weight(node.weight(2))) : new float[op.group()];
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
    int columns = y.columns();
    int group = op.group();
    for (int row = chunk * rowsPerChunk; row < end; row++) {
      for (int start = 0; start < columns; start += group) {
        long at = 4L * ((long) row * columns + start);
        float mean = sum(from, at, group, 0) / group;
        float off = sum(from, at, group, mean) / group;
        double variance = (double) squares(from, at, group, mean) / group - (double) off * off;
        float factor = (float) (1 / Math.sqrt(Math.max(variance, 0) + op.epsilon()));
        normalize(from, at, mean, off, factor, weight, bias, to);
      }
    }
  }

  /** The sum of what the columns differ from {@code mean}. */
  static float sum(MemorySegment x, long at, int columns, float mean) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= columns - 2 * LENGTH; i += 2 * LENGTH) {
      s0 = s0.add(Lanes.floats(x, at + 4L * i).sub(mean));
      s1 = s1.add(Lanes.floats(x, at + 4L * (i + LENGTH)).sub(mean));
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < columns; i++) {
      sum += x.get(ValueLayout.JAVA_FLOAT, at + 4L * i) - mean;
    }
    return sum;
  }

  /** The sum of the squares of what the columns differ from {@code mean}. */
  static float squares(MemorySegment x, long at, int columns, float mean) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= columns - 2 * LENGTH; i += 2 * LENGTH) {
      FloatVector a = Lanes.floats(x, at + 4L * i).sub(mean);
      FloatVector b = Lanes.floats(x, at + 4L * (i + LENGTH)).sub(mean);
      s0 = a.fma(a, s0);
      s1 = b.fma(b, s1);
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < columns; i++) {
      float difference = x.get(ValueLayout.JAVA_FLOAT, at + 4L * i) - mean;
      sum = Math.fma(difference, difference, sum);
    }
    return sum;
  }

  static void normalize(
      MemorySegment x,
      long at,
      float mean,
      float off,
      float factor,
      float[] weight,
      float[] bias,
      MemorySegment y) {
    int i = 0;
    for (; i < Lanes.whole(weight.length); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(x, offset)
          .sub(mean)
          .sub(off)
          .mul(factor)
          .fma(FloatVector.fromArray(FLOATS, weight, i), FloatVector.fromArray(FLOATS, bias, i))
          .intoMemorySegment(y, offset, ORDER);
    }
    if (i < weight.length) {
      VectorMask<Float> rest = FLOATS.indexInRange(i, weight.length);
      long offset = at + 4L * i;
      FloatVector.fromMemorySegment(FLOATS, x, offset, ORDER, rest)
          .sub(mean)
          .sub(off)
          .mul(factor)
          .fma(
              FloatVector.fromArray(FLOATS, weight, i, rest),
              FloatVector.fromArray(FLOATS, bias, i, rest))
          .intoMemorySegment(y, offset, ORDER, rest);
    }
  }
}
