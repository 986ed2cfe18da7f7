package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.tensor.DataType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class MatMulShapeTest {
  private static final SlotTiles TILES = new SlotTiles(128, 8);

  /** Shared memory of blocks of devices of compute capability 7.5, 8.6 (12.0, too), 8.0, 9.0. */
  private static final int[] SHARED = {64 << 10, 99 << 10, 163 << 10, 227 << 10};

  @ParameterizedTest
  @EnumSource(
      mode = Mode.INCLUDE,
      names = {"F16", "BF16", "Q4_0", "Q5_1", "Q8_0", "SCALED_F8", "Q4_K", "Q5_K", "Q6_K"})
  void tilesOfSlotsFitEachDeviceAndKeepAsManyAsTheyCan(DataType type) {
    TileFormat format = TileFormat.of(type).orElseThrow();
    for (int shared : SHARED) {
      boolean isOldest = shared == SHARED[0];
      CudaTraits traits = new CudaTraits(80, 100, shared, false);
      for (boolean isPaired : new boolean[] {false, true}) {
        MatMulShape narrow = MatMulShape.ofExperts(format, isPaired, false).within(traits);
        MatMulShape wide = MatMulShape.ofExperts(format, isPaired, true).within(traits);
        for (MatMulShape shape : new MatMulShape[] {narrow, wide}) {
          assertThat(shape.grid(768, TILES).sharedBytes()).isLessThanOrEqualTo(shared);
          assertThat(shape.warpsDown()).isGreaterThanOrEqualTo(isOldest ? 2 : 4);
        }
        assertThat(wide.blockTokens()).isGreaterThanOrEqualTo(narrow.blockTokens());
        assertThat(narrow.blockTokens()).isGreaterThanOrEqualTo(isOldest ? 16 : 32);
      }
    }
  }
}
