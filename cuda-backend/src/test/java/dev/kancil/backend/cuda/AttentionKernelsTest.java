package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.backend.cuda.EmulatedAttention.Rows;
import dev.kancil.backend.cuda.EmulatedAttention.Sizes;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.Score;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionKernelsTest {
  private static final int ALL = 100_000;

  @TempDir Path folder;

  private static Attention attention(Sizes sizes) {
    return new Attention(
        new StateSlot(0, 0),
        sizes.heads(),
        sizes.kvHeads(),
        sizes.keyWidth(),
        sizes.valueWidth(),
        sizes.scale(),
        Mask.window(sizes.window()),
        Score.PLAIN);
  }

  private static StateGroup cache(Sizes sizes) {
    return new StateGroup(
        1,
        sizes.kvHeads() * sizes.keyWidth(),
        sizes.kvHeads() * sizes.valueWidth(),
        sizes.type(),
        sizes.type(),
        0);
  }

  private static CudaTraits traits(int units) {
    return new CudaTraits(90, units, 227 << 10, false);
  }

  private static AttentionSplit split(Sizes sizes, int units) {
    return AttentionSplit.of(attention(sizes), cache(sizes), traits(units)).orElseThrow();
  }

  private static AttentionTiles tiles(Sizes sizes) {
    return AttentionTiles.of(attention(sizes), cache(sizes), traits(1)).orElseThrow();
  }

  private static void close(float[] actual, float[] expected, float by) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("number %s", i).isCloseTo(expected[i], within(by));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "4, 2, 64, 64, F16",
    "7, 1, 80, 80, F16",
    "1, 1, 96, 112, F16",
    "12, 1, 128, 128, F16",
    "2, 1, 256, 256, F16",
    "2, 2, 192, 128, F16",
    "16, 1, 576, 512, F16",
    "3, 1, 20, 24, F16",
    "4, 2, 64, 64, F8_E4M3",
    "7, 1, 80, 80, F8_E4M3",
    "1, 1, 96, 112, F8_E4M3",
    "2, 1, 256, 256, F8_E4M3",
    "16, 1, 576, 512, F8_E4M3",
    "3, 1, 20, 24, F8_E4M3",
    "2, 2, 33, 31, F8_E4M3"
  })
  void rowsDividedAmongBlocksEqualRowsOfABlockToTheBit(
      int heads, int kvHeads, int keyWidth, int valueWidth, DataType type) {
    Sizes sizes = new Sizes(heads, kvHeads, keyWidth, valueWidth, ALL, type);
    List<Rows> rows = List.of(new Rows(2, 300), new Rows(1, 1), new Rows(1, 65));
    try (EmulatedAttention device = new EmulatedAttention(folder, 80, sizes, rows)) {
      AttentionSplit split = split(sizes, 132);
      float[] divided = device.split(split);
      close(divided, device.plain(), 2e-6f);
      assertThat(device.inTurn(split)).isEqualTo(divided);
    }
  }

  @Test
  void aWarpGoesThroughMoreTilesThanItsLanesHoldPagesOf() {
    Sizes sizes = new Sizes(2, 1, 32, 32, ALL);
    try (EmulatedAttention device =
        new EmulatedAttention(folder, 80, sizes, List.of(new Rows(1, 2500)))) {
      AttentionSplit split = new AttentionSplit(2, 2, 2, 32, 1, true);
      float[] divided = device.split(split);
      close(divided, device.plain(), 2e-6f);
      assertThat(device.inTurn(split)).isEqualTo(divided);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {75, 80})
  void pagesBeforeAllWindowsAreNotRead(int capability) {
    Sizes sizes = new Sizes(4, 2, 64, 64, 70);
    List<Rows> rows = List.of(new Rows(20, 300), new Rows(17, 200), new Rows(3, 20));
    try (EmulatedAttention device = new EmulatedAttention(folder, capability, sizes, rows)) {
      float[] plain = device.plain();
      close(device.split(split(sizes, 8)), plain, 2e-6f);
      close(device.tiles(tiles(sizes), split(sizes, 8)), plain, 2e-3f);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "4, 1, 64, 64, F16",
    "7, 1, 80, 80, F16",
    "1, 1, 128, 112, F16",
    "2, 1, 256, 256, F16",
    "2, 2, 192, 128, F16",
    "16, 1, 64, 512, F16",
    "7, 1, 80, 80, F8_E4M3",
    "1, 1, 128, 112, F8_E4M3",
    "2, 1, 256, 256, F8_E4M3",
    "16, 1, 64, 512, F8_E4M3"
  })
  void rowsInTilesAreCloseToPlainOnes(
      int heads, int kvHeads, int keyWidth, int valueWidth, DataType type) {
    Sizes sizes = new Sizes(heads, kvHeads, keyWidth, valueWidth, ALL, type);
    List<Rows> rows = List.of(new Rows(21, 150), new Rows(1, 40), new Rows(2, 33), new Rows(5, 5));
    try (EmulatedAttention device = new EmulatedAttention(folder, 80, sizes, rows)) {
      // Weights are rounded to halves.
      close(device.tiles(tiles(sizes), split(sizes, 1)), device.plain(), 2e-3f);
    }
  }

  @ParameterizedTest
  @CsvSource({"NaN, F16", "-Infinity, F16", "NaN, F8_E4M3"})
  void aHiddenValueThatIsNoNumberReachesNobody(float value, DataType type) {
    Sizes sizes = new Sizes(2, 1, 64, 64, ALL, type);
    List<Rows> rows = List.of(new Rows(40, 70));
    try (EmulatedAttention device = new EmulatedAttention(folder, 80, sizes, rows)) {
      device.spoil(0, 50, value);
      int seeing = 20 * device.rowFloats();
      float[] plain = device.plain();
      for (float[] y :
          List.of(device.split(split(sizes, 8)), device.tiles(tiles(sizes), split(sizes, 8)))) {
        for (int i = 0; i < seeing; i++) {
          assertThat(y[i]).as("number %s", i).isCloseTo(plain[i], within(2e-3f));
        }
        for (int i = seeing; i < y.length; i++) {
          if (!Float.isFinite(plain[i])) {
            assertThat(y[i]).as("number %s", i).isNotFinite();
          }
        }
      }
    }
  }
}
