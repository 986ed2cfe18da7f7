package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.ORDER;

import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * Functions of rows in the Vector API: loops of whole vectors, then what is left one by one. Sums
 * are made in several vectors, then over their lanes.
 */
final class VectorRows implements RowKernels {
  /** Elements that are copied to and from arrays at once, which stay in the first-level cache. */
  private static final int PIECE = 1024;

  private final Scratch scratch;

  VectorRows(Scratch scratch) {
    this.scratch = scratch;
    scratch.reserve(Scratch.Kind.PRODUCTS, PIECE);
    scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, PIECE);
    scratch.reserve(Scratch.Kind.EXPRESSION, PIECE);
  }

  private static float get(MemorySegment x, long at) {
    return x.get(ValueLayout.JAVA_FLOAT, at);
  }

  private static void set(MemorySegment y, long at, float value) {
    y.set(ValueLayout.JAVA_FLOAT, at, value);
  }

  @Override
  public void add(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long to, int count) {
    int i = 0;
    for (; i < Lanes.whole(count); i += LENGTH) {
      Lanes.floats(a, aAt + 4L * i)
          .add(Lanes.floats(b, bAt + 4L * i))
          .intoMemorySegment(y, to + 4L * i, ORDER);
    }
    for (; i < count; i++) {
      set(y, to + 4L * i, get(a, aAt + 4L * i) + get(b, bAt + 4L * i));
    }
  }

  @Override
  public void scale(MemorySegment x, long at, float factor, MemorySegment y, long to, int count) {
    int i = 0;
    for (; i < Lanes.whole(count); i += LENGTH) {
      Lanes.floats(x, at + 4L * i).mul(factor).intoMemorySegment(y, to + 4L * i, ORDER);
    }
    for (; i < count; i++) {
      set(y, to + 4L * i, factor * get(x, at + 4L * i));
    }
  }

  @Override
  public void rmsNorm(
      MemorySegment x, long at, MemorySegment weight, float epsilon, MemorySegment y, long to) {
    int count = (int) (weight.byteSize() / 4);
    float factor = (float) (1 / Math.sqrt((double) squares(x, at, count, 0) / count + epsilon));
    weighted(x, at, weight, factor, y, to, count);
  }

  /** The sum of the squares of what the columns differ from {@code mean}. */
  static float squares(MemorySegment x, long at, int columns, float mean) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i <= columns - 4 * LENGTH; i += 4 * LENGTH) {
      FloatVector a = Lanes.floats(x, at + 4L * i).sub(mean);
      FloatVector b = Lanes.floats(x, at + 4L * (i + LENGTH)).sub(mean);
      FloatVector c = Lanes.floats(x, at + 4L * (i + 2 * LENGTH)).sub(mean);
      FloatVector d = Lanes.floats(x, at + 4L * (i + 3 * LENGTH)).sub(mean);
      s0 = a.fma(a, s0);
      s1 = b.fma(b, s1);
      s2 = c.fma(c, s2);
      s3 = d.fma(d, s3);
    }
    float sum = Lanes.sum(s0.add(s1).add(s2.add(s3)));
    for (; i < columns; i++) {
      float difference = get(x, at + 4L * i) - mean;
      sum = Math.fma(difference, difference, sum);
    }
    return sum;
  }

  static void weighted(
      MemorySegment x,
      long at,
      MemorySegment weight,
      float factor,
      MemorySegment y,
      long to,
      int count) {
    int i = 0;
    for (; i < Lanes.whole(count); i += LENGTH) {
      Lanes.floats(x, at + 4L * i)
          .mul(factor)
          .mul(Lanes.floats(weight, 4L * i))
          .intoMemorySegment(y, to + 4L * i, ORDER);
    }
    for (; i < count; i++) {
      set(y, to + 4L * i, get(x, at + 4L * i) * factor * get(weight, 4L * i));
    }
  }

  /** What the mean's rounding loses is in the differences' sum. */
  @Override
  public void layerNorm(
      MemorySegment x,
      long at,
      MemorySegment weightAndBias,
      float epsilon,
      MemorySegment y,
      long to) {
    int count = (int) (weightAndBias.byteSize() / 8);
    float mean = differences(x, at, count, 0) / count;
    float off = differences(x, at, count, mean) / count;
    double variance = (double) squares(x, at, count, mean) / count - (double) off * off;
    float factor = (float) (1 / Math.sqrt(Math.max(variance, 0) + epsilon));
    normalize(x, at, mean, off, factor, weightAndBias, y, to, count);
  }

  /** The sum of what the columns differ from {@code mean}. */
  static float differences(MemorySegment x, long at, int columns, float mean) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= columns - 2 * LENGTH; i += 2 * LENGTH) {
      s0 = s0.add(Lanes.floats(x, at + 4L * i).sub(mean));
      s1 = s1.add(Lanes.floats(x, at + 4L * (i + LENGTH)).sub(mean));
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < columns; i++) {
      sum += get(x, at + 4L * i) - mean;
    }
    return sum;
  }

  static void normalize(
      MemorySegment x,
      long at,
      float mean,
      float off,
      float factor,
      MemorySegment weightAndBias,
      MemorySegment y,
      long to,
      int count) {
    long biasAt = 4L * count;
    int i = 0;
    for (; i < Lanes.whole(count); i += LENGTH) {
      Lanes.floats(x, at + 4L * i)
          .sub(mean)
          .sub(off)
          .mul(factor)
          .fma(Lanes.floats(weightAndBias, 4L * i), Lanes.floats(weightAndBias, biasAt + 4L * i))
          .intoMemorySegment(y, to + 4L * i, ORDER);
    }
    for (; i < count; i++) {
      float normed = (get(x, at + 4L * i) - mean - off) * factor;
      set(
          y,
          to + 4L * i,
          Math.fma(normed, get(weightAndBias, 4L * i), get(weightAndBias, biasAt + 4L * i)));
    }
  }

  @Override
  public void weightedSum(
      MemorySegment x,
      long at,
      MemorySegment weights,
      long weightsAt,
      int slots,
      MemorySegment y,
      long to,
      int count) {
    int c = 0;
    for (; c < Lanes.whole(count); c += LENGTH) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int slot = 0; slot < slots; slot++) {
        float weight = get(weights, weightsAt + 4L * slot);
        sum =
            Lanes.floats(x, at + 4L * ((long) slot * count + c))
                .fma(FloatVector.broadcast(FLOATS, weight), sum);
      }
      sum.intoMemorySegment(y, to + 4L * c, ORDER);
    }
    for (; c < count; c++) {
      float sum = 0;
      for (int slot = 0; slot < slots; slot++) {
        float element = get(x, at + 4L * ((long) slot * count + c));
        sum = Math.fma(element, get(weights, weightsAt + 4L * slot), sum);
      }
      set(y, to + 4L * c, sum);
    }
  }

  /** By way of arrays, in pieces that are padded to whole vectors there. */
  @Override
  public void apply(
      Op op,
      MemorySegment a,
      @Nullable MemorySegment b,
      MemorySegment y,
      long at,
      int count,
      int thread) {
    float[] x = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] other = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    float[] room = scratch.of(Scratch.Kind.EXPRESSION, thread);
    for (int from = 0; from < count; from += PIECE) {
      int some = Math.min(PIECE, count - from);
      long offset = at + 4L * from;
      MemorySegment.copy(a, ValueLayout.JAVA_FLOAT, offset, x, 0, some);
      if (b != null) {
        MemorySegment.copy(b, ValueLayout.JAVA_FLOAT, offset, other, 0, some);
      }
      compute(op, x, other, room, Scratch.padded(some));
      MemorySegment.copy(x, 0, y, ValueLayout.JAVA_FLOAT, offset, some);
    }
  }

  private static void compute(Op op, float[] x, float[] other, float[] room, int count) {
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

  static void clamp(float[] x, float low, float high, float added, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i).max(low).min(high).add(added).intoArray(x, i);
    }
  }

  static void add(float[] x, float[] other, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i)
          .add(FloatVector.fromArray(FLOATS, other, i))
          .intoArray(x, i);
    }
  }

  @Override
  public void exp(Floats x, int from, int count, float minus) {
    VectorMath.exp(x.array(), from, count, minus);
  }

  @Override
  public void tanh(Floats x, int from, Floats room, int roomFrom, int count) {
    VectorMath.tanh(x.array(), from, room.array(), roomFrom, count);
  }

  @Override
  public int likeliest(MemorySegment logits, long at, int count) {
    return LikeliestToken.of(logits, at, count);
  }

  @Override
  public float largest(Floats x, int from, int count) {
    return LikeliestToken.largest(x.array(), from, count);
  }

  @Override
  public void sampleWeights(
      Floats x, int from, int count, float most, float scale, int[] room, Longs weights) {
    VectorWeights.of(x.array(), from, count, most, scale, room, weights.array());
  }

  @Override
  public void turn(
      RotaryEmbedding rotary,
      int pairs,
      MemorySegment angles,
      long anglesAt,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to,
      int columns) {
    boolean areNeighbours = rotary.pairing() == RotaryEmbedding.Pairing.NEIGHBOURS;
    long headBytes = 4L * rotary.headWidth();
    for (long head = 0; head < 4L * columns; head += headBytes) {
      if (areNeighbours) {
        pairs(8, 4, pairs, angles, anglesAt, x, at + head, y, to + head);
      } else {
        pairs(4, 4L * pairs, pairs, angles, anglesAt, x, at + head, y, to + head);
      }
      for (long i = 8L * pairs; i < headBytes; i += 4) {
        set(y, to + head + i, get(x, at + head + i));
      }
    }
  }

  /**
   * @param step bytes from one pair to the next
   * @param apart bytes from a pair's first column to its second
   */
  private static void pairs(
      long step,
      long apart,
      int pairs,
      MemorySegment angles,
      long anglesAt,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to) {
    for (int i = 0; i < pairs; i++) {
      float a = get(x, at + step * i);
      float b = get(x, at + step * i + apart);
      float cosine = get(angles, anglesAt + 4L * i);
      float sine = get(angles, anglesAt + 4L * (pairs + i));
      set(y, to + step * i, a * cosine - b * sine);
      set(y, to + step * i + apart, a * sine + b * cosine);
    }
  }

  @Override
  public void decode(DataType type, MemorySegment source, long at, float[] row, int elements) {
    Decoding.decode(type, source, at, row, 0, elements);
  }
}
