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
        DataType.F16,
        DataType.F16,
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
    "4, 2, 64, 64",
    "7, 1, 80, 80",
    "1, 1, 96, 112",
    "12, 1, 128, 128",
    "2, 1, 256, 256",
    "2, 2, 192, 128",
    "16, 1, 576, 512",
    "3, 1, 20, 24"
  })
  void rowsDividedAmongBlocksEqualRowsOfABlockToTheBit(
      int heads, int kvHeads, int keyWidth, int valueWidth) {
    Sizes sizes = new Sizes(heads, kvHeads, keyWidth, valueWidth, ALL);
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
    "4, 1, 64, 64",
    "7, 1, 80, 80",
    "1, 1, 128, 112",
    "2, 1, 256, 256",
    "2, 2, 192, 128",
    "16, 1, 64, 512"
  })
  void rowsInTilesAreCloseToPlainOnes(int heads, int kvHeads, int keyWidth, int valueWidth) {
    Sizes sizes = new Sizes(heads, kvHeads, keyWidth, valueWidth, ALL);
    List<Rows> rows = List.of(new Rows(21, 150), new Rows(1, 40), new Rows(2, 33), new Rows(5, 5));
    try (EmulatedAttention device = new EmulatedAttention(folder, 80, sizes, rows)) {
      // Weights are rounded to halves.
      close(device.tiles(tiles(sizes), split(sizes, 1)), device.plain(), 2e-3f);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY})
  void aHiddenValueThatIsNoNumberReachesNobody(float value) {
    Sizes sizes = new Sizes(2, 1, 64, 64, ALL);
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
