package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PlacedWeightTest {
  /** Numbers 0, 1, 2, ... of a type. */
  private static PlacedWeight counted(DataType type, long... shape) {
    Shape whole = Shape.of(shape);
    float[] values = new float[(int) whole.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    MemorySegment data = MemorySegment.ofArray(new byte[(int) type.byteSize(values.length)]);
    Blocks.encode(type, values, 0, data, 0, values.length);
    Tensor tensor = new Tensor(type, whole, data);
    return new PlacedWeight("w", type, whole, () -> tensor);
  }

  private static Tensor bytes(int[] values, long... shape) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return new Tensor(DataType.I8, Shape.of(shape), MemorySegment.ofArray(bytes));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void matricesAreTurnedRoundEachForItself(DataType type) {
    PlacedWeight turned = counted(type, 2, 3, 2).transposed(Shape.of(2, 2, 3));
    assertThat(turned.type()).isEqualTo(type);
    assertThat(turned.shape()).isEqualTo(Shape.of(2, 2, 3));
    assertThat(Blocks.decode(turned.tensor().get()))
        .containsExactly(0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11);
  }

  @Test
  void blocksAreDecodedToTurnAMatrixRound() {
    PlacedWeight matrix = counted(DataType.Q8_0, 2, 32);
    PlacedWeight turned = matrix.transposed(Shape.of(32, 2));
    assertThat(turned.type()).isEqualTo(DataType.F32);
    float[] before = Blocks.decode(matrix.tensor().get());
    float[] after = Blocks.decode(turned.tensor().get());
    for (int i = 0; i < 32; i++) {
      assertThat(after[2 * i]).isEqualTo(before[i]);
      assertThat(after[2 * i + 1]).isEqualTo(before[32 + i]);
    }
  }

  @Test
  void everySecondNumberOfAMatrixOfBiasesIsOnesGate() {
    PlacedWeight all = counted(DataType.F32, 2, 4).shaped(Shape.of(8));
    PlacedWeight gates = all.rowsOfGroups(0, 1, 2, Shape.of(4)).shaped(Shape.of(2, 2));
    assertThat(gates.shape()).isEqualTo(Shape.of(2, 2));
    assertThat(Blocks.decode(gates.tensor().get())).containsExactly(0, 2, 4, 6);
  }

  @Test
  void microscaledBlocksHaveNeighboursInAByte() {
    List<Float> levels =
        List.of(0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, 0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f);
    int[] packed = new int[2 * 3 * 16];
    float[] expected = new float[2 * packed.length];
    int[] scales = new int[6];
    for (int block = 0; block < scales.length; block++) {
      scales[block] = block == 5 ? 254 : 125 + block;
      double scale = Math.scalb(1.0, scales[block] - 127);
      for (int i = 0; i < 16; i++) {
        int low = (7 * i + block) % 16;
        int high = (11 * i + 5 * block + 3) % 16;
        packed[16 * block + i] = low | high << 4;
        expected[32 * block + 2 * i] = (float) (scale * levels.get(low));
        expected[32 * block + 2 * i + 1] = (float) (scale * levels.get(high));
      }
    }
    PlacedWeight weight =
        PlacedWeight.microscaled(
            "w", bytes(packed, 1, 2, 3, 16), bytes(scales, 1, 2, 3), Shape.of(1, 2, 96));
    assertThat(weight.type()).isEqualTo(DataType.MXFP4);
    assertThat(Blocks.decode(weight.tensor().get())).containsExactly(expected);
  }
}
