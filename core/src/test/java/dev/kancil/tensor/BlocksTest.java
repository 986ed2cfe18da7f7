package dev.kancil.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.testing.TestData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.SplittableRandom;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlocksTest {
  /** Encodes and decodes. */
  private static float[] roundTrip(DataType type, float... values) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) type.byteSize(values.length)]);
    Blocks.encode(type, values, 0, bytes, 0, values.length);
    float[] decoded = new float[values.length];
    Blocks.decode(type, bytes, 0, decoded, 0, values.length);
    return decoded;
  }

  private static float[] normal(int count, double deviation) {
    SplittableRandom random = new SplittableRandom(7);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian(0, deviation);
    }
    return values;
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4", "NVFP4", "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS",
        "IQ2_S", "IQ3_XXS", "IQ3_S", "TQ1_0", "TQ2_0"
      })
  void decodingEqualsTheIndependentDecoder(DataType type) throws IOException {
    byte[] file;
    try (var in =
        new GZIPInputStream(Files.newInputStream(TestData.path("blocks", type + ".gz")))) {
      file = in.readAllBytes();
    }
    MemorySegment data = MemorySegment.ofArray(file);
    int elements = data.get(Blocks.INT, 0);
    float[] decoded = new float[elements];
    Blocks.decode(type, data, 4, decoded, 0, elements);
    long expected = 4 + type.byteSize(elements);
    assertThat(file).hasSize((int) expected + 4 * elements);
    for (int i = 0; i < elements; i++) {
      float right = data.get(Blocks.FLOAT, expected + 4L * i);
      assertThat(decoded[i]).as("element %s", i).isCloseTo(right, within(Math.ulp(right)));
    }
  }

  @Test
  void plainNumbersAreDecoded() {
    MemorySegment bytes = MemorySegment.ofArray(new byte[] {-1, 127, 0, -128, 1, 2, 3, 4});
    float[] decoded = new float[8];
    Blocks.decode(DataType.I8, bytes, 0, decoded, 0, 4);
    assertThat(decoded).startsWith(-1, 127, 0, -128, 0);
    Blocks.decode(DataType.I16, bytes, 0, decoded, 2, 2);
    assertThat(decoded).startsWith(-1, 127, 0x7fff, -0x8000);
    Blocks.decode(DataType.I32, bytes, 4, decoded, 0, 1);
    assertThat(decoded[0]).isEqualTo(0x04030201);
    Blocks.decode(DataType.I64, bytes, 0, decoded, 0, 1);
    assertThat(decoded[0]).isEqualTo((float) 0x04030201_80007fffL);
    bytes.set(Blocks.DOUBLE, 0, Math.E);
    Blocks.decode(DataType.F64, bytes, 0, decoded, 0, 1);
    assertThat(decoded[0]).isEqualTo((float) Math.E);
  }

  @Test
  void eightBitFloatsHaveFourBitsOfExponent() {
    int[] bits = {0, 0x80, 1, 7, 8, 0x38, 0x39, 0xb8, 0x7e, 0xfe, 0x7f, 0xff};
    MemorySegment bytes = MemorySegment.ofArray(new byte[bits.length]);
    for (int i = 0; i < bits.length; i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) bits[i]);
    }
    float[] decoded = new float[bits.length];
    Blocks.decode(DataType.F8_E4M3, bytes, 0, decoded, 0, bits.length);
    assertThat(decoded)
        .containsExactly(
            0, -0f, 0x1p-9f, 0x7p-9f, 0x1p-6f, 1, 1.125f, -1, 448, -448, Float.NaN, Float.NaN);
  }

  /** All upper halves of float32, on both sides of where a rounding begins. */
  @Test
  void eightBitFloatsAreTheNearestAndOfTwoAsNearTheEvenOne() {
    float[] numbers = new float[0x7f];
    MemorySegment codes = MemorySegment.ofArray(new byte[0x7f]);
    for (int i = 0; i < numbers.length; i++) {
      codes.set(ValueLayout.JAVA_BYTE, i, (byte) i);
    }
    Blocks.decode(DataType.F8_E4M3, codes, 0, numbers, 0, numbers.length);
    for (int upper = 0; upper < 1 << 16; upper++) {
      for (int lower : new int[] {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff}) {
        float x = Float.intBitsToFloat(upper << 16 | lower);
        int nearest = 0;
        for (int code = 0; code < numbers.length; code++) {
          double distance = Math.abs(Math.abs((double) x) - numbers[code]);
          double least = Math.abs(Math.abs((double) x) - numbers[nearest]);
          // What is endless is as far from all.
          boolean isNearer =
              distance < least || distance == least && (code % 2 == 0 || Float.isInfinite(x));
          nearest = isNearer ? code : nearest;
        }
        int right = Float.isNaN(x) ? 0x7f : x < 0 || 1 / x < 0 ? nearest | 0x80 : nearest;
        assertThat(Blocks.toE4M3(x)).as("%s", x).isEqualTo((byte) right);
      }
    }
  }

  @Test
  void eightBitFloatsStayWhatTheyAre() {
    MemorySegment codes = MemorySegment.ofArray(new byte[256]);
    for (int i = 0; i < 256; i++) {
      codes.set(ValueLayout.JAVA_BYTE, i, (byte) i);
    }
    float[] decoded = new float[256];
    Blocks.decode(DataType.F8_E4M3, codes, 0, decoded, 0, 256);
    MemorySegment encoded = MemorySegment.ofArray(new byte[256]);
    Blocks.encode(DataType.F8_E4M3, decoded, 0, encoded, 0, 256);
    // But for the sign of what is no number.
    codes.set(ValueLayout.JAVA_BYTE, 0xff, (byte) 0x7f);
    assertThat(encoded.mismatch(codes)).isEqualTo(-1);
  }

  @Test
  void halfOfAHalfIsAnEightBitFloatWithFiveBitsOfExponent() {
    int[] bits = {0, 0x80, 1, 4, 0x3c, 0xbd, 0x7b, 0x7c, 0xfc, 0x7e};
    MemorySegment bytes = MemorySegment.ofArray(new byte[bits.length]);
    for (int i = 0; i < bits.length; i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) bits[i]);
    }
    float[] decoded = new float[bits.length];
    Blocks.decode(DataType.F8_E5M2, bytes, 0, decoded, 0, bits.length);
    float endless = Float.POSITIVE_INFINITY;
    assertThat(decoded)
        .containsExactly(
            0, -0f, 0x1p-16f, 0x1p-14f, 1, -1.25f, 57344, endless, -endless, Float.NaN);
  }

  @Test
  void aBlockOfEightBitFloatsHasAFloatForAScale() {
    for (int first = 0; first < 256; first += 32) {
      MemorySegment block = MemorySegment.ofArray(new byte[36]);
      block.set(Blocks.FLOAT, 0, -0.3f);
      for (int i = 0; i < 32; i++) {
        block.set(ValueLayout.JAVA_BYTE, 4 + i, (byte) (first + i));
      }
      float[] plain = new float[32];
      Blocks.decode(DataType.F8_E4M3, block, 4, plain, 0, 32);
      float[] decoded = new float[32];
      Blocks.decode(DataType.SCALED_F8, block, 0, decoded, 0, 32);
      for (int i = 0; i < 32; i++) {
        float magnitude = Float.isNaN(plain[i]) ? 480 : Math.abs(plain[i]);
        float right = -0.3f * Math.copySign(magnitude, (float) (byte) (first + i));
        assertThat(decoded[i]).isEqualTo(right);
      }
    }
  }

  /** PyPI's gguf has no decoder for it: it is what llama.cpp makes of activations. */
  @Test
  void aBlockOfBytesHasAFloatForAScaleAndSumsThatNobodyNeeds() {
    byte[] block = new byte[DataType.Q8_K.blockBytes()];
    new java.util.Random(3).nextBytes(block);
    MemorySegment bytes = MemorySegment.ofArray(block);
    bytes.set(Blocks.FLOAT, 0, 0.3f);
    float[] decoded = new float[256];
    Blocks.decode(DataType.Q8_K, bytes, 0, decoded, 0, 256);
    for (int i = 0; i < 256; i++) {
      assertThat(decoded[i]).isEqualTo(0.3f * block[4 + i]);
    }
  }

  @Test
  void floatsAreEncodedExactly() {
    float[] values = {0, -0.0f, 1, Float.MIN_VALUE, Float.MAX_VALUE, Float.NEGATIVE_INFINITY};
    assertThat(roundTrip(DataType.F32, values)).containsExactly(values);
  }

  @Test
  void halvesAreRoundedToTheNearest() {
    assertThat(roundTrip(DataType.F16, 1, -2, 65504, 65519, 65520, 0x1p-24f, 0x1p-26f))
        .containsExactly(1, -2, 65504, 65504, Float.POSITIVE_INFINITY, 0x1p-24f, 0);
    // Between two halves: to the even one.
    assertThat(roundTrip(DataType.F16, 2049, 2051)).containsExactly(2048, 2052);
    assertThat(roundTrip(DataType.F16, Float.NaN)).containsExactly(Float.NaN);
  }

  @Test
  void bfloat16IsRoundedToTheNearestEven() {
    assertThat(roundTrip(DataType.BF16, 1, -3, 257, 259, 0x1p-133f, Float.NEGATIVE_INFINITY))
        .containsExactly(1, -3, 256, 260, 0x1p-133f, Float.NEGATIVE_INFINITY);
    assertThat(roundTrip(DataType.BF16, Float.MAX_VALUE)).containsExactly(Float.POSITIVE_INFINITY);
    assertThat(roundTrip(DataType.BF16, Float.NaN, Float.intBitsToFloat(0x7f800001)))
        .containsOnly(Float.NaN);
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void encodingADecodedHalfChangesNoBit(DataType type) {
    MemorySegment all = MemorySegment.ofArray(new byte[2 << 16]);
    for (int i = 0; i < 1 << 16; i++) {
      all.set(Blocks.SHORT, 2L * i, (short) i);
    }
    float[] decoded = new float[1 << 16];
    Blocks.decode(type, all, 0, decoded, 0, decoded.length);
    MemorySegment again = MemorySegment.ofArray(new byte[2 << 16]);
    Blocks.encode(type, decoded, 0, again, 0, decoded.length);
    for (int i = 0; i < 1 << 16; i++) {
      if (Float.isNaN(decoded[i])) {
        float nan = roundTrip(type, decoded[i])[0];
        assertThat(nan).isNaN();
      } else {
        assertThat(again.get(Blocks.SHORT, 2L * i)).isEqualTo((short) i);
      }
    }
  }

  @Test
  void eightBitBlocksKeepTheirLargestValueAndRoundTheRest() {
    float[] values = normal(32 * 40, 3);
    float[] decoded = roundTrip(DataType.Q8_0, values);
    for (int block = 0; block < values.length; block += 32) {
      float largest = 0;
      for (int i = block; i < block + 32; i++) {
        largest = Math.max(largest, Math.abs(values[i]));
      }
      for (int i = block; i < block + 32; i++) {
        // Half a step, and what the scale loses as a half-precision number.
        double bound = largest / 127 / 2 + Math.abs(values[i]) / 2048;
        assertThat((double) decoded[i]).isCloseTo(values[i], within(bound * 1.001));
      }
    }
  }

  @Test
  void eightBitBlocksOfZerosStayZero() {
    assertThat(roundTrip(DataType.Q8_0, new float[32])).containsOnly(0);
    float[] subnormal = new float[32];
    subnormal[3] = 1e-20f;
    assertThat(roundTrip(DataType.Q8_0, subnormal)).containsOnly(0);
  }

  @Test
  void otherTypesAreNotEncoded() {
    for (DataType type : DataType.values()) {
      if (!java.util.List.of("F32", "F16", "BF16", "F8_E4M3", "Q8_0").contains(type.name())) {
        MemorySegment target = MemorySegment.ofArray(new byte[1024]);
        assertThatThrownBy(
                () -> Blocks.encode(type, new float[256], 0, target, 0, type.blockElements()))
            .hasMessageContaining("can't encode " + type);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void nothingBeyondTheMemoryIsTouched(DataType type) {
    int elements = type.blockElements();
    MemorySegment bytes = MemorySegment.ofArray(new byte[type.blockBytes()]);
    float[] target = new float[elements];
    assertThatThrownBy(() -> Blocks.decode(type, bytes, 1, target, 0, elements))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Blocks.decode(type, bytes, -1, target, 0, elements))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Blocks.decode(type, bytes, 0, target, 1, elements))
        .isInstanceOf(IndexOutOfBoundsException.class);
    if (elements > 1) {
      assertThatThrownBy(() -> Blocks.decode(type, bytes, 0, target, 0, elements - 1))
          .hasMessageContaining("no whole number of " + type + " blocks");
    }
  }

  @Test
  void rowsLieWhereTheirOffsetSays() {
    MemorySegment bytes = MemorySegment.ofArray(new byte[3 * 34 + 1]);
    float[] values = normal(32, 1);
    Blocks.encode(DataType.Q8_0, values, 0, bytes, 1 + 34, 32);
    assertThat(bytes.get(ValueLayout.JAVA_BYTE, 34)).isZero();
    assertThat(bytes.get(ValueLayout.JAVA_BYTE, 1 + 2 * 34)).isZero();
    float[] decoded = new float[34];
    Blocks.decode(DataType.Q8_0, bytes, 1 + 34, decoded, 1, 32);
    assertThat(decoded[0]).isZero();
    assertThat(decoded[33]).isZero();
    assertThat(decoded[1]).isNotZero();
  }
}
