package dev.kancil.format.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.synthetic.WeightMix.Role;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import dev.kancil.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticModelTest {
  @TempDir private Path folder;

  private static GgufFile tiny(WeightMix mix) {
    return new SyntheticModel(ModelShape.TINY, mix).open();
  }

  private static Tensor tensor(GgufFile file, String name) {
    return file.tensor(name).orElseThrow();
  }

  @Test
  void namesAreReadInAnyCaseAndOthersAnsweredWithWhatThereIs() {
    SyntheticModel model = SyntheticModel.parse("synthetic:Llama-8B:q4_k_m");
    assertThat(model).isEqualTo(new SyntheticModel(ModelShape.LLAMA_8B, WeightMix.Q4_K_M));
    assertThat(model.name()).isEqualTo("synthetic:llama-8b:Q4_K_M");
    assertThatThrownBy(() -> SyntheticModel.parse("synthetic:llama-9b:F16"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("no shape llama-9b; there are tiny, tiny-moe, llama-1b");
    assertThatThrownBy(() -> SyntheticModel.parse("synthetic:tiny:Q9"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("no type Q9; there are F16, BF16");
    for (String text : List.of("synthetic:", "synthetic:tiny", "synthetic:tiny:F16:", "x:y:z")) {
      assertThatThrownBy(() -> SyntheticModel.parse(text))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("SHAPE:TYPE");
    }
  }

  @Test
  void mixesGiveMoreBitsToTheLayersThatLlamaCppGivesThem() {
    assertThat(layers(WeightMix.Q4_K_M, Role.DOWN, DataType.Q6_K, ModelShape.LLAMA_8B))
        .containsExactly(0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31);
    assertThat(layers(WeightMix.Q4_K_M, Role.VALUE, DataType.Q6_K, ModelShape.LLAMA_3B))
        .containsExactly(0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27);
    assertThat(layers(WeightMix.Q4_K_M, Role.QUERY, DataType.Q4_K, ModelShape.LLAMA_8B))
        .hasSize(32);
    assertThat(layers(WeightMix.Q4_K_S, Role.VALUE, DataType.Q5_K, ModelShape.LLAMA_1B))
        .containsExactly(0, 1, 2, 3);
    for (WeightMix mix : List.of(WeightMix.Q4_K_S, WeightMix.IQ4_NL, WeightMix.IQ4_XS)) {
      assertThat(layers(mix, Role.DOWN, DataType.Q5_K, ModelShape.LLAMA_1B)).containsExactly(0, 1);
    }
    assertThat(layers(WeightMix.Q4_0, Role.DOWN, DataType.Q4_0, ModelShape.LLAMA_1B)).hasSize(16);
    for (WeightMix mix : List.of(WeightMix.Q4_0, WeightMix.Q5_1, WeightMix.Q4_K_M)) {
      assertThat(mix.type(Role.HEAD, 0, ModelShape.LLAMA_8B)).isEqualTo(DataType.Q6_K);
      assertThat(mix.type(Role.EMBEDDING, 0, ModelShape.LLAMA_8B)).isNotEqualTo(DataType.Q6_K);
    }
    assertThat(WeightMix.Q8_0.type(Role.HEAD, 0, ModelShape.LLAMA_8B)).isEqualTo(DataType.Q8_0);
    // Four heads or more to each of the keys and values.
    assertThat(WeightMix.IQ4_NL.type(Role.VALUE, 9, ModelShape.LLAMA_8B)).isEqualTo(DataType.Q5_K);
    assertThat(WeightMix.IQ4_NL.type(Role.VALUE, 9, ModelShape.LLAMA_3B))
        .isEqualTo(DataType.IQ4_NL);
    assertThat(WeightMix.Q2_K.type(Role.VALUE, 9, ModelShape.LLAMA_8B)).isEqualTo(DataType.Q4_K);
    assertThat(WeightMix.Q2_K.type(Role.VALUE, 9, ModelShape.LLAMA_3B)).isEqualTo(DataType.Q3_K);
    assertThat(layers(WeightMix.Q2_K, Role.DOWN, DataType.Q3_K, ModelShape.LLAMA_1B)).hasSize(16);
    assertThat(layers(WeightMix.Q3_K_M, Role.VALUE, DataType.Q5_K, ModelShape.LLAMA_8B))
        .containsExactly(0, 1);
    assertThat(layers(WeightMix.Q3_K_M, Role.DOWN, DataType.Q5_K, ModelShape.LLAMA_8B))
        .containsExactly(0, 1);
    assertThat(layers(WeightMix.Q3_K_M, Role.ATTENTION_OUTPUT, DataType.Q4_K, ModelShape.LLAMA_8B))
        .hasSize(32);
  }

  @Test
  void mixesOfModelsWithExpertsAreThoseOfLlamaCppToo() {
    Map<String, DataType> mixtral = types(ModelShape.MIXTRAL_8X7B, WeightMix.Q4_K_M);
    assertThat(mixtral)
        .containsEntry("attn_q", DataType.Q4_K)
        .containsEntry("attn_k", DataType.Q8_0)
        .containsEntry("attn_v", DataType.Q8_0)
        .containsEntry("attn_output", DataType.Q5_K)
        .containsEntry("ffn_gate_inp", DataType.F32)
        .containsEntry("ffn_up_exps", DataType.Q4_K)
        .containsEntry("ffn_down_exps", DataType.Q6_K);
    assertThat(types(ModelShape.QWEN3_30B_A3B, WeightMix.Q4_K_M))
        .containsEntry("attn_k", DataType.Q4_K)
        .containsEntry("attn_output", DataType.Q4_K);
    assertThat(types(ModelShape.QWEN3_30B_A3B, WeightMix.MXFP4))
        .containsEntry("attn_q", DataType.Q8_0)
        .containsEntry("ffn_down_exps", DataType.MXFP4);
  }

  /** Of the first layer, by name. */
  private static Map<String, DataType> types(ModelShape shape, WeightMix mix) {
    String block = "blk.0.";
    return new SyntheticModel(shape, mix)
        .places().stream()
            .filter(place -> place.name().startsWith(block))
            .collect(
                Collectors.toMap(
                    place -> place.name().replace(block, "").replace(".weight", ""),
                    SyntheticModel.Place::type));
  }

  @Test
  void modelsAreOfTheSizeThatTheirNamesSay() {
    assertThat(parameters(ModelShape.LLAMA_1B)).isBetween(1.2e9, 1.3e9);
    assertThat(parameters(ModelShape.LLAMA_8B)).isBetween(8.0e9, 8.1e9);
    assertThat(parameters(ModelShape.MIXTRAL_8X7B)).isBetween(46.7e9, 46.8e9);
    assertThat(parameters(ModelShape.QWEN3_30B_A3B)).isBetween(30.5e9, 30.6e9);
    assertThat(parameters(ModelShape.QWEN2_7B)).isBetween(7.6e9, 7.65e9);
    assertThat(parameters(ModelShape.QWEN3_4B)).isBetween(4.0e9, 4.1e9);
    assertThat(parameters(ModelShape.QWEN3_8B)).isBetween(8.1e9, 8.2e9);
    assertThat(parameters(ModelShape.GEMMA3_4B)).isBetween(3.85e9, 3.9e9);
  }

  private static double parameters(ModelShape shape) {
    return new SyntheticModel(shape, WeightMix.F16)
        .places().stream().mapToDouble(place -> (double) place.shape().elements()).sum();
  }

  private static List<Integer> layers(WeightMix mix, Role role, DataType type, ModelShape shape) {
    return IntStream.range(0, shape.layers)
        .filter(layer -> mix.type(role, layer, shape) == type)
        .boxed()
        .toList();
  }

  @Test
  void eachTensorHasTheTypeOfItsPlaceAndSharesItsDataWithItsLike() {
    try (GgufFile file = tiny(WeightMix.Q4_K_M)) {
      assertThat(tensor(file, "token_embd.weight").type()).isEqualTo(DataType.Q4_K);
      assertThat(tensor(file, "output.weight").type()).isEqualTo(DataType.Q6_K);
      for (String name : List.of("attn_v", "ffn_down")) {
        assertThat(
                IntStream.range(0, 3)
                    .mapToObj(
                        layer -> tensor(file, "blk." + layer + "." + name + ".weight").type()))
            .containsExactly(DataType.Q4_K, DataType.Q4_K, DataType.Q6_K);
      }
      assertThat(tensor(file, "blk.0.ffn_gate.weight").data().address())
          .isEqualTo(tensor(file, "blk.2.ffn_gate.weight").data().address());
    }
  }

  @ParameterizedTest
  @EnumSource
  void weightsAreSpreadAroundZeroAndTheSameEachTime(WeightMix mix) {
    try (GgufFile file = tiny(mix);
        GgufFile again = tiny(mix)) {
      for (String name : List.of("token_embd.weight", "output.weight", "blk.0.ffn_down.weight")) {
        Tensor tensor = tensor(file, name);
        float[] weights = Blocks.decode(tensor);
        double expected = 1 / Math.sqrt((double) tensor.shape().columns());
        double sum = 0;
        double squares = 0;
        for (float weight : weights) {
          sum += weight;
          squares += (double) weight * weight;
        }
        assertThat(Math.sqrt(squares / weights.length))
            .isCloseTo(expected, within(0.05 * expected));
        assertThat(sum / weights.length).isCloseTo(0, within(0.05 * expected));
        assertThat(tensor.data().mismatch(tensor(again, name).data())).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void itRunsAndItsLogitsAreOfTheSizeThatLogitsHave(WeightMix mix) {
    requireUsualLogits(tiny(mix));
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "Q4_K_M", "MXFP4"})
  void withExpertsItRunsToo(WeightMix mix) {
    requireUsualLogits(new SyntheticModel(ModelShape.TINY_MOE, mix).open());
  }

  private static void requireUsualLogits(GgufFile opened) {
    try (GgufFile file = opened) {
      LoadedModel.OfDecoder loaded =
          Families.load(new GgufCheckpoint(file), DataType.F16, DataType.F16);
      assertThat(loaded.vocabulary()).isEqualTo(Tokenizer.of(file.metadata()).vocabularySize());
      try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
          DeviceWeights weights = device.weights(loaded.weights())) {
        float[][] logits =
            Objects.requireNonNull(
                ForwardPass.run(device, loaded.graph(), weights, new int[] {7, 300, 41}, 3)
                    .get("logits"));
        for (float[] row : logits) {
          double squares = 0;
          for (float logit : row) {
            squares += (double) logit * logit;
          }
          assertThat(Math.sqrt(squares / row.length)).isBetween(0.3, 3.0);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"TINY", "TINY_MOE"})
  void aFileHasTheSameSettingsAndTensorsWithDataForEachLayer(ModelShape shape) {
    SyntheticModel model = new SyntheticModel(shape, WeightMix.Q4_0);
    Path path = folder.resolve("model.gguf");
    List<Long> progress = new ArrayList<>();
    model.write(path, SyntheticVocabulary.GENERATED, progress::add);
    assertThat(progress).isSorted().endsWith(model.bytes());
    try (GgufFile written = GgufFile.open(path);
        GgufFile memory = model.open()) {
      assertThat(written.metadata().keys()).isEqualTo(memory.metadata().keys());
      assertThat(written.tensors().keySet()).isEqualTo(memory.tensors().keySet());
      memory
          .tensors()
          .forEach(
              (name, tensor) -> {
                assertThat(tensor(written, name).type()).isEqualTo(tensor.type());
                assertThat(tensor(written, name).shape()).isEqualTo(tensor.shape());
              });
      assertThat(written.tensors().values().stream().map(t -> t.data().address()))
          .doesNotHaveDuplicates();
      for (String name : List.of("attn_q", "attn_norm")) {
        assertThat(
                tensor(written, "blk.0." + name + ".weight")
                    .data()
                    .mismatch(tensor(written, "blk.1." + name + ".weight").data()))
            .isNotEqualTo(-1);
      }
    }
    requireUsualLogits(GgufFile.open(path));
  }
}
