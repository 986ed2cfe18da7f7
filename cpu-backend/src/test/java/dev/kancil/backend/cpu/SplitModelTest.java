package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.Completion;
import dev.kancil.GenerationOptions;
import dev.kancil.InvalidRequestException;
import dev.kancil.Model;
import dev.kancil.ModelDescription;
import dev.kancil.ModelOptions;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.testing.DividedModels;
import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models whose layers the CPU shares with the reference device. */
class SplitModelTest {
  private static final GenerationOptions GREEDY =
      GenerationOptions.builder().greedy().maxTokens(20).stopAtEndOfTurn(false).build();

  @TempDir Path folder;

  private static Device cpu() {
    return new CpuBackend().open(0, DeviceOptions.DEFAULT);
  }

  private static Device reference() {
    return new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
  }

  @Test
  void aModelDividedAnywhereIsTheSame() {
    DividedModels.requireTheSame(folder, SplitModelTest::cpu, SplitModelTest::reference, 1e-4f);
    DividedModels.requireTheSame(folder, SplitModelTest::reference, SplitModelTest::cpu, 1e-4f);
  }

  private Model open(TinyModels tiny, ModelOptions.Builder options) {
    return Model.open(TinyVocabulary.write(tiny, folder), options.sessions(2).build());
  }

  @ParameterizedTest
  @EnumSource
  void theDescriptionTellsWhereLayersRun(TinyModels tiny) {
    int layers = tiny == TinyModels.LLAMA ? 2 : 3;
    for (int count : new int[] {0, 1, layers - 1, layers, 99, ModelOptions.AUTO_LAYERS}) {
      try (Model model = open(tiny, ModelOptions.builder().device("reference").gpuLayers(count))) {
        ModelDescription description = model.description();
        assertThat(description.layers()).isEqualTo(layers);
        Completion completion = model.complete("hello", GREEDY);
        assertThat(completion.tokens()).hasSize(20);
        DeviceDescription other = description.otherDevice();
        if (count == 0) {
          // Nothing but the CPU was opened.
          assertThat(description.device().id()).isEqualTo("cpu");
          assertThat(description.deviceLayers()).isEqualTo(layers);
          assertThat(other).isNull();
        } else if (count > 0 && count < layers) {
          assertThat(description.device().id()).isEqualTo("reference");
          assertThat(description.deviceLayers()).isEqualTo(count);
          assertThat(Objects.requireNonNull(other).id()).isEqualTo("cpu");
        } else {
          assertThat(description.device().id()).isEqualTo("reference");
          assertThat(description.deviceLayers()).isEqualTo(layers);
          assertThat(other).isNull();
        }
      }
    }
  }

  @Test
  void sessionsOfADividedModelGoOnSideBySide() {
    try (Model whole = open(TinyModels.GEMMA3, ModelOptions.builder().device("reference"));
        Model divided =
            open(
                TinyModels.GEMMA3,
                ModelOptions.builder().device("reference").gpuLayers(2).stepTokens(5))) {
      String text = "a text that is longer than the window of this model";
      List<Integer> alone = divided.complete(text, GREEDY).tokens();
      assertThat(alone).isEqualTo(whole.complete(text, GREEDY).tokens());
      try (var one = divided.session();
          var other = divided.session();
          var first = one.generate(text, GREEDY);
          var second = other.generate(text, GREEDY)) {
        assertThat(first.await().tokens()).isEqualTo(alone);
        assertThat(second.await().tokens()).isEqualTo(alone);
      }
    }
  }

  @Test
  void layersForAnotherDeviceThanTheCpuNeedOne() {
    for (int count : new int[] {1, 99}) {
      assertThatThrownBy(
              () -> open(TinyModels.LLAMA, ModelOptions.builder().device("cpu").gpuLayers(count)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("gpu layers " + count)
          .hasMessageContaining("kancil devices");
    }
    for (int count : new int[] {0, ModelOptions.AUTO_LAYERS, ModelOptions.ALL_LAYERS}) {
      try (Model model =
          open(TinyModels.LLAMA, ModelOptions.builder().device("cpu").gpuLayers(count))) {
        assertThat(model.description().deviceLayers()).isEqualTo(2);
      }
    }
    assertThatThrownBy(() -> ModelOptions.builder().gpuLayers(-2).build())
        .hasMessage("gpu layers -2 is out of range");
  }
}
