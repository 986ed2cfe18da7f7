package dev.kancil.format.gguf;

import dev.kancil.format.gguf.GgufValue.IntType;
import java.util.ArrayList;
import java.util.List;

/** Reads metadata values. */
final class GgufValueReader {
  private static final int MAX_DEPTH = 4;

  private GgufValueReader() {}

  static GgufValue read(GgufCursor cursor, String key) {
    return read(cursor, key, cursor.int32(), 0);
  }

  private static GgufValue read(GgufCursor cursor, String key, int type, int depth) {
    return switch (type) {
      case 0 -> new GgufValue.Int(IntType.UINT8, cursor.int8() & 0xff);
      case 1 -> new GgufValue.Int(IntType.INT8, cursor.int8());
      case 2 -> new GgufValue.Int(IntType.UINT16, cursor.int16() & 0xffff);
      case 3 -> new GgufValue.Int(IntType.INT16, cursor.int16());
      case 4 -> new GgufValue.Int(IntType.UINT32, Integer.toUnsignedLong(cursor.int32()));
      case 5 -> new GgufValue.Int(IntType.INT32, cursor.int32());
      case 6 -> new GgufValue.Float32(Float.intBitsToFloat(cursor.int32()));
      case 7 -> new GgufValue.Bool(bool(cursor, key));
      case 8 -> new GgufValue.Text(cursor.string("the string " + key));
      case 9 -> array(cursor, key, depth);
      case 10 -> new GgufValue.Int(IntType.UINT64, cursor.int64());
      case 11 -> new GgufValue.Int(IntType.INT64, cursor.int64());
      case 12 -> new GgufValue.Float64(Double.longBitsToDouble(cursor.int64()));
      default -> throw cursor.error("metadata " + key + " has the unknown type " + type);
    };
  }

  private static GgufValue array(GgufCursor cursor, String key, int depth) {
    if (depth == MAX_DEPTH) {
      throw cursor.error("metadata " + key + " nests arrays too deeply");
    }
    int type = cursor.int32();
    return switch (type) {
      case 0, 1, 2, 3, 4, 5, 7, 10, 11 -> integers(cursor, key, type);
      case 6 -> {
        float[] values = new float[cursor.count("length of " + key, 4, 4)];
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.intBitsToFloat(cursor.int32());
        }
        yield new GgufValue.Floats(values);
      }
      case 8 -> {
        int count = cursor.count("length of " + key, 8, 8);
        List<String> values = new ArrayList<>(count);
        String what = "a string of " + key;
        for (int i = 0; i < count; i++) {
          values.add(cursor.string(what));
        }
        yield new GgufValue.Texts(values);
      }
      case 9 -> {
        int count = cursor.count("length of " + key, 12, 64);
        List<GgufValue> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          values.add(array(cursor, key, depth + 1));
        }
        yield new GgufValue.Nested(values);
      }
      case 12 -> {
        double[] values = new double[cursor.count("length of " + key, 8, 8)];
        for (int i = 0; i < values.length; i++) {
          values[i] = Double.longBitsToDouble(cursor.int64());
        }
        yield new GgufValue.Doubles(values);
      }
      default -> throw cursor.error("metadata " + key + " is an array of unknown type " + type);
    };
  }

  private static GgufValue integers(GgufCursor cursor, String key, int type) {
    int size =
        switch (type) {
          case 0, 1, 7 -> 1;
          case 2, 3 -> 2;
          case 4, 5 -> 4;
          default -> 8;
        };
    long[] values = new long[cursor.count("length of " + key, size, 8)];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case 0 -> cursor.int8() & 0xff;
            case 1 -> cursor.int8();
            case 2 -> cursor.int16() & 0xffff;
            case 3 -> cursor.int16();
            case 4 -> Integer.toUnsignedLong(cursor.int32());
            case 5 -> cursor.int32();
            case 7 -> bool(cursor, key) ? 1 : 0;
            default -> cursor.int64();
          };
    }
    String elementType =
        switch (type) {
          case 0 -> "uint8";
          case 1 -> "int8";
          case 2 -> "uint16";
          case 3 -> "int16";
          case 4 -> "uint32";
          case 5 -> "int32";
          case 7 -> "bool";
          case 10 -> "uint64";
          default -> "int64";
        };
    return new GgufValue.Ints(elementType, values);
  }

  private static boolean bool(GgufCursor cursor, String key) {
    byte value = cursor.int8();
    if (value != 0 && value != 1) {
      throw cursor.error("metadata " + key + " has the impossible truth value " + value);
    }
    return value == 1;
  }
}
