package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.BlocksOnDevice;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What kernels make of every block, with scales of all sizes, is what the definition does: no bit
 * is lost.
 */
class CudaWeightBlocksTest {
  static Stream<DataType> types() {
    return Arrays.stream(DataType.values())
        .filter(type -> TileFormat.of(type).isPresent() && type.isQuantized())
        // No other software has it.
        .filter(type -> type != DataType.SCALED_F8);
  }

  @ParameterizedTest
  @MethodSource("types")
  void rowsAndProductsWithAnIdentityAreTheMatrix(DataType type) throws IOException {
    Tensor matrix = BlocksOnDevice.stored(type);
    float[] expected = withoutSigns(Blocks.decode(matrix));
    int rows = Math.toIntExact(matrix.shape().rows());
    try (Device device = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      BlocksOnDevice blocks = new BlocksOnDevice(device, matrix);
      assertThat(withoutSigns(blocks.rows())).containsExactly(expected);
      float[] columns = withoutSigns(blocks.columns(3));
      for (int i = 0; i < columns.length; i++) {
        assertThat(columns[i])
            .as("row %s, column %s", i % rows, i / rows)
            .isEqualTo(expected[i % rows * BlocksOnDevice.COLUMNS + i / rows]);
      }
    }
  }

  /** With zeros that have none: whether 0 times a quant is -0 has no meaning. */
  private static float[] withoutSigns(float[] elements) {
    float[] same = elements.clone();
    for (int i = 0; i < same.length; i++) {
      same[i] += 0;
    }
    return same;
  }
}
