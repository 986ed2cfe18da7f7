package dev.kancil.backend.opencl;

import dev.kancil.tensor.DataType;

/** Which types of weights the kernels compute from as they are. */
final class WeightKernels {
  private WeightKernels() {}

  static boolean computesFrom(DataType type) {
    return switch (type) {
      case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> true;
      default -> false;
    };
  }
}
