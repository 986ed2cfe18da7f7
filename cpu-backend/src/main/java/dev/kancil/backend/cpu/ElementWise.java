package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SoftCap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * Activate, Add, Clamp, ClampedGlu, Glu, Scale and SoftCap: y[i] from a[i] and, where there is one,
 * b[i]. Bound by memory, 8 or 12 bytes an element. Threads: runs of elements, copied to and from
 * scratch memory in pieces that stay in the first-level cache and are padded to whole vectors
 * there.
 */
final class ElementWise implements Kernel, WorkerPool.Work {
  private static final int CHUNK = 16 * 1024;
  private static final int PIECE = 1024;

  private final Op op;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final HostValue a;
  private final HostValue b;
  private final HostValue y;
  private final boolean hasTwoInputs;
  private long elements;
  private @Nullable MemorySegment first;
  private @Nullable MemorySegment second;
  private @Nullable MemorySegment result;

  ElementWise(Op op, Node node, Lowering.Operands operands, WorkerPool pool, Scratch scratch) {
    this.op = op;
    this.pool = pool;
    this.scratch = scratch;
    a = operands.value(node.value(0));
    hasTwoInputs = node.inputs().size() == 2;
    b = operands.value(node.value(hasTwoInputs ? 1 : 0));
    y = operands.value(node.output());
    scratch.reserve(Scratch.Kind.PRODUCTS, PIECE);
    scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, PIECE);
    scratch.reserve(Scratch.Kind.EXPRESSION, PIECE);
  }

  @Override
  public void run(HostStep step) {
    elements = (long) y.rows(step) * y.columns();
    first = a.data(step);
    second = b.data(step);
    result = y.data(step);
    pool.run(Math.toIntExact(Math.ceilDiv(elements, CHUNK)), this);
  }

  @Override
  public void run(int chunk, int thread) {
    long end = Math.min(elements, (chunk + 1L) * CHUNK);
    float[] x = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] other = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    float[] room = scratch.of(Scratch.Kind.EXPRESSION, thread);
    for (long from = (long) chunk * CHUNK; from < end; from += PIECE) {
      int count = (int) Math.min(PIECE, end - from);
      load(first, from, x, count);
      if (hasTwoInputs) {
        load(second, from, other, count);
      }
      compute(x, other, room, Lanes.padded(count));
      MemorySegment.copy(
          x, 0, Objects.requireNonNull(result), ValueLayout.JAVA_FLOAT, 4 * from, count);
    }
  }

  private void compute(float[] x, float[] other, float[] room, int count) {
    switch (op) {
      case Add _ -> add(x, other, count);
      case Scale(float factor) -> VectorMath.scale(x, 0, count, factor);
      case Clamp(float limit) -> clamp(x, -limit, limit, 0, count);
      case SoftCap(float cap) -> {
        VectorMath.scale(x, 0, count, 1 / cap);
        VectorMath.tanh(x, 0, room, 0, count);
        VectorMath.scale(x, 0, count, cap);
      }
      case Activate(var activation) -> VectorMath.activate(activation, x, room, count);
      case ClampedGlu(var activation, float limit) -> {
        clamp(x, Float.NEGATIVE_INFINITY, limit, 0, count);
        clamp(other, -limit, limit, 1, count);
        VectorMath.glu(activation, x, other, room, count);
      }
      case Glu(var activation) -> VectorMath.glu(activation, x, other, room, count);
      default -> throw new IllegalStateException(op.name());
    }
  }

  private static void load(@Nullable MemorySegment source, long from, float[] target, int count) {
    MemorySegment.copy(
        Objects.requireNonNull(source), ValueLayout.JAVA_FLOAT, 4 * from, target, 0, count);
  }

  private static void clamp(float[] x, float low, float high, float added, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i).max(low).min(high).add(added).intoArray(x, i);
    }
  }

  private static void add(float[] x, float[] other, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i)
          .add(FloatVector.fromArray(FLOATS, other, i))
          .intoArray(x, i);
    }
  }
}
