package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.Safetensors;
import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The option that divides a model, on the reference device. */
final class GpuLayersTest {
  @TempDir private Path folder;
  private String model = "";

  @BeforeEach
  void write() {
    model = TinyVocabulary.write(TinyModels.LLAMA, folder).toString();
  }

  private CommandRun run(String... more) {
    return CommandRun.of(
        Stream.concat(
                Stream.of("run", model, "--raw", "-p", "hello", "-n", "4", "--temperature", "0"),
                Arrays.stream(more))
            .toArray(String[]::new));
  }

  @Test
  void aDividedModelIsAnnounced() {
    CommandRun divided = run("--device", "reference", "--gpu-layers", "1").succeeds();
    assertThat(divided.err())
        .contains("on reference and cpu: 1 of 2 layers on scalar reference")
        .contains("the other 1 on ");
    CommandRun whole = run("--device", "reference").succeeds();
    assertThat(whole.err()).contains("on reference: scalar reference").doesNotContain(" layers ");
    assertThat(divided.out()).isEqualTo(whole.out());
    JsonNode json = run("--device", "reference", "-ngl", "1", "--json").json();
    assertThat(json.get("layers").asInt()).isEqualTo(2);
    assertThat(json.get("device_layers").asInt()).isEqualTo(1);
  }

  @Test
  void moreThanThereAreAreAllAndNoneIsTheCpu() {
    assertThat(run("--device", "reference", "--gpu-layers", "99").succeeds().err())
        .contains("on reference: scalar reference");
    assertThat(run("--device", "reference", "--gpu-layers", "0").succeeds().err())
        .contains("on cpu: ");
    assertThat(run("--device", "reference", "--gpu-layers", "auto").succeeds().err())
        .contains("on reference: scalar reference");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "abc", "1.5", "99999999999", ""})
  void whatIsNoNumberOfLayersIsWrongUsage(String text) {
    CommandRun wrong = run("--gpu-layers", text);
    assertThat(wrong.status()).isEqualTo(2);
    assertThat(wrong.out()).isEmpty();
    assertThat(wrong.err().lines().toList()).hasSize(2);
    assertThat(wrong.err().lines().findFirst().orElseThrow())
        .contains("--gpu-layers")
        .contains("auto and numbers from 0 on, but not " + text);
  }

  @Test
  void theCpuHasNoOtherDeviceToDivideWith() {
    run("--device", "cpu", "--gpu-layers", "1").failsWith("gpu layers 1", "CPU", "kancil devices");
  }

  @Test
  void whatHasAnEncoderIsNotDivided() throws IOException {
    ReferenceModel.unpack("t5", folder);
    Path t5 = folder.resolve("t5");
    String pieces =
        IntStream.range(3, 320)
            .mapToObj(id -> ", [\"\u2581w" + id + "\", -2]")
            .collect(Collectors.joining());
    Files.writeString(
        t5.resolve("tokenizer.json"),
        """
        {"model": {"type": "Unigram", "unk_id": 2,
          "vocab": [["<pad>", 0], ["</s>", 0], ["<unk>", 0]%s]}}
        """
            .formatted(pieces));
    model = t5.toString();
    String whole = run("--device", "reference").succeeds().out();
    for (String all : new String[] {"0", "auto"}) {
      assertThat(run("--device", "reference", "-ngl", all).succeeds().out()).isEqualTo(whole);
    }
    run("--device", "reference", "--gpu-layers", "1").failsWith("gpu layers", "decoder alone");
  }

  private CommandRun forward(String file, String... more) {
    return CommandRun.of(
        Stream.concat(
                Stream.of("forward", model, "--tokens", "1,2,3", "--capture", "hidden.layer.*"),
                Stream.concat(
                    Stream.of("--output", folder.resolve(file).toString()), Arrays.stream(more)))
            .toArray(String[]::new));
  }

  @Test
  void aPassIsDividedAsAnAnswerIs() {
    forward("whole", "--device", "reference").succeeds();
    for (String count : new String[] {"0", "1", "2", "auto"}) {
      CommandRun divided = forward("divided", "--device", "reference", "-ngl", count).succeeds();
      assertThat(divided.err().contains("1 of 2 layers on reference, the other 1 on cpu"))
          .isEqualTo(count.equals("1"));
      Safetensors expected = Safetensors.read(folder.resolve("whole"));
      Safetensors actual = Safetensors.read(folder.resolve("divided"));
      for (String name : new String[] {"hidden.layer.0", "hidden.layer.1", "logits"}) {
        assertThat(actual.floats(name)).containsExactly(expected.floats(name), within(1e-3f));
      }
    }
    forward("none", "--device", "cpu", "--gpu-layers", "1").failsWith("gpu layers 1", "CPU");
  }
}
