package dev.kancil.format.synthetic;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Random weights, the same in every run. Elements of matrices have the mean 0 and the standard
 * deviation 1/√columns, so that products neither grow nor shrink; vectors, which are the scales of
 * norms and biases, are from 0.9 to 1.1. Quants are random bits. A matrix is a pattern of a few
 * megabytes, repeated in pieces that begin anywhere in it: no two neighbouring rows are alike.
 */
final class RandomWeights {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int PATTERN_BYTES = 4 << 20;
  private static final int PIECE_BYTES = 1 << 18;

  /** Elements from which a pattern's standard deviation is taken. */
  private static final int SAMPLE = 1 << 20;

  private final Map<Kind, byte[]> patterns = new HashMap<>();

  private record Kind(DataType type, long columns) {}

  /**
   * Fills a tensor.
   *
   * @param seed tensors of one type and shape differ by it
   */
  void fill(DataType type, Shape shape, long seed, MemorySegment data) {
    if (shape.rank() == 1) {
      norm(type, shape, seed, data);
      return;
    }
    byte[] pattern =
        patterns.computeIfAbsent(new Kind(type, shape.columns()), RandomWeights::pattern);
    MemorySegment source = MemorySegment.ofArray(pattern);
    long bytes = data.byteSize();
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
  }

  private static void norm(DataType type, Shape shape, long seed, MemorySegment data) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] scales = new float[Math.toIntExact(shape.columns())];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (float) random.nextDouble(0.9, 1.1);
    }
    Blocks.encode(type, scales, 0, data, 0, scales.length);
  }

  /** Whole blocks of elements of the wanted deviation. */
  private static byte[] pattern(Kind kind) {
    DataType type = kind.type();
    double deviation = 1 / Math.sqrt((double) kind.columns());
    byte[] pattern = new byte[PATTERN_BYTES / type.blockBytes() * type.blockBytes()];
    MemorySegment data = MemorySegment.ofArray(pattern);
    SplittableRandom random = new SplittableRandom(31 * type.name().hashCode() + kind.columns());
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
        // Quants are -8 to 7, or otherwise uneven: signs in both directions make up for their mean.
        case Q4_0, Q5_0, IQ4_NL -> half(pattern, at, random.nextBoolean() ? d : -d);
        case Q4_1 -> {
          half(pattern, at, d);
          half(pattern, at + 2, -7.5 * d);
        }
        case Q5_1 -> {
          half(pattern, at, d);
          half(pattern, at + 2, -15.5 * d);
        }
        case MXFP4 -> pattern.set(ValueLayout.JAVA_BYTE, at, exponent(scale, random));
        case Q8_0, IQ4_XS -> half(pattern, at, d);
        case SCALED_F8 -> pattern.set(FLOAT, at, (float) d);
        // Scales are 7.5 in the mean, as minima are, and quants 1.5.
        case Q2_K -> {
          half(pattern, at + 80, d);
          half(pattern, at + 82, 1.5 * d);
        }
        case Q3_K -> half(pattern, at + 108, d);
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

  /** One of the two powers of two around a scale, so often that squares have its mean. */
  private static byte exponent(double scale, SplittableRandom random) {
    int lower = Math.getExponent(scale);
    double squares = Math.pow(scale / Math.scalb(1.0, lower), 2);
    int chosen = random.nextDouble() < (squares - 1) / 3 ? lower + 1 : lower;
    return (byte) (chosen + 128);
  }
}
