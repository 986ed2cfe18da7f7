package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.format.safetensors.SafetensorsWriter;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Shape;
import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The weights of reference models where transformers 5 may write them. */
class LaterFilesTest {
  @TempDir private Path folder;

  private final SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();

  private ReferenceModel unpack(String name) {
    ReferenceModel model = ReferenceModel.unpack(name, folder).getFirst();
    Safetensors file = Safetensors.read(file(name));
    for (String tensor : file.names()) {
      arrays.put(tensor, new FloatArray(file.find(tensor).shape(), file.floats(tensor)));
    }
    return model;
  }

  private Path file(String name) {
    return folder.resolve(name).resolve("model.safetensors");
  }

  private FloatArray remove(String tensor) {
    return Objects.requireNonNull(arrays.remove(tensor), tensor);
  }

  private FloatArray get(String tensor) {
    return Objects.requireNonNull(arrays.get(tensor), tensor);
  }

  /** Numbers that would be noticed. */
  private void spoil(String tensor) {
    FloatArray array = get(tensor);
    float[] others = new float[array.values().length];
    Arrays.fill(others, 3);
    arrays.put(tensor, new FloatArray(array.shape(), others));
  }

  private void set(String model, String key, boolean value) throws IOException {
    Path config = folder.resolve(model).resolve("config.json");
    String text = Files.readString(config).replaceAll("\"" + key + "\": [^,\\n]*,\\n", "");
    Files.writeString(config, text.replaceFirst("\\{", "{\"" + key + "\": " + value + ","));
  }

  private void requireTheSame(ReferenceModel model, String name) {
    SafetensorsWriter.write(file(name), arrays);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(model.worst(device, 16)).isLessThan(1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "mixtral, block_sparse_moe, mlp, w1, w3, w2",
    "qwen3_moe, mlp, mlp, gate_proj, up_proj, down_proj",
    "deepseek_v2, mlp, mlp, gate_proj, up_proj, down_proj",
  })
  void expertsMayLieInOneTensor(
      String name, String part, String later, String gate, String up, String down) {
    ReferenceModel model = unpack(name);
    for (int layer = 0; layer < 8; layer++) {
      String stem = "model.layers." + layer + "." + part + ".";
      String experts = stem + "experts.";
      int count = 0;
      while (arrays.containsKey(experts + count + "." + up + ".weight")) {
        count++;
      }
      if (count == 0) {
        continue;
      }
      FloatArray first = get(experts + "0." + up + ".weight");
      int size = first.values().length;
      float[] both = new float[2 * count * size];
      float[] downs = new float[count * size];
      for (int expert = 0; expert < count; expert++) {
        String of = experts + expert + ".";
        System.arraycopy(remove(of + gate + ".weight").values(), 0, both, 2 * expert * size, size);
        System.arraycopy(
            remove(of + up + ".weight").values(), 0, both, (2 * expert + 1) * size, size);
        System.arraycopy(remove(of + down + ".weight").values(), 0, downs, expert * size, size);
      }
      long width = first.shape().dimension(0);
      long in = first.shape().dimension(1);
      String target = "model.layers." + layer + "." + later + ".";
      arrays.put(
          target + "experts.gate_up_proj", new FloatArray(Shape.of(count, 2 * width, in), both));
      arrays.put(target + "experts.down_proj", new FloatArray(Shape.of(count, in, width), downs));
      FloatArray router = remove(stem + "gate.weight");
      arrays.put(target + "gate.weight", router);
    }
    requireTheSame(model, name);
  }

  @Test
  void expertsOfGraniteMayHaveOtherNames() {
    ReferenceModel model = unpack("granitemoe_shared");
    for (String name : List.copyOf(arrays.keySet())) {
      String later =
          name.replace(
                  "block_sparse_moe.input_linear.weight", "block_sparse_moe.experts.gate_up_proj")
              .replace(
                  "block_sparse_moe.output_linear.weight", "block_sparse_moe.experts.down_proj")
              .replace("router.layer.weight", "router.weight");
      arrays.put(later, remove(name));
    }
    requireTheSame(model, "granitemoe_shared");
  }

  @ParameterizedTest
  @CsvSource({
    "bert, cls.predictions, bert.embeddings.word_embeddings.weight",
    "albert, predictions, albert.embeddings.word_embeddings.weight",
    "mpnet_masked, lm_head, mpnet.embeddings.word_embeddings.weight",
  })
  void theProductWithTheVocabularyMayHaveABiasOfItsOwn(String name, String head, String table)
      throws IOException {
    ReferenceModel model = unpack(name);
    arrays.put(head + ".decoder.weight", get(table));
    arrays.put(head + ".decoder.bias", get(head + ".bias"));
    spoil(head + ".bias");
    set(name, "tie_word_embeddings", false);
    requireTheSame(model, name);
  }

  @Test
  void stacksThatAreNotTiedHaveTheirOwnTables() throws IOException {
    ReferenceModel model = unpack("bart");
    for (String to :
        List.of("model.encoder.embed_tokens", "model.decoder.embed_tokens", "lm_head")) {
      arrays.put(to + ".weight", get("model.shared.weight"));
    }
    spoil("model.shared.weight");
    set("bart", "tie_word_embeddings", false);
    requireTheSame(model, "bart");
  }

  @Test
  void marianMayHaveNoTableForBoth() throws IOException {
    ReferenceModel model = unpack("marian");
    FloatArray table = remove("model.shared.weight");
    arrays.put("model.encoder.embed_tokens.weight", table);
    arrays.put("model.decoder.embed_tokens.weight", table);
    set("marian", "share_encoder_decoder_embeddings", false);
    requireTheSame(model, "marian");
  }
}
