package dev.kancil.backend.cpu;

import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What lies between products: functions of a row's floats, by the Vector API or native kernels.
 * Offsets of segments are bytes, of arrays elements. Native kernels take no heap segments.
 */
interface RowKernels {
  /** {@code y = a + b}. */
  void add(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long to, int count);

  /** {@code y = factor · x}. */
  void scale(MemorySegment x, long at, float factor, MemorySegment y, long to, int count);

  /** {@code y = weight · x / sqrt(mean(x²) + epsilon)}, over as many columns as weights. */
  void rmsNorm(
      MemorySegment x, long at, MemorySegment weight, float epsilon, MemorySegment y, long to);

  /**
   * {@code y = weight · (x - mean) / sqrt(variance + epsilon) + bias}.
   *
   * @param weightAndBias a weight for each column, then a bias for each
   */
  void layerNorm(
      MemorySegment x,
      long at,
      MemorySegment weightAndBias,
      float epsilon,
      MemorySegment y,
      long to);

  /** {@code y[c] = Σₛ weights[s] · x[s · count + c]}, in the order of slots. */
  void weightedSum(
      MemorySegment x,
      long at,
      MemorySegment weights,
      long weightsAt,
      int slots,
      MemorySegment y,
      long to,
      int count);

  /**
   * An element-wise operation of one or two inputs, which lie at the same offset.
   *
   * @param thread that calls
   */
  void apply(
      Op op,
      MemorySegment a,
      @Nullable MemorySegment b,
      MemorySegment y,
      long at,
      int count,
      int thread);

  /** {@code x = e^(x - minus)} in place, of a multiple of 16 elements. */
  void exp(Floats x, int from, int count, float minus);

  /**
   * {@code x = tanh(x)} in place, of a multiple of 16 elements.
   *
   * @param room as many floats from {@code roomFrom} on, which may be overwritten
   */
  void tanh(Floats x, int from, Floats room, int roomFrom, int count);

  /** The first of the largest logits, or -1 if none is above minus infinity. */
  int likeliest(MemorySegment logits, long at, int count);

  /** The largest of a multiple of 16 elements; minus infinity if none is a number. */
  float largest(Floats x, int from, int count);

  /**
   * A sampler's weights of a multiple of 16 logits, as {@link SampleWeights} defines them.
   *
   * @param room as many integers, which may be overwritten
   */
  void sampleWeights(
      Floats x, int from, int count, float most, float scale, int[] room, Longs weights);

  /**
   * Turns the heads of a row; what is in no pair is copied.
   *
   * @param angles of the row at {@code anglesAt}: cosines of its pairs, then sines
   */
  void turn(
      RotaryEmbedding rotary,
      int pairs,
      MemorySegment angles,
      long anglesAt,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to,
      int columns);

  /**
   * A row of a cache: whole blocks.
   *
   * @param row as many floats, which may be overwritten
   */
  default void encode(
      DataType type,
      MemorySegment x,
      long at,
      MemorySegment cache,
      long to,
      int columns,
      float[] row) {
    MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, at, row, 0, columns);
    Blocks.encode(type, row, 0, cache, to, columns);
  }

  /** Elements of a type to float32: whole blocks of a row. */
  void decode(DataType type, MemorySegment source, long at, float[] row, int elements);
}
