package dev.kancil.format.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Writes what {@link GgufCursor} and {@link GgufValueReader} read. */
final class GgufValueWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  ByteBuffer bytes() {
    return ByteBuffer.wrap(out.toByteArray());
  }

  void int32(int value) {
    number(value, 4);
  }

  void int64(long value) {
    number(value, 8);
  }

  /** The low {@code size} bytes, the lowest first. */
  private void number(long value, int size) {
    for (int i = 0; i < size; i++) {
      out.write((int) (value >>> 8 * i));
    }
  }

  void string(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int64(utf8.length);
    out.writeBytes(utf8);
  }

  /** A value after its type. */
  void value(GgufValue value) {
    switch (value) {
      case GgufValue.Int(var type, long number) -> {
        int32(type.code());
        number(type.checked(number), type.bytes());
      }
      case GgufValue.Float32(float number) -> {
        int32(6);
        int32(Float.floatToRawIntBits(number));
      }
      case GgufValue.Float64(double number) -> {
        int32(12);
        int64(Double.doubleToRawLongBits(number));
      }
      case GgufValue.Bool(boolean truth) -> {
        int32(7);
        number(truth ? 1 : 0, 1);
      }
      case GgufValue.Text(String text) -> {
        int32(8);
        string(text);
      }
      case GgufValue.Texts _,
          GgufValue.Ints _,
          GgufValue.Floats _,
          GgufValue.Doubles _,
          GgufValue.Nested _ -> {
        int32(9);
        array(value);
      }
    }
  }

  private void array(GgufValue array) {
    switch (array) {
      case GgufValue.Texts(var texts) -> {
        int32(8);
        int64(texts.size());
        texts.forEach(this::string);
      }
      case GgufValue.Ints(String elementType, long[] values) -> {
        boolean truths = elementType.equals("bool");
        GgufValue.IntType type =
            truths
                ? GgufValue.IntType.UINT8
                : GgufValue.IntType.valueOf(elementType.toUpperCase(Locale.ROOT));
        int32(truths ? 7 : type.code());
        int64(values.length);
        for (long value : values) {
          number(type.checked(value), type.bytes());
        }
      }
      case GgufValue.Floats(float[] values) -> {
        int32(6);
        int64(values.length);
        for (float value : values) {
          int32(Float.floatToRawIntBits(value));
        }
      }
      case GgufValue.Doubles(double[] values) -> {
        int32(12);
        int64(values.length);
        for (double value : values) {
          int64(Double.doubleToRawLongBits(value));
        }
      }
      case GgufValue.Nested(var arrays) -> {
        int32(9);
        int64(arrays.size());
        arrays.forEach(this::array);
      }
      default ->
          throw new IllegalArgumentException(array.typeName() + " within an array of arrays");
    }
  }
}
