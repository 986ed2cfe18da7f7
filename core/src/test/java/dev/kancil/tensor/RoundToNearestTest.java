package dev.kancil.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoundToNearestTest {
  /** Numbers of many sizes with many that are equal, and a block of zeros. */
  private static float[] numbers() {
    float[] numbers = new float[32 * 256];
    int state = 12345;
    for (int i = 0; i < numbers.length; i++) {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      float number = ((state >> 8) % 2001 - 1000) / (float) (1 << (i / 32 % 24));
      numbers[i] = i < 32 ? 0 : number;
    }
    return numbers;
  }

  /** SHA-256 of what {@code quantize} of the Python package gguf 0.19 makes of these numbers. */
  @ParameterizedTest
  @CsvSource({
    "F16, 5fcbe2932f16f44d6f3db48f5f76630307ff45fa2d35469d0d153ca19fa21ecd",
    "BF16, 5da2fa26dbcdf101dd2d81dc13aa1124a36cd2080b2b045be5c7f8df7a1061f2",
    "Q8_0, 7f9640a9c835d6bfe05e156868c3dab5394794e8b52c80a24552119803db2480",
    "Q4_0, 4b40e66e34cb003024c7964e235295f47544d4af4b7fe0a2e93b5d33f4681288",
    "Q4_1, 1b2edde43a681fe1a2bfcc40c81a488a50548e1f9a4a43780f2b18655092ff4a",
    "Q5_0, c76edad7dd76d8b9669fff87cfa970aae39696ed1b1fb2d9cf8386b8e2c4ffda",
    "Q5_1, 23dc4413799cd19cd0414d6c908b3b5322f99cf179a5087b0be9f298cdac897c"
  })
  void bitsAreThoseOfGgml(DataType type, String sha256) throws NoSuchAlgorithmException {
    float[] numbers = numbers();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(type.byteSize(numbers.length));
      RoundToNearest.encode(type, numbers, 0, target, 0, numbers.length);
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(target.toArray(ValueLayout.JAVA_BYTE));
      assertThat(HexFormat.of().formatHex(digest)).isEqualTo(sha256);
    }
  }
}
