package dev.kancil.format.gguf;

import java.util.List;

/** A metadata value, of one of the types that the GGUF specification names. */
public sealed interface GgufValue {
  /** The specification's name for the type. */
  String typeName();

  /** Any of the integer types. Unsigned 64-bit values are kept as their bits. */
  record Int(IntType type, long value) implements GgufValue {
    @Override
    public String typeName() {
      return type.name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** The integer types. */
  enum IntType {
    UINT8(0, 1, 0, 0xff),
    INT8(1, 1, Byte.MIN_VALUE, Byte.MAX_VALUE),
    UINT16(2, 2, 0, 0xffff),
    INT16(3, 2, Short.MIN_VALUE, Short.MAX_VALUE),
    UINT32(4, 4, 0, 0xffff_ffffL),
    INT32(5, 4, Integer.MIN_VALUE, Integer.MAX_VALUE),
    UINT64(10, 8, Long.MIN_VALUE, Long.MAX_VALUE),
    INT64(11, 8, Long.MIN_VALUE, Long.MAX_VALUE);

    private final int code;
    private final int bytes;
    private final long least;
    private final long most;

    IntType(int code, int bytes, long least, long most) {
      this.code = code;
      this.bytes = bytes;
      this.least = least;
      this.most = most;
    }

    /** The specification's number for the type. */
    int code() {
      return code;
    }

    int bytes() {
      return bytes;
    }

    /** The value, if the type can hold it. */
    long checked(long value) {
      if (value < least || value > most) {
        throw new IllegalArgumentException(value + " is no " + this);
      }
      return value;
    }
  }

  /** A 32-bit float. */
  record Float32(float value) implements GgufValue {
    @Override
    public String typeName() {
      return "float32";
    }
  }

  /** A 64-bit float. */
  record Float64(double value) implements GgufValue {
    @Override
    public String typeName() {
      return "float64";
    }
  }

  /** A truth value. */
  record Bool(boolean value) implements GgufValue {
    @Override
    public String typeName() {
      return "bool";
    }
  }

  /** A text. */
  record Text(String value) implements GgufValue {
    @Override
    public String typeName() {
      return "string";
    }
  }

  /** An array of texts. */
  record Texts(List<String> values) implements GgufValue {
    public Texts {
      values = List.copyOf(values);
    }

    @Override
    public String typeName() {
      return "array of string";
    }
  }

  /** An array of integers, or of bools as 0 and 1. */
  record Ints(String elementType, long[] values) implements GgufValue {
    @Override
    public String typeName() {
      return "array of " + elementType;
    }
  }

  /** An array of 32-bit floats. */
  record Floats(float[] values) implements GgufValue {
    @Override
    public String typeName() {
      return "array of float32";
    }
  }

  /** An array of 64-bit floats. */
  record Doubles(double[] values) implements GgufValue {
    @Override
    public String typeName() {
      return "array of float64";
    }
  }

  /** An array of arrays. */
  record Nested(List<GgufValue> values) implements GgufValue {
    public Nested {
      values = List.copyOf(values);
    }

    @Override
    public String typeName() {
      return "array of array";
    }
  }
}
