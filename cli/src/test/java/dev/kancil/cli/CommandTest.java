package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.kancil.testing.RealModels;
import dev.kancil.testing.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The commands on a real model. */
final class CommandTest {
  @TempDir private Path folder;

  private static String smollm2() {
    return RealModels.SMOLLM2.path().toString();
  }

  @Test
  void runStreamsTheSameTextThatJsonReports() {
    // A text whose continuation is no near-tie.
    String[] common = {
      "run", smollm2(), "--raw", "-p", "1 2 3 4 5 6 7", "-n", "6", "--temperature", "0"
    };
    JsonNode json = CommandRun.of(with(common, "--json")).json();
    CommandRun plain = CommandRun.of(common).succeeds();
    assertThat(plain.out()).isEqualTo(json.get("text").asString() + "\n");
    assertThat(json.get("output_ids").size()).isBetween(1, 6);
    assertThat(json.get("prompt_ids").size()).isGreaterThan(10);
    assertThat(json.get("device").asString()).isEqualTo("cpu");
    assertThat(json.get("finish_reason").asString()).isIn("length", "end_of_turn");
    assertThat(json.get("timings").get("time_to_first_token_seconds").asDouble()).isPositive();
    assertThat(plain.err()).contains("on cpu: ").containsPattern("native, |Vector API, ");
  }

  @Test
  void seedMakesSamplingRepeatable() {
    // On the reference device, whose logits are the same to the last bit each time.
    String[] command = {
      "run",
      smollm2(),
      "--device",
      "reference",
      "--raw",
      "-p",
      "Once",
      "-n",
      "6",
      "--temperature",
      "1.5",
      "--seed",
      "7"
    };
    String first = CommandRun.of(command).succeeds().out();
    assertThat(CommandRun.of(command).succeeds().out()).isEqualTo(first);
    command[command.length - 1] = "8";
    assertThat(CommandRun.of(command).succeeds().out()).isNotEqualTo(first);
  }

  @Test
  void stopStringEndsTheText() {
    JsonNode json =
        CommandRun.of(
                "run",
                smollm2(),
                "--raw",
                "-p",
                "1 2 3 4 5 6 7",
                "-n",
                "30",
                "--temperature",
                "0",
                "--stop",
                "9",
                "--json")
            .json();
    assertThat(json.get("text").asString()).contains("8").doesNotContain("9");
    assertThat(json.get("finish_reason").asString()).isEqualTo("stop_string");
  }

  @Test
  void chatRemembersUntilReset() {
    CommandRun run =
        CommandRun.withInput(
            "My name is Ada.\nWhat is my name?\n/reset\n/exit\nnever read\n",
            "chat",
            smollm2(),
            "-n",
            "24",
            "--temperature",
            "0");
    assertThat(run.succeeds().out().lines().toList().toString()).contains("Ada");
  }

  @Test
  void benchReportsMediansAndEachRepetition() {
    JsonNode json =
        CommandRun.of("bench", smollm2(), "-p", "8", "-n", "3", "-r", "3", "-b", "2", "--json")
            .json();
    assertThat(json.get("prefill_tokens_per_second").asDouble()).isPositive();
    assertThat(json.get("decode_tokens_per_second").asDouble()).isPositive();
    assertThat(json.get("threads").asInt()).isPositive();
    assertThat(json.get("repetitions").size()).isEqualTo(3);
  }

  @Test
  void benchMeasuresAModelWithoutAFile() {
    String[] command = {
      "bench",
      "synthetic:tiny:Q4_K_M",
      "-p",
      "8",
      "-n",
      "3",
      "-r",
      "1",
      "-b",
      "2",
      "--device",
      "cpu"
    };
    JsonNode json = CommandRun.of(with(command, "--json")).json();
    assertThat(json.get("model").asString()).isEqualTo("synthetic:tiny:Q4_K_M");
    double bytes = json.get("weight_bytes_per_token").asDouble();
    assertThat(bytes).isBetween(1e6, 2.2e6);
    // Both sequences of a step share what it reads.
    assertThat(json.get("decode_weight_bytes_per_second").asDouble())
        .isCloseTo(
            json.get("decode_tokens_per_second").asDouble() * bytes / 2, withinPercentage(0.1));
    assertThat(CommandRun.of(command).succeeds().out()).contains("weights", "GB/s", "FLOP/s");
  }

