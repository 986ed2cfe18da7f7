package dev.kancil.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Types whose every block a wider type holds exactly, for devices that have kernels for that type
 * alone: what is decoded is the same to the bit.
 *
 * <pre>
 * Q3_K    Q6_K: 16 scales become bytes, quants -4 to 3 some of those from -32 to 31
 * IQ4_NL  Q8_0: levels are bytes
 * MXFP4   Q8_0: values are halves of whole numbers up to 12; its scale must be one of half precision
 * </pre>
 */
public final class Widening {
  private static final int LEAST_HALF_EXPONENT = -24;
  private static final int MOST_HALF_EXPONENT = 15;

  private Widening() {}

  /** The type that holds blocks of another exactly; null if there is none. */
  public static @Nullable DataType of(DataType type) {
    return switch (type) {
      case Q3_K -> DataType.Q6_K;
      case IQ4_NL, MXFP4 -> DataType.Q8_0;
      default -> null;
    };
  }

  /**
   * A tensor in the type that holds it.
   *
   * @param arena of what it becomes; several threads make it if they may use both arenas
   * @return empty if there is no such type, or a scale is beyond it
   */
  public static Optional<Tensor> widen(Tensor tensor, Arena arena) {
    DataType type = tensor.type();
    DataType wider = of(type);
    if (wider == null) {
      return Optional.empty();
    }
    long elements = tensor.shape().elements();
    MemorySegment source = tensor.data();
    MemorySegment target = arena.allocate(wider.byteSize(elements), 64);
    long blocks = elements / type.blockElements();
    LongStream numbers = LongStream.range(0, blocks);
    boolean isWhole =
        (Tensor.isEverybodys(source) && Tensor.isEverybodys(target) ? numbers.parallel() : numbers)
            .allMatch(
                i -> block(type, source, i * type.blockBytes(), target, i * wider.blockBytes()));
    return isWhole ? Optional.of(new Tensor(wider, tensor.shape(), target)) : Optional.empty();
  }

  private static boolean block(
      DataType type, MemorySegment source, long at, MemorySegment target, long to) {
    return switch (type) {
      case Q3_K -> {
        SuperBlocks.widenQ3(source, at, target, to);
        yield true;
      }
      case IQ4_NL -> {
        levels(source, at + 2, target, to, source.get(Blocks.SHORT, at), SmallBlocks.LEVELS);
        yield true;
      }
      case MXFP4 -> {
        int exponent = Blocks.unsigned(source, at) - 128;
        boolean isHalf = exponent >= LEAST_HALF_EXPONENT && exponent <= MOST_HALF_EXPONENT;
        if (isHalf) {
          short scale = Float.floatToFloat16((float) Math.scalb(1.0, exponent));
          levels(source, at + 1, target, to, scale, SmallBlocks.FP4_DOUBLED);
        }
        yield isHalf;
      }
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static void levels(
      MemorySegment source, long at, MemorySegment target, long to, short scale, byte[] levels) {
    target.set(Blocks.SHORT, to, scale);
    for (int i = 0; i < 16; i++) {
      int packed = Blocks.unsigned(source, at + i);
      target.set(ValueLayout.JAVA_BYTE, to + 2 + i, levels[packed & 15]);
      target.set(ValueLayout.JAVA_BYTE, to + 18 + i, levels[packed >> 4]);
    }
  }
}
