package dev.kancil.backend.opencl;

import dev.kancil.tensor.DataType;
import java.util.Map;

/** What products multiply. */
enum Arithmetic {
  /** Activations as they are, and weights decoded to float32. */
  FLOATS,

  /** Activations rounded to bytes, and the bytes that quantised weights are made of. */
  INTEGERS,

  /** Activations rounded to half precision, and weights of it; in tiles only. */
  HALVES;

  /** Whether there are kernels for weights of a type. */
  boolean suits(DataType type) {
    return switch (this) {
      case FLOATS -> true;
      case INTEGERS ->
          switch (type) {
            case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, MXFP4 -> true;
            case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS -> true;
            case IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ1_S, IQ1_M -> true;
            default -> false;
          };
      case HALVES -> type == DataType.F16;
    };
  }

  /** What kernels are compiled with. */
  Map<String, String> defines() {
    return switch (this) {
      case FLOATS -> Map.of();
      case INTEGERS -> Map.of("INTEGER_DOT", "");
      case HALVES -> Map.of("HALF_TILES", "");
    };
  }
}
