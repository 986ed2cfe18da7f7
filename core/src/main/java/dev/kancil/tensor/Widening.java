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
 * TQ1_0, TQ2_0  Q2_K: quants are from 0 to 3, scales and minima 1; d must be finite
 * NVFP4         F16: a product has six significant bits
 * </pre>
 */
public final class Widening {
  private Widening() {}

  /** The type that holds blocks of another exactly; null if there is none. */
  public static @Nullable DataType of(DataType type) {
    return switch (type) {
      case TQ1_0, TQ2_0 -> DataType.Q2_K;
      case NVFP4 -> DataType.F16;
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
      case TQ1_0, TQ2_0 -> ternary(type, source, at, target, to);
      case NVFP4 -> {
        float[] decoded = new float[type.blockElements()];
        Blocks.decode(type, source, at, decoded, 0, decoded.length);
        Blocks.encode(DataType.F16, decoded, 0, target, to, decoded.length);
        yield true;
      }
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static boolean ternary(
      DataType type, MemorySegment source, long at, MemorySegment target, long to) {
    short scale = source.get(Blocks.SHORT, at + type.blockBytes() - 2);
    if (Float.isInfinite(Float.float16ToFloat(scale))) {
      return false;
    }
    for (int sub = 0; sub < 16; sub++) {
      target.set(ValueLayout.JAVA_BYTE, to + sub, (byte) 0x11);
    }
    for (int i = 0; i < 64; i++) {
      int twoBits = 0;
      for (int run = 0; run < 4; run++) {
        int element = 128 * (i / 32) + 32 * run + i % 32;
        twoBits |= TernaryBlocks.quant(type, source, at, element) + 1 << 2 * run;
      }
      target.set(ValueLayout.JAVA_BYTE, to + 16 + i, (byte) twoBits);
    }
    target.set(Blocks.SHORT, to + 80, scale);
    target.set(Blocks.SHORT, to + 82, scale);
    return true;
  }
}
