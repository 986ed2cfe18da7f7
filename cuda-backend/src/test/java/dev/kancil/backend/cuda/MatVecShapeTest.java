package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.UnfitDeviceException;
import dev.kancil.backend.cuda.MatVecShape.Slice;
import dev.kancil.tensor.DataType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class MatVecShapeTest {
  /** Shared memory of blocks of devices of compute capability 7.5, 8.6 (12.0, too), 8.0, 9.0. */
  private static final int[] SHARED = {64 << 10, 99 << 10, 163 << 10, 227 << 10};

  private static CudaTraits traits(int shared) {
    return new CudaTraits(80, 100, shared, false);
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.INCLUDE,
      names = {"F16", "BF16", "Q4_0", "Q5_1", "Q8_0", "SCALED_F8", "Q4_K", "Q5_K", "Q6_K"})
  void slicesOfWholeChunksCoverRowsOfAnyLength(DataType type) {
    List<TileFormat> formats = List.of(TileFormat.of(type).orElseThrow());
    for (int shared : SHARED) {
      for (int columns : new int[] {1, 255, 256, 4_096, 8_192, 14_336, 28_672, 28_701, 61_441}) {
        List<Slice> slices = MatVecShape.slices(columns, formats, traits(shared));
        int covered = 0;
        for (Slice slice : slices) {
          assertThat(slice.first()).isEqualTo(covered);
          assertThat(slice.first() % 256).isZero();
          assertThat(slice.columns()).isPositive();
          assertThat(slice.shape().sharedBytes()).isLessThan(shared);
          covered += slice.columns();
        }
        assertThat(covered).isEqualTo(columns);
      }
    }
  }

  @Test
  void rowsAreSlicedOnlyWhereABlockHasNoRoomForThem() {
    List<TileFormat> superBlocks = List.of(TileFormat.of(DataType.Q4_K).orElseThrow());
    List<TileFormat> bfloats = List.of(TileFormat.of(DataType.BF16).orElseThrow());
    assertThat(MatVecShape.slices(14_336, superBlocks, traits(SHARED[0]))).hasSize(2);
    assertThat(MatVecShape.slices(14_336, superBlocks, traits(SHARED[1]))).hasSize(1);
    assertThat(MatVecShape.slices(14_336, bfloats, traits(SHARED[1]))).hasSize(2);
    assertThat(MatVecShape.slices(14_336, bfloats, traits(SHARED[3]))).hasSize(1);
  }

  @Test
  void aDeviceWithoutRoomForTheLeastSliceIsUnfit() {
    List<TileFormat> formats = List.of(TileFormat.of(DataType.Q4_K).orElseThrow());
    assertThatThrownBy(() -> MatVecShape.slices(4_096, formats, traits(1_024)))
        .isInstanceOf(UnfitDeviceException.class)
        .hasMessageContaining("1 KiB")
        .hasMessageContaining("Q4_K");
  }
}
