package dev.kancil.format.synthetic;

import dev.kancil.tensor.DataType;

/**
 * Which type each matrix of a model has: what llama.cpp's quantiser makes of a llama without an
 * importance matrix, so that speeds compare with those of files of the same name.
 */
public enum WeightMix {
  F16(DataType.F16),
  BF16(DataType.BF16),
  Q8_0(DataType.Q8_0),
  Q4_0(DataType.Q4_0),
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
    VALUE,
    DOWN,
    OTHER
  }

  /**
   * The type of a matrix.
   *
   * @param layer of no account outside the blocks
   */
  DataType type(Role role, int layer, int layers) {
    boolean four = common == DataType.Q4_0 || common == DataType.Q4_K;
    return switch (role) {
      case HEAD -> four ? DataType.Q6_K : common;
      case VALUE ->
          switch (this) {
            case Q4_K_M -> usesMoreBits(layer, layers) ? DataType.Q6_K : common;
            case Q4_K_S -> layer < 4 ? DataType.Q5_K : common;
            default -> common;
          };
      case DOWN ->
          switch (this) {
            case Q4_K_M -> usesMoreBits(layer, layers) ? DataType.Q6_K : common;
            case Q4_K_S -> layer < layers / 8 ? DataType.Q5_K : common;
            default -> common;
          };
      case EMBEDDING, OTHER -> common;
    };
  }

  /** The first and the last eighth of the layers, and of those between every third. */
  private static boolean usesMoreBits(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }
}
