package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.ORDER;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SoftCap;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * Add, Glu, Scale and SoftCap: y[i] from a[i] and, where there is one, b[i]. Bound by memory, 8 or
 * 12 bytes an element, so chunks are a share of the second-level cache.
 */
final class ElementWise implements Kernel, WorkerPool.Work {
  private static final int CHUNK = 16 * 1024;

  private final Op op;
  private final WorkerPool pool;
  private final HostValue a;
  private final HostValue b;
  private final HostValue y;
  private long elements;
  private @Nullable MemorySegment first;
  private @Nullable MemorySegment second;
  private @Nullable MemorySegment result;

  ElementWise(Op op, Node node, Lowering.Operands operands, WorkerPool pool) {
    this.op = op;
    this.pool = pool;
    a = operands.value(node.value(0));
    b = operands.value(node.value(node.inputs().size() - 1));
    y = operands.value(node.output());
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
    long from = (long) chunk * CHUNK;
    int count = (int) Math.min(CHUNK, elements - from);
    MemorySegment x = Objects.requireNonNull(first);
    MemorySegment other = Objects.requireNonNull(second);
    MemorySegment target = Objects.requireNonNull(result);
    switch (op) {
      case Add _ -> add(x, other, target, 4 * from, count);
      case Scale(float factor) -> scale(x, target, 4 * from, count, factor);
      case SoftCap(float cap) -> softCap(x, target, 4 * from, count, cap);
      case Glu(var activation) -> glu(activation, x, other, target, 4 * from, count);
      default -> throw new IllegalStateException(op.name());
    }
  }

  private static void add(
      MemorySegment a, MemorySegment b, MemorySegment y, long at, int elements) {
    int i = 0;
    for (; i < Lanes.whole(elements); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(a, offset).add(Lanes.floats(b, offset)).intoMemorySegment(y, offset, ORDER);
    }
    if (i < elements) {
      long offset = at + 4L * i;
      VectorMask<Float> rest = FLOATS.indexInRange(i, elements);
      load(a, offset, rest).add(load(b, offset, rest)).intoMemorySegment(y, offset, ORDER, rest);
    }
  }

  private static void scale(MemorySegment x, MemorySegment y, long at, int elements, float factor) {
    int i = 0;
    for (; i < Lanes.whole(elements); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(x, offset).mul(factor).intoMemorySegment(y, offset, ORDER);
    }
    if (i < elements) {
      long offset = at + 4L * i;
      VectorMask<Float> rest = FLOATS.indexInRange(i, elements);
      load(x, offset, rest).mul(factor).intoMemorySegment(y, offset, ORDER, rest);
    }
  }

  private static void softCap(MemorySegment x, MemorySegment y, long at, int elements, float cap) {
    int i = 0;
    for (; i < Lanes.whole(elements); i += LENGTH) {
      long offset = at + 4L * i;
      VectorMath.tanh(Lanes.floats(x, offset).div(cap))
          .mul(cap)
          .intoMemorySegment(y, offset, ORDER);
    }
    if (i < elements) {
      long offset = at + 4L * i;
      VectorMask<Float> rest = FLOATS.indexInRange(i, elements);
      VectorMath.tanh(load(x, offset, rest).div(cap))
          .mul(cap)
          .intoMemorySegment(y, offset, ORDER, rest);
    }
  }

  private static void glu(
      Activation activation,
      MemorySegment gate,
      MemorySegment up,
      MemorySegment y,
      long at,
      int elements) {
    int i = 0;
    for (; i < Lanes.whole(elements); i += LENGTH) {
      long offset = at + 4L * i;
      VectorMath.activate(activation, Lanes.floats(gate, offset))
          .mul(Lanes.floats(up, offset))
          .intoMemorySegment(y, offset, ORDER);
    }
    if (i < elements) {
      long offset = at + 4L * i;
      VectorMask<Float> rest = FLOATS.indexInRange(i, elements);
      VectorMath.activate(activation, load(gate, offset, rest))
          .mul(load(up, offset, rest))
          .intoMemorySegment(y, offset, ORDER, rest);
    }
  }

  private static FloatVector load(MemorySegment source, long at, VectorMask<Float> mask) {
    return FloatVector.fromMemorySegment(FLOATS, source, at, ORDER, mask);
  }
}
