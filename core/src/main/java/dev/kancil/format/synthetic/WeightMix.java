package dev.kancil.format.synthetic;

import dev.kancil.tensor.DataType;

/**
 * Which type each matrix of a model has: what llama.cpp's quantiser chooses without an importance
 * matrix, so that speeds compare with those of files of the same name. MXFP4 it gives to experts
 * alone; here matrices of models without experts have it, too. FP8 is what checkpoints of eight-bit
 * floats become, which no GGUF file has; beside matrices of layers they have BF16.
 */
public enum WeightMix {
  F16(DataType.F16),
  BF16(DataType.BF16),
  Q8_0(DataType.Q8_0),
  Q4_0(DataType.Q4_0),
  Q4_1(DataType.Q4_1),
  Q5_0(DataType.Q5_0),
  Q5_1(DataType.Q5_1),
  IQ4_NL(DataType.IQ4_NL),
  IQ4_XS(DataType.IQ4_XS),
  MXFP4(DataType.MXFP4),
  FP8(DataType.SCALED_F8),
  Q2_K(DataType.Q2_K),
  Q3_K_M(DataType.Q3_K),
  Q4_K_S(DataType.Q4_K),
  Q4_K_M(DataType.Q4_K);

  private final DataType common;

  WeightMix(DataType common) {
    this.common = common;
  }

  /** What a matrix is for, as far as types depend on it. */
  enum Role {
    EMBEDDING,
    /** The output head, and the token embedding where it is both. */
    HEAD,
    QUERY,
    KEY,
    VALUE,
    ATTENTION_OUTPUT,
    /** Of the feed-forward part, or all experts' together. */
    GATE_OR_UP,
    DOWN
  }

  /**
   * The type of a matrix.
   *
   * @param layer of no account outside the blocks
   */
  DataType type(Role role, int layer, ModelShape shape) {
    if (!common.isQuantized() || common == DataType.Q8_0) {
      return common;
    }
    if (this == FP8) {
      return role == Role.EMBEDDING || role == Role.HEAD ? DataType.BF16 : common;
    }
    if (this == MXFP4) {
      boolean isOutside =
          switch (role) {
            case EMBEDDING, HEAD -> true;
            case QUERY, KEY, VALUE, ATTENTION_OUTPUT -> shape.experts > 0;
            case GATE_OR_UP, DOWN -> false;
          };
      return isOutside ? DataType.Q8_0 : common;
    }
    // Where there are eight experts, the small matrices beside them get more.
    boolean isEight = shape.experts == 8;
    return switch (role) {
      case HEAD -> DataType.Q6_K;
      case KEY -> isEight ? DataType.Q8_0 : common;
      case VALUE -> isEight ? DataType.Q8_0 : value(layer, shape);
      case ATTENTION_OUTPUT ->
          switch (this) {
            case Q4_K_S, Q4_K_M, IQ4_NL, IQ4_XS -> isEight ? DataType.Q5_K : common;
            case Q2_K -> isEight ? DataType.Q5_K : DataType.Q3_K;
            case Q3_K_M -> isEight ? DataType.Q5_K : DataType.Q4_K;
            default -> common;
          };
      case DOWN ->
          switch (this) {
            case Q4_K_M -> usesMoreBits(layer, shape.layers) ? DataType.Q6_K : common;
            case Q4_K_S, IQ4_NL, IQ4_XS -> layer < shape.layers / 8 ? DataType.Q5_K : common;
            case Q2_K -> DataType.Q3_K;
            case Q3_K_M -> layer < shape.layers / 16 ? DataType.Q5_K : DataType.Q4_K;
            default -> common;
          };
      case EMBEDDING, QUERY, GATE_OR_UP -> common;
    };
  }

  private DataType value(int layer, ModelShape shape) {
    boolean areFewHeads = shape.heads >= 4 * shape.kvHeads;
    return switch (this) {
      case Q4_K_M -> usesMoreBits(layer, shape.layers) ? DataType.Q6_K : common;
      case Q4_K_S -> layer < 4 ? DataType.Q5_K : common;
      case IQ4_NL, IQ4_XS -> areFewHeads ? DataType.Q5_K : common;
      case Q2_K -> areFewHeads ? DataType.Q4_K : DataType.Q3_K;
      case Q3_K_M -> layer < 2 ? DataType.Q5_K : DataType.Q4_K;
      default -> common;
    };
  }

  /** The first and the last eighth of the layers, and of those between every third. */
  private static boolean usesMoreBits(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }
}
