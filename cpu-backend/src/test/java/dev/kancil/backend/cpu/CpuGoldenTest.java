package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.GoldenCheck;
import dev.kancil.testing.RealModels;
import dev.kancil.testing.ReferenceAdapters;
import dev.kancil.testing.ReferenceModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuGoldenTest {
  /** Larger steps round activations, where kernels are native. */
  private static final int EXACT_ROWS = TileProduct.MANY - 1;

  @TempDir private static Path folder;

  @ParameterizedTest
  @EnumSource
  void logitsEqualThoseOfAnIndependentImplementation(RealModels model) {
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      RealModels.Agreement agreement =
          model.compare(model.logits(device, DataType.F32, EXACT_ROWS));
      System.out.println(model + " on " + device.description().kernels() + ": " + agreement);
      assertThat(agreement.isExact()).as(agreement.toString()).isTrue();
      assertThat(agreement.topOne()).isEqualTo(1);
    }
  }

  @Test
  void tinyModelsGiveTheLogitsOfTheReference() {
    List<String> lines = new ArrayList<>();
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(GoldenCheck.tiny(device, lines::add)).as(lines.toString()).isZero();
    }
    assertThat(lines).hasSizeGreaterThan(6).allMatch(line -> line.startsWith("ok "));
  }

  static Stream<ReferenceModel> families() {
    return ReferenceModel.unpackAll(folder).stream();
  }

  @ParameterizedTest
  @MethodSource("families")
  void transformersComputesTheSame(ReferenceModel model) {
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(model.worst(device, 16)).isLessThan(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt2", "gpt_neox", "phi3"})
  void peftComputesTheSameWithAdaptersSideBySide(String model, @TempDir Path own) {
    ReferenceAdapters adapters = ReferenceAdapters.unpack(model, own);
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      adapters.requireLogits(device, 1);
      adapters.requireLogits(device, 9);
      adapters.requireGreedy(device);
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneTokenAtATimeGivesTheSameLogits(RealModels model) {
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F32, 1));
      System.out.println(model + " token by token: " + agreement);
      assertThat(agreement.isExact()).as(agreement.toString()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {EXACT_ROWS + 1, 64, 512})
  void whatLargerStepsRoundChangesNextToNothing(int rows) {
    for (RealModels model : RealModels.values()) {
      try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
        RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F32, rows));
        System.out.println(model + " in steps of " + rows + ": " + agreement);
        assertThat(agreement.meanKl()).isLessThan(1e-5);
        assertThat(agreement.topOne()).isEqualTo(1);
        assertThat(agreement.perplexityRatio()).isBetween(0.9995, 1.0005);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void halfPrecisionCachesChangeLittle(RealModels model) {
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F16, 64));
      System.out.println(model + " with an F16 cache: " + agreement);
      assertThat(agreement.meanKl()).isLessThan(1e-4);
      assertThat(agreement.topOne()).isGreaterThanOrEqualTo(0.96);
      assertThat(agreement.perplexityRatio()).isBetween(0.999, 1.001);
    }
  }
}
