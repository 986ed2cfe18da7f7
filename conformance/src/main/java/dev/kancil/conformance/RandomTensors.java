package dev.kancil.conformance;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Data for weights: every bit pattern of the quants, with scales of a size as models have them. */
final class RandomTensors {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RandomTensors() {}

  static Tensor floats(float[] data, Shape shape) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.multiplyExact(data.length, 4)]);
    Blocks.encode(DataType.F32, data, 0, bytes, 0, data.length);
    return new Tensor(DataType.F32, shape, bytes);
  }

  static Tensor random(SplittableRandom random, DataType type, Shape shape) {
    int bytes = Math.toIntExact(type.byteSize(shape.columns()) * shape.rows());
    MemorySegment data = MemorySegment.ofArray(new byte[bytes]);
    switch (type) {
      case F32, F16, BF16 -> {
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) random.nextGaussian();
        }
        Blocks.encode(type, values, 0, data, 0, values.length);
      }
      default -> {
        byte[] noise = new byte[bytes];
        random.nextBytes(noise);
        MemorySegment.copy(noise, 0, data, ValueLayout.JAVA_BYTE, 0, bytes);
        for (int at = 0; at < bytes; at += type.blockBytes()) {
          scales(random, type, data, at);
        }
      }
    }
    return new Tensor(type, shape, data);
  }

  private static void scales(SplittableRandom random, DataType type, MemorySegment data, int at) {
    switch (type) {
      case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS, IQ1_S, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S ->
          half(random, data, at);
      case Q4_1, Q5_1, Q4_K, Q5_K -> {
        half(random, data, at);
        half(random, data, at + 2);
      }
      case Q2_K -> {
        half(random, data, at + 80);
        half(random, data, at + 82);
      }
      case Q3_K -> half(random, data, at + 108);
      case Q6_K -> half(random, data, at + 208);
      case MXFP4 -> data.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt(120, 130));
      case IQ1_M -> {
        short scale = Float.floatToFloat16((float) random.nextDouble(0.01, 0.1));
        for (int i = 0; i < 4; i++) {
          int rest = data.get(SHORT, at + 48 + 2L * i) & 0xfff;
          data.set(SHORT, at + 48 + 2L * i, (short) (rest | (scale >> 4 * i & 15) << 12));
        }
      }
      case TQ1_0, TQ2_0 -> half(random, data, at + type.blockBytes() - 2);
      case Q8_K, SCALED_F8 -> data.set(FLOAT, at, (float) random.nextDouble(0.01, 0.1));
      case NVFP4 -> {
        for (int i = 0; i < 4; i++) {
          // From 1/8 to 2.
          data.set(ValueLayout.JAVA_BYTE, at + i, (byte) random.nextInt(0x20, 0x40));
        }
      }
      default -> throw new IllegalArgumentException("no random blocks of " + type);
    }
  }

  private static void half(SplittableRandom random, MemorySegment data, int at) {
    float scale = (float) random.nextDouble(0.01, 0.1);
    data.set(SHORT, at, Float.floatToFloat16(random.nextInt(4) == 0 ? -scale : scale));
  }
}
