package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.ForwardPass;
import dev.kancil.engine.ModelInputs;
import dev.kancil.engine.ModelPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.LayoutPair;
import dev.kancil.testing.LayoutPairs;
import dev.kancil.testing.ReferenceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufConversionTest {
  private static final GgufConversion PLAIN =
      new GgufConversion(Optional.empty(), Optional.empty());

  @TempDir private Path folder;

  private Path convert(GgufConversion conversion, Path source, String name) {
    Path target = folder.resolve(name);
    List<Long> progress = new ArrayList<>();
    conversion.convert(
        source,
        target,
        bytes -> {
          progress.add(bytes);
          return progress::add;
        });
    assertThat(progress.getLast()).isEqualTo(progress.getFirst());
    return target;
  }

  /** Logits of some tokens, by the scalar reference. */
  private static float[][] logits(Path path) {
    int[] tokens = IntStream.range(0, 23).map(i -> (7 + 13 * i) % 64).toArray();
    try (ModelFiles files = ModelFiles.open(path)) {
      Checkpoint checkpoint = files.checkpoint();
      LoadedModel.OfDecoder model =
          Families.load(checkpoint, DataType.F32, DataType.F32, _ -> tokens.length);
      try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
          DeviceWeights weights = device.weights(model.weights())) {
        return Objects.requireNonNull(
            ForwardPass.run(device, model.graph(), weights, tokens, tokens.length).get("logits"));
      }
    }
  }

  private static void assertSameLogits(Path one, Path other, double allowed) {
    float[][] expected = logits(one);
    float[][] actual = logits(other);
    double worst = 0;
    double largest = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        worst = Math.max(worst, Math.abs(expected[row][i] - actual[row][i]));
        largest = Math.max(largest, Math.abs(expected[row][i]));
      }
    }
    assertThat(largest).isPositive();
    assertThat(worst / largest).isCloseTo(0, within(allowed));
  }

  @Test
  void expertsThatLieTogetherAreTakenApart() {
    ReferenceModel.unpack("granitemoe_shared", folder);
    Path source = folder.resolve("granitemoe_shared");
    assertSameLogits(source, convert(PLAIN, source, "actual.gguf"), 1e-6);
  }

  @ParameterizedTest
  @EnumSource
  void folderBecomesWhatTheOtherConverterWrites(LayoutPairs kind) throws IOException {
    LayoutPair pair = new LayoutPair(kind);
    Path source = Files.createDirectory(folder.resolve("source"));
    Path expected = folder.resolve("expected.gguf");
    pair.writeFolder(source);
    pair.writeGguf(expected);
    Path actual = convert(PLAIN, source, "actual.gguf");
    try (GgufFile one = GgufFile.open(expected);
        GgufFile other = GgufFile.open(actual)) {
      assertThat(other.metadata().string("general.architecture"))
          .isEqualTo(one.metadata().string("general.architecture"));
      assertThat(other.tensors().keySet())
          .containsExactlyInAnyOrderElementsOf(one.tensors().keySet());
      one.tensors()
          .forEach(
              (name, tensor) -> {
                Tensor written = other.tensor(name).orElseThrow();
                assertThat(written.shape()).as(name).isEqualTo(tensor.shape());
                assertThat(written.data().mismatch(tensor.data())).as(name).isEqualTo(-1);
              });
    }
    assertSameLogits(expected, actual, 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama",
        "mixtral",
        "smollm3",
        "gpt2",
        "gpt_neox",
        "olmo2",
        "olmo3",
        "phi3",
        "deepseek_v2",
        "arcee",
        "ernie4_5",
        "exaone4_plain",
        "glm4_moe",
        "granite4",
        "nemotron",
        "seed_oss"
      })
  void referenceModelsComputeTheSame(String name) {
    ReferenceModel.unpack(name, folder);
    Path source = folder.resolve(name);
    assertSameLogits(source, convert(PLAIN, source, "model.gguf"), 1e-5);
  }

  private static SequencedMap<String, FloatArray> outputs(Path path, ModelInputs inputs) {
    try (ModelFiles files = ModelFiles.open(path);
        Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      LoadedModel model =
          Families.open(files.checkpoint(), DataType.F32, DataType.F32, length -> length);
      try (DeviceWeights weights = device.weights(model.weights())) {
        return new ModelPass(device, weights, List.of()).run(model, inputs);
      }
    }
  }

  /** Heads that GGUF has no place for are left out. */
  @ParameterizedTest
  @CsvSource({
    "bert, bert, last_hidden_state pooler_output",
    "bert_rerank, bert, last_hidden_state pooler_output logits",
    "roberta_classes, bert, last_hidden_state pooler_output logits",
    "distilbert_answers, bert, last_hidden_state",
    "modernbert, modern-bert, last_hidden_state",
    "modernbert_rank, modern-bert, last_hidden_state logits",
    "nomic_bert, nomic-bert, last_hidden_state",
    "t5, t5, encoder_output logits",
    "umt5_even, t5, encoder_output logits",
  })
  void encodersComputeTheSame(String name, String architecture, String kept) {
    ReferenceModel.unpack(name, folder);
    Path source = folder.resolve(name);
    Path file = convert(PLAIN, source, "model.gguf");
    try (GgufFile written = GgufFile.open(file)) {
      assertThat(written.metadata().string("general.architecture")).contains(architecture);
    }
    ModelInputs tokens = ModelInputs.of(new int[] {0, 33, 85, 90, 40, 2});
    ModelInputs inputs =
        architecture.equals("t5") ? tokens.withDecoderTokens(new int[] {0, 80, 12}) : tokens;
    SequencedMap<String, FloatArray> expected = outputs(source, inputs);
    SequencedMap<String, FloatArray> found = outputs(file, inputs);
    assertThat(found.keySet()).containsExactly(kept.split(" "));
    for (String output : found.keySet()) {
      // What RoBERTa's classes are of is no output of its own.
      if (!name.equals("roberta_classes") || !output.equals("pooler_output")) {
        assertThat(Objects.requireNonNull(found.get(output)).values())
            .isEqualTo(Objects.requireNonNull(expected.get(output)).values());
      }
    }
  }

  @Test
  void fileIsWrittenAgainInAnotherType() {
    ReferenceModel.unpack("llama", folder);
    Path plain = convert(PLAIN, folder.resolve("llama"), "plain.gguf");
    GgufConversion halves = new GgufConversion(Optional.of(DataType.F16), Optional.empty());
    Path direct = convert(halves, folder.resolve("llama"), "direct.gguf");
    Path again = convert(halves, plain, "again.gguf");
    assertSameLogits(direct, again, 0);
    assertThat(convert(PLAIN, plain, "copy.gguf")).hasSameBinaryContentAs(plain);
    assertSameLogits(plain, again, 0.01);
    GgufConversion bytes = new GgufConversion(Optional.of(DataType.Q8_0), Optional.empty());
    assertSameLogits(plain, convert(bytes, plain, "bytes.gguf"), 0.1);
    try (GgufFile file = GgufFile.open(again)) {
      assertThat(file.tensor("output.weight").orElseThrow().type()).isEqualTo(DataType.F16);
      assertThat(file.tensor("output_norm.weight").orElseThrow().type()).isEqualTo(DataType.F32);
    }
  }

  private GgufMetadata written(String name) {
    ReferenceModel.unpack(name, folder);
    try (GgufFile file = GgufFile.open(convert(PLAIN, folder.resolve(name), name + ".gguf"))) {
      return file.metadata();
    }
  }

  /** Llama.cpp does not derive the one, and would divide positions by the other. */
  @Test
  void rotationOfPhi3SaysItsMagnitudeAndNoFactor() {
    GgufMetadata phi3 = written("phi3");
    assertThat(phi3.string("phi3.rope.scaling.type")).contains("longrope");
    double magnitude = Math.sqrt(1 + Math.log(8) / Math.log(16));
    assertThat(phi3.number("phi3.rope.scaling.attn_factor").orElseThrow())
        .isCloseTo(magnitude, within(1e-6));
    assertThat(phi3.keys()).doesNotContain("phi3.rope.scaling.factor");
  }

  /** Unpacks a model, of which the configuration says something else. */
  private Path changed(String name, String from, String to) throws IOException {
    Path source = folder.resolve("changed");
    Files.createDirectory(source);
    ReferenceModel.unpack(name, source);
    Path config = source.resolve(name).resolve("config.json");
    String before = Files.readString(config);
    String after = before.replaceAll(from, to);
    assertThat(after).isNotEqualTo(before);
    Files.writeString(config, after);
    return source.resolve(name);
  }

  @Test
  void magnitudeOfYarnIsWrittenAsAShareOfTheUsualOne() throws IOException {
    Path source = changed("olmo3", "\"factor\": 4.0", "\"factor\": 4.0, \"attention_factor\": 0.8");
    Path file = convert(PLAIN, source, "olmo3.gguf");
    assertSameLogits(source, file, 1e-5);
    try (GgufFile written = GgufFile.open(file)) {
      double share = 0.8 / (0.1 * Math.log(4) + 1);
      assertThat(written.metadata().number("olmo2.rope.scaling.attn_factor").orElseThrow())
          .isCloseTo(share, within(1e-6));
    }
  }

  /** By a period, or else one by one. */
  @Test
  void filesSayWhichLayersSeeAWindow() throws IOException {
    String key = "olmo2.attention.sliding_window_pattern";
    assertThat(written("olmo3").integer(key)).contains(4L);
    assertThat(written("modernbert").integer("modern-bert.attention.sliding_window_pattern"))
        .contains(3L);
    Path source =
        changed(
            "olmo3",
            "(?s)\"layer_types\": \\[.*?]",
            "\"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\","
                + " \"full_attention\"]");
    Path file = convert(PLAIN, source, "other.gguf");
    assertSameLogits(source, file, 1e-5);
    try (GgufFile other = GgufFile.open(file)) {
      assertThat(other.metadata().integers(key)).containsExactly(0, 1, 0, 0);
    }
  }

  @Test
  void divisorsOfFrequenciesAreWrittenOnlyWhereFilesHaveAPlace() throws IOException {
    Path source =
        changed(
            "olmo2",
            "\"rope_scaling\": null",
            "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0}");
    assertThatThrownBy(() -> convert(PLAIN, source, "model.gguf"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("can't say how its rotation is stretched");
  }

  /** The same file with settings of another architecture's name. */
  private Path renamed(Path file, String from, String to) {
    Path target = folder.resolve(to + ".gguf");
    try (GgufFile source = GgufFile.open(file)) {
      GgufWriter writer = new GgufWriter();
      for (String key : source.metadata().keys()) {
        if (!key.equals("general.architecture")) {
          String name = key.startsWith(from + ".") ? to + key.substring(from.length()) : key;
          writer.put(name, source.metadata().value(key).orElseThrow());
        }
      }
      writer.put("general.architecture", to);
      writer.put(
          to + ".rope.dimension_sections", new GgufValue.Ints("int32", new long[] {3, 3, 2}));
      source.tensors().forEach(writer::tensor);
      writer.write(target);
    }
    return target;
  }

  /** Positions in a text are as far in each direction of a picture. */
  @Test
  void qwenThatSeesImagesReadsTextAsTheOther() throws IOException {
    Path source =
        changed("qwen2_swa", "\"use_sliding_window\": true", "\"use_sliding_window\": false");
    Path plain = convert(PLAIN, source, "plain.gguf");
    assertSameLogits(plain, renamed(plain, "qwen2", "qwen2vl"), 0);
  }

  /** Files of llama.cpp's converter count them among the others. */
  @Test
  void blocksThatGuessFurtherTokensAreLeftOut() {
    ReferenceModel.unpack("glm4_moe", folder);
    Path plain = convert(PLAIN, folder.resolve("glm4_moe"), "plain.gguf");
    Path longer = folder.resolve("longer.gguf");
    try (GgufFile file = GgufFile.open(plain)) {
      GgufWriter writer = new GgufWriter();
      for (String key : file.metadata().keys()) {
        if (!key.equals("glm4moe.block_count")) {
          writer.put(key, file.metadata().value(key).orElseThrow());
        }
      }
      writer.put("glm4moe.block_count", 4).put("glm4moe.nextn_predict_layers", 1);
      file.tensors().forEach(writer::tensor);
      writer.tensor("blk.3.nextn.enorm.weight", file.tensor("output_norm.weight").orElseThrow());
      writer.write(longer);
    }
    assertSameLogits(plain, longer, 0);
  }

  @Test
  void fileOfTokensThatCanNotBeReadIsAnError() throws IOException {
    ReferenceModel.unpack("llama", folder);
    Files.write(folder.resolve("llama").resolve("sentencepiece.bpe.model"), new byte[] {1});
    assertThatThrownBy(() -> convert(PLAIN, folder.resolve("llama"), "model.gguf"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there is no tokenizer.json");
  }

  /** Windows from a layer on, a scale of scores, layers without experts, windows. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen2_swa", "gemma3_text", "qwen3_moe", "exaone4"})
  void whatGgufCanNotSayIsAnErrorAndNoFile(String name) {
    ReferenceModel.unpack(name, folder);
    assertThatThrownBy(() -> convert(PLAIN, folder.resolve(name), "model.gguf"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("can't say all of its layer");
    assertThat(folder.resolve("model.gguf")).doesNotExist();
  }

  @Test
  void typeThatCanNotBeWrittenIsAnError() {
    assertThatThrownBy(() -> new GgufConversion(Optional.of(DataType.Q4_K), Optional.empty()))
        .hasMessageContaining("can't be converted to Q4_K");
  }
}
