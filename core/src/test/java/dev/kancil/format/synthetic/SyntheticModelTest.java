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
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticModelTest {
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
        .hasMessageContaining("no shape llama-9b; there are tiny, llama-1b");
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
    assertThat(layers(WeightMix.Q4_K_M, Role.DOWN, DataType.Q6_K, 32))
        .containsExactly(0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31);
    assertThat(layers(WeightMix.Q4_K_M, Role.VALUE, DataType.Q6_K, 28))
        .containsExactly(0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27);
    assertThat(layers(WeightMix.Q4_K_M, Role.OTHER, DataType.Q4_K, 32)).hasSize(32);
    assertThat(layers(WeightMix.Q4_K_S, Role.VALUE, DataType.Q5_K, 16)).containsExactly(0, 1, 2, 3);
    assertThat(layers(WeightMix.Q4_K_S, Role.DOWN, DataType.Q5_K, 16)).containsExactly(0, 1);
    assertThat(layers(WeightMix.Q4_0, Role.DOWN, DataType.Q4_0, 16)).hasSize(16);
    for (WeightMix mix : List.of(WeightMix.Q4_0, WeightMix.Q4_K_S, WeightMix.Q4_K_M)) {
      assertThat(mix.type(Role.HEAD, 0, 32)).isEqualTo(DataType.Q6_K);
      assertThat(mix.type(Role.EMBEDDING, 0, 32)).isNotEqualTo(DataType.Q6_K);
    }
    assertThat(WeightMix.Q8_0.type(Role.HEAD, 0, 32)).isEqualTo(DataType.Q8_0);
  }

  private static List<Integer> layers(WeightMix mix, Role role, DataType type, int layers) {
    return IntStream.range(0, layers)
        .filter(layer -> mix.type(role, layer, layers) == type)
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
    try (GgufFile file = tiny(mix)) {
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
}
