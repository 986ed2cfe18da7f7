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
 * Q3_K            Q6_K: 16 scales become bytes, quants -4 to 3 some of those from -32 to 31
 * IQ1_S, IQ1_M    Q6_K: quants are eighths up to 9; an eighth of d must be of half precision
 * IQ3_XXS, IQ3_S  Q6_K: quants are up to 31; half of IQ3_XXS's d must be of half precision
 * IQ4_NL          Q8_0: levels are bytes
 * MXFP4           Q8_0: values are halves of whole numbers up to 12; its scale must be one of half precision
 * TQ1_0, TQ2_0    Q4_0: quants are from -1 to 2
 * NVFP4           F16: a product has six significant bits
 * </pre>
 */
public final class Widening {
  private static final int LEAST_HALF_EXPONENT = -24;
  private static final int MOST_HALF_EXPONENT = 15;

  private Widening() {}

  /** The type that holds blocks of another exactly; null if there is none. */
  public static @Nullable DataType of(DataType type) {
    return switch (type) {
      case Q3_K, IQ1_S, IQ1_M, IQ3_XXS, IQ3_S -> DataType.Q6_K;
      case IQ4_NL, MXFP4 -> DataType.Q8_0;
      case TQ1_0, TQ2_0 -> DataType.Q4_0;
      case NVFP4 -> DataType.F16;
      default -> null;
    };
  }

  /** Whether the scales of a tensor's blocks are of half precision, as far as its type says. */
  public static boolean fits(Tensor tensor) {
    DataType type = tensor.type();
    if (type != DataType.MXFP4) {
      return true;
    }
    MemorySegment data = tensor.data();
    LongStream numbers = LongStream.range(0, tensor.shape().elements() / type.blockElements());
    return (Tensor.isEverybodys(data) ? numbers.parallel() : numbers)
        .allMatch(i -> isHalf(exponent(data, i * type.blockBytes())));
  }

  /** Of a block of MXFP4, whose quants are doubled. */
  private static int exponent(MemorySegment source, long at) {
    return Blocks.unsigned(source, at) - 128;
  }

  private static boolean isHalf(int exponent) {
    return exponent >= LEAST_HALF_EXPONENT && exponent <= MOST_HALF_EXPONENT;
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
    long targetBytes = wider.byteSize(type.blockElements());
    LongStream numbers = LongStream.range(0, blocks);
    boolean isWhole =
        (Tensor.isEverybodys(source) && Tensor.isEverybodys(target) ? numbers.parallel() : numbers)
            .allMatch(i -> block(type, source, i * type.blockBytes(), target, i * targetBytes));
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
        int exponent = exponent(source, at);
        boolean isHalf = isHalf(exponent);
        if (isHalf) {
          short scale = Float.floatToFloat16((float) Math.scalb(1.0, exponent));
          levels(source, at + 1, target, to, scale, SmallBlocks.FP4_DOUBLED);
        }
        yield isHalf;
      }
      case IQ1_S, IQ1_M, IQ3_XXS, IQ3_S -> codebook(type, source, at, target, to);
      case TQ1_0, TQ2_0 -> {
        ternary(type, source, at, target, to);
        yield true;
      }
      case NVFP4 -> {
        float[] decoded = new float[type.blockElements()];
        Blocks.decode(type, source, at, decoded, 0, decoded.length);
        Blocks.encode(DataType.F16, decoded, 0, target, to, decoded.length);
        yield true;
      }
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static boolean codebook(
      DataType type, MemorySegment source, long at, MemorySegment target, long to) {
    float d =
        Float.float16ToFloat(CodebookBlocks.half(type, source, at)) * CodebookBlocks.unit(type);
    short scale = Float.floatToFloat16(d);
    if (Float.compare(Float.float16ToFloat(scale), d) != 0) {
      return false;
    }
    float[] quants = new float[CodebookBlocks.ELEMENTS];
    for (int i = 0; i < quants.length; i += 8) {
      CodebookBlocks.quants(type, source, at, i / 8, quants, i);
    }
    SuperBlocks.packQ6(
        target,
        to,
        scale,
        sub -> CodebookBlocks.scale(type, source, at, sub),
        i -> (int) quants[i]);
    return true;
  }

  private static void ternary(
      DataType type, MemorySegment source, long at, MemorySegment target, long to) {
    short scale = source.get(Blocks.SHORT, at + type.blockBytes() - 2);
    for (int block = 0; block < 8; block++) {
      long first = to + (long) block * DataType.Q4_0.blockBytes();
      target.set(Blocks.SHORT, first, scale);
      for (int i = 0; i < 16; i++) {
        int low = TernaryBlocks.quant(type, source, at, 32 * block + i) + 8;
        int high = TernaryBlocks.quant(type, source, at, 32 * block + i + 16) + 8;
        target.set(ValueLayout.JAVA_BYTE, first + 2 + i, (byte) (low | high << 4));
      }
    }
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
