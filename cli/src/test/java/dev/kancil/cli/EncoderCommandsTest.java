package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.format.safetensors.SafetensorsWriter;
import dev.kancil.tensor.FloatArray;
import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.Safetensors;
import dev.kancil.testing.TinyAdapter;
import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Commands on encoders, and on models with adapters. */
class EncoderCommandsTest {
  @TempDir private Path folder;

  private String encoder() throws IOException {
    return encoder(folder);
  }

  /** Writes one that also ranks, whose words are {@code w5} to {@code w319}. */
  static String encoder(Path folder) throws IOException {
    ReferenceModel.unpack("bert_rerank", folder);
    Path model = folder.resolve("bert_rerank");
    List<String> pieces = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
    for (int i = pieces.size(); i < 320; i++) {
      pieces.add("w" + i);
    }
    Files.write(model.resolve("vocab.txt"), pieces);
    Files.writeString(
        model.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"BertTokenizer\"}");
    return model.toString();
  }

  @Test
  void embedGivesEachTextAVector() throws IOException {
    String model = encoder();
    Path texts = Files.writeString(folder.resolve("texts"), "w20 w21\n\nw22\n");
    JsonNode found =
        CommandRun.of("embed", model, "w30", "-f", texts.toString(), "--device", "cpu", "--json")
            .json();
    assertThat(found.get("embeddings").size()).isEqualTo(3);
    assertThat(found.get("embeddings").get(0).size()).isEqualTo(32);
    assertThat(found.get("normalized").booleanValue()).isTrue();
    CommandRun plain =
        CommandRun.of(
            "embed", model, "w30", "--pooling", "first", "--no-normalize", "--device", "cpu");
    assertThat(plain.succeeds().out().strip().split(" ")).hasSize(32);
  }

  @Test
  void oneLineTellsOfTextsThatAreTooLong() throws IOException {
    String model = encoder();
    String longText = "w20 ".repeat(80);
    assertThat(CommandRun.of("embed", model, "w30", longText, "--device", "cpu").succeeds().err())
        .contains("1 of 2 texts have more than 66 tokens; only the beginning is read");
    assertThat(CommandRun.of("rerank", model, "w3", longText, "--device", "cpu").succeeds().err())
        .contains("1 of 1 texts have more than 66 tokens");
    assertThat(CommandRun.of("embed", model, "w30", "--device", "cpu").succeeds().err())
        .doesNotContain("more than");
  }

  @Test
  void rerankSortsTextsByTheirScores() throws IOException {
    String model = encoder();
    String[] texts = {"w20", "w40 w41", "w60", "w80 w81 w82"};
    JsonNode scores =
        CommandRun.of(
                "rerank",
                model,
                "w30",
                texts[0],
                texts[1],
                texts[2],
                texts[3],
                "--json",
                "--device",
                "cpu")
            .json()
            .get("scores");
    List<String> lines =
        CommandRun.of(
                "rerank", model, "w30", texts[0], texts[1], texts[2], texts[3], "--device", "cpu")
            .succeeds()
            .out()
            .lines()
            .toList();
    List<String> expected =
        Arrays.asList(0, 1, 2, 3).stream()
            .sorted((a, b) -> Double.compare(scores.get(b).asDouble(), scores.get(a).asDouble()))
            .map(i -> texts[i])
            .toList();
    assertThat(lines.stream().map(line -> line.substring(11)).toList()).isEqualTo(expected);
  }

  @Test
  void showSaysWhatRunsAnEncoder() throws IOException {
    JsonNode shown = CommandRun.of("show", encoder(), "--json").json();
    assertThat(shown.get("runs").booleanValue()).isTrue();
    assertThat(shown.get("with").asString()).isEqualTo("embed, rerank, forward");
  }

  @Test
  void adaptersChangeWhatAModelComputes() throws IOException {
    ReferenceModel.unpack("llama", folder);
    Path adapter = adapter("model.layers.0.self_attn.o_proj", 64);
    float[] plain = logits();
    assertThat(logits("--lora", adapter.toString())).isNotEqualTo(plain);
    assertThat(logits("--lora", adapter + "=0")).isEqualTo(plain);
  }

  /** One that changes a square matrix. */
  private Path adapter(String module, int width) throws IOException {
    Path adapter = Files.createDirectories(folder.resolve(module));
    Files.writeString(
        adapter.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\", \"lora_alpha\": 2}");
    SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();
    FloatArray a = FloatArray.zeros(2, width);
    FloatArray b = FloatArray.zeros(width, 2);
    for (int i = 0; i < a.values().length; i++) {
      a.values()[i] = (float) (0.1 * Math.sin(i));
      b.values()[i] = (float) (0.2 * Math.cos(i));
    }
    arrays.put("base_model.model." + module + ".lora_A.weight", a);
    arrays.put("base_model.model." + module + ".lora_B.weight", b);
    SafetensorsWriter.write(adapter.resolve("adapter_model.safetensors"), arrays);
    return adapter;
  }

  /** Whatever part of the model the adapter was trained on. */
  @Test
  void adaptersChangeWhatAnEncoderComputes() throws IOException {
    String model = encoder();
    String module = "encoder.layer.0.attention.output.dense";
    String whole = adapter("bert." + module, 32).toString();
    String plain = out("embed", model, "w30");
    String adapted = out("embed", model, "w30", "--lora", whole);
    assertThat(adapted).isNotEqualTo(plain);
    assertThat(out("embed", model, "w30", "--lora", adapter(module, 32).toString()))
        .isEqualTo(adapted);
    assertThat(out("rerank", model, "w30", "w31", "--lora", whole))
        .isNotEqualTo(out("rerank", model, "w30", "w31"));
  }

  @Test
  void adaptersBesideGenerateWhatMergedOnesDo() {
    String model = TinyVocabulary.write(TinyModels.LLAMA, folder).toString();
    Path file = folder.resolve("adapter.gguf");
    TinyAdapter.write(TinyModels.LLAMA, file, 1, 2, name -> name.contains("attn_output"));
    String[] run = {
      "run", model, "-p", "hello", "--raw", "--temperature", "0", "--max-tokens", "9"
    };
    String merged = out(with(run, "--lora", file + "=0.5"));
    assertThat(out(with(run, "--lora-beside", file + "=0.5"))).isEqualTo(merged);
    assertThat(out(run)).isNotEqualTo(merged);
  }

  private static String[] with(String[] arguments, String... more) {
    return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new);
  }

  private static String out(String... arguments) {
    return CommandRun.of(with(arguments, "--device", "cpu")).succeeds().out();
  }

  private float[] logits(String... options) {
    Path output = folder.resolve("out.safetensors");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "forward",
                folder.resolve("llama").toString(),
                "--tokens",
                "3,4,5",
                "--device",
                "cpu",
                "--output",
                output.toString()));
    arguments.addAll(List.of(options));
    CommandRun.of(arguments.toArray(String[]::new)).succeeds();
    return Safetensors.read(output).floats("logits");
  }
}
