package dev.kancil.format.synthetic;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Random weights, of each type and shape one tensor, the same in every run. Elements have the mean
 * 0 and the standard deviation 1/√columns, so that products neither grow nor shrink. Quants are
 * random bits. A tensor is a pattern of a few megabytes, repeated in pieces that begin anywhere in
 * it: no two neighbouring rows are alike.
 */
final class RandomWeights {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int PATTERN_BYTES = 4 << 20;
  private static final int PIECE_BYTES = 1 << 18;

  /** Elements from which a pattern's standard deviation is taken. */
  private static final int SAMPLE = 1 << 20;

  private final Arena arena;
  private final Map<Kind, Tensor> tensors = new HashMap<>();

  private record Kind(DataType type, Shape shape) {}

  /**
   * @param arena holds all tensors
   */
  RandomWeights(Arena arena) {
    this.arena = arena;
  }

  /** A matrix [rows, columns]. */
  Tensor matrix(DataType type, long rows, long columns) {
    return tensors.computeIfAbsent(new Kind(type, Shape.of(rows, columns)), this::make);
  }

  /** Scales of a norm: F32, from 0.9 to 1.1. */
  Tensor norm(long columns) {
    return tensors.computeIfAbsent(
        new Kind(DataType.F32, Shape.of(columns)),
        kind -> {
          SplittableRandom random = new SplittableRandom(columns);
          float[] scales = new float[Math.toIntExact(columns)];
          for (int i = 0; i < scales.length; i++) {
            scales[i] = (float) random.nextDouble(0.9, 1.1);
          }
          MemorySegment data = arena.allocate(4L * scales.length, 64);
          Blocks.encode(DataType.F32, scales, 0, data, 0, scales.length);
          return new Tensor(DataType.F32, kind.shape(), data);
        });
  }

  private Tensor make(Kind kind) {
    DataType type = kind.type();
    long seed = new SplittableRandom(type.name().hashCode() + kind.shape().hashCode()).nextLong();
    byte[] pattern = pattern(type, 1 / Math.sqrt((double) kind.shape().columns()), seed);
    MemorySegment source = MemorySegment.ofArray(pattern);
    long bytes = type.byteSize(kind.shape().elements());
    MemorySegment data = arena.allocate(bytes, 64);
    int blockBytes = type.blockBytes();
    long piece = PIECE_BYTES / blockBytes * (long) blockBytes;
    int starts = (int) ((pattern.length - piece) / blockBytes);
    LongStream.range(0, Math.ceilDiv(bytes, piece))
        .parallel()
        .forEach(
            index -> {
              int start = new SplittableRandom(seed + index).nextInt(starts);
              long at = index * piece;
              MemorySegment.copy(
                  source, (long) start * blockBytes, data, at, Math.min(piece, bytes - at));
            });
    return new Tensor(type, kind.shape(), data);
  }

  /** Whole blocks whose elements have the standard deviation {@code deviation}. */
  private static byte[] pattern(DataType type, double deviation, long seed) {
    byte[] pattern = new byte[PATTERN_BYTES / type.blockBytes() * type.blockBytes()];
    MemorySegment data = MemorySegment.ofArray(pattern);
    SplittableRandom random = new SplittableRandom(seed);
    if (!type.isQuantized()) {
      float[] values = new float[pattern.length / type.blockBytes()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian(0, deviation);
      }
      Blocks.encode(type, values, 0, data, 0, values.length);
      return pattern;
    }
    random.nextBytes(pattern);
    // Once with scales of about 1, to measure, and then with those that are wanted.
    long scaleSeed = random.nextLong();
    setScales(type, data, 1, new SplittableRandom(scaleSeed));
    float[] sample = new float[SAMPLE];
    Blocks.decode(type, data, 0, sample, 0, SAMPLE);
    double squares = 0;
    for (float element : sample) {
      squares += (double) element * element;
    }
    double scale = deviation / Math.sqrt(squares / SAMPLE);
    setScales(type, data, scale, new SplittableRandom(scaleSeed));
    return pattern;
  }

  private static void setScales(
      DataType type, MemorySegment pattern, double scale, SplittableRandom random) {
    for (long at = 0; at < pattern.byteSize(); at += type.blockBytes()) {
      double d = scale * random.nextDouble(0.75, 1.25);
      switch (type) {
        // Four bits stand for -8 to 7: signs in both directions make up for the mean of -0.5.
        case Q4_0 -> half(pattern, at, random.nextBoolean() ? d : -d);
        case Q8_0 -> half(pattern, at, d);
        case Q4_K -> {
          half(pattern, at, d);
          half(pattern, at + 2, 7.5 * d);
        }
        case Q5_K -> {
          half(pattern, at, d);
          half(pattern, at + 2, 15.5 * d);
        }
        case Q6_K -> half(pattern, at + 208, d);
        default -> throw new IllegalArgumentException("no random blocks of " + type);
      }
    }
  }

  private static void half(MemorySegment pattern, long at, double value) {
    pattern.set(SHORT, at, Float.floatToFloat16((float) value));
  }
}
