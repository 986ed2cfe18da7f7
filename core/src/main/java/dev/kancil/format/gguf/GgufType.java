package dev.kancil.format.gguf;

import dev.kancil.tensor.DataType;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The numbers that GGUF files use for tensor types. */
final class GgufType {
  private static final Map<DataType, Integer> CODES = new EnumMap<>(DataType.class);
  private static final Map<Integer, DataType> TYPES = new HashMap<>();

  static {
    CODES.put(DataType.F32, 0);
    CODES.put(DataType.F16, 1);
    CODES.put(DataType.Q4_0, 2);
    CODES.put(DataType.Q4_1, 3);
    CODES.put(DataType.Q5_0, 6);
    CODES.put(DataType.Q5_1, 7);
    CODES.put(DataType.Q8_0, 8);
    CODES.put(DataType.Q2_K, 10);
    CODES.put(DataType.Q3_K, 11);
    CODES.put(DataType.Q4_K, 12);
    CODES.put(DataType.Q5_K, 13);
    CODES.put(DataType.Q6_K, 14);
    CODES.put(DataType.IQ4_NL, 20);
    CODES.put(DataType.IQ4_XS, 23);
    CODES.put(DataType.I8, 24);
    CODES.put(DataType.I16, 25);
    CODES.put(DataType.I32, 26);
    CODES.put(DataType.I64, 27);
    CODES.put(DataType.F64, 28);
    CODES.put(DataType.BF16, 30);
    CODES.put(DataType.MXFP4, 39);
    CODES.put(DataType.Q8_K, 15);
    CODES.put(DataType.IQ2_XXS, 16);
    CODES.put(DataType.IQ2_XS, 17);
    CODES.put(DataType.IQ3_XXS, 18);
    CODES.put(DataType.IQ1_S, 19);
    CODES.put(DataType.IQ3_S, 21);
    CODES.put(DataType.IQ2_S, 22);
    CODES.put(DataType.IQ1_M, 29);
    CODES.put(DataType.TQ1_0, 34);
    CODES.put(DataType.TQ2_0, 35);
    CODES.put(DataType.NVFP4, 40);
    CODES.forEach((type, code) -> TYPES.put(code, type));
  }

  private GgufType() {}

  static int code(DataType type) {
    Integer code = CODES.get(type);
    if (code == null) {
      throw new IllegalArgumentException("GGUF has no type " + type);
    }
    return code;
  }

  static @Nullable DataType type(int code) {
    return TYPES.get(code);
  }
}