  @Test
  void showDescribesTheModel() {
    JsonNode json = CommandRun.of("show", smollm2(), "--json").json();
    assertThat(json.get("architecture").asString()).isEqualTo("llama");
    assertThat(json.get("types").get("Q4_1").asInt()).isPositive();
    assertThat(json.get("tokenizer").get("pre").asString()).isEqualTo("smollm");
    assertThat(json.get("runs").asBoolean()).isTrue();
    assertThat(json.get("memory").get("cache_bytes").asLong()).isPositive();
    assertThat(CommandRun.of("show", smollm2()).succeeds().out()).contains("llama");
  }

  @Test
  void tokenizeShowsIdsAndPieces() {
    JsonNode json = CommandRun.of("tokenize", smollm2(), "Hello world", "--json").json();
    assertThat(json.get("pieces").toString()).isEqualTo("[\"Hello\",\"Ġworld\"]");
    assertThat(CommandRun.of("tokenize", smollm2(), "<|im_end|>").succeeds().out())
        .isEqualTo("2\n");
    assertThat(CommandRun.of("tokenize", smollm2(), "<|im_end|>", "--no-special").succeeds().out())
        .contains(" ");
  }

  @Test
  void templatePrintsTheRenderingAndNothingElse() throws IOException {
    String conversation =
        """
        {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
         "add_generation_prompt": true}
        """;
    String expected =
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n";
    assertThat(
            CommandRun.withInput(conversation, "template", smollm2(), "--conversation", "-")
                .succeeds()
                .out())
        .isEqualTo(expected);
    Path template = folder.resolve("own.jinja");
    Files.writeString(template, "{{ strftime_now('%Y') }} {{ messages[0].content }}");
    Path file = folder.resolve("conversation.json");
    Files.writeString(
        file,
        "{\"now\": \"2031-05-06T07:08:09\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}");
    assertThat(
            CommandRun.of("template", template.toString(), "--conversation", file.toString())
                .succeeds()
                .out())
        .isEqualTo("2031 x");
  }

  @Test
  void forwardWritesLogitsAndCaptures() {
    Path output = folder.resolve("out.safetensors");
    CommandRun.of(
            "forward",
            smollm2(),
            "--tokens",
            "1,2,3",
            "--capture",
            "hidden.layer.*",
            "--output",
            output.toString())
        .succeeds();
    Safetensors arrays = Safetensors.read(output);
    assertThat(arrays.floats("logits")).hasSize(3 * 49152);
    assertThat(arrays.floats("hidden.layer.29")).hasSize(3 * 576);
  }

  @Test
  void devicesAndListAnswerInBothForms() {
    assertThat(CommandRun.of("devices").succeeds().out()).contains("cpu").contains("reference");
    assertThat(CommandRun.of("devices", "--json").json().get("devices").size()).isGreaterThan(1);
    CommandRun list = CommandRun.withCache(folder, "list");
    assertThat(list.succeeds().out()).contains("smollm2").contains("gemma3-270m");
    assertThat(CommandRun.withCache(folder, "list", "--json").json().get("models").size())
        .isEqualTo(2);
  }

  @Test
  void wrongUsageIsStatusTwoAndSaysWhereHelpIs() {
    for (List<String> arguments :
        List.of(
            List.of("run"),
            List.of("run", "x"),
            List.of("run", "x", "-p", "a", "-f", "b"),
            List.of("tokenize", "x"),
            List.of("bench", "x", "-n", "many"),
            List.of("run", "x", "-p", "a", "--cache-type-k", "q9"),
            List.of("walk"))) {
      CommandRun run = CommandRun.of(arguments.toArray(String[]::new));
      assertThat(run.status()).as(run.err()).isEqualTo(2);
      assertThat(run.err()).contains("--help");
    }
  }

  @Test
  void aCacheTypeThatThereIsNotIsToldWithThoseThatThereAre() {
    CommandRun run = CommandRun.of("run", "x", "-p", "a", "--cache-type-v", "fp8");
    assertThat(run.err()).contains("there are f32, f16, bf16, f8_e4m3 and q8_0, but not fp8");
  }

  private static String[] with(String[] arguments, String more) {
    String[] all = java.util.Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = more;
    return all;
  }
}
