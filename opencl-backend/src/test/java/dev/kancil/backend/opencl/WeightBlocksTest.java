package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.BlocksOnDevice;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What kernels make of every block, with scales of all sizes, is what the definition does: no bit
 * is lost.
 */
class WeightBlocksTest {
  private static final int FEW = 3;

  /** The largest weight whose scale is a subnormal float, which some devices don't have. */
  private static final Offset<Float> SUBNORMAL = Offset.offset(12 * 0x1p-128f);

  @BeforeEach
  void aDeviceIsThere() {
    OpenClDevices.require();
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "IQ4_XS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S", "IQ1_M"
      })
  void rowsAndProductsWithAnIdentityAreTheMatrix(DataType type) throws IOException {
    Tensor matrix = BlocksOnDevice.stored(type);
    float[] expected = Blocks.decode(matrix);
    int rows = Math.toIntExact(matrix.shape().rows());
    List<UnaryOperator<ClDevice>> shapes =
        List.of(UnaryOperator.identity(), ClDevice::asGraphics, ClDevice::asPlain);
    for (UnaryOperator<ClDevice> shape : shapes) {
      try (Device device = open(shape)) {
        BlocksOnDevice blocks = new BlocksOnDevice(device, matrix);
        assertThat(blocks.rows()).containsExactly(expected, SUBNORMAL);
        for (int tokens : new int[] {1, FEW, BlocksOnDevice.COLUMNS}) {
          float[] columns = blocks.columns(tokens);
          for (int i = 0; i < columns.length; i++) {
            assertThat(columns[i])
                .as("of %s tokens: row %s, column %s", tokens, i % rows, i / rows)
                .isCloseTo(expected[i % rows * BlocksOnDevice.COLUMNS + i / rows], SUBNORMAL);
          }
        }
      }
    }
  }

  private static Device open(UnaryOperator<ClDevice> shape) {
    return new OpenClDevice(
        shape.apply(Platforms.find().devices().getFirst()),
        new OpenClBackend().devices().getFirst(),
        DeviceOptions.DEFAULT.withGuards());
  }
}
