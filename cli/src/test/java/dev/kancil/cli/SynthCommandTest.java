package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.format.gguf.GgufFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class SynthCommandTest {
  @TempDir private Path folder;

  private String written(String wanted) {
    String target = folder.resolve("model.gguf").toString();
    CommandRun.of("synth", wanted, target).succeeds();
    return target;
  }

  @Test
  void whatIsWrittenRunsLikeAnyModel() {
    String file = written("tiny:Q4_K_M");
    JsonNode run =
        CommandRun.of("run", file, "--raw", "-p", "babe", "-n", "3", "--device", "cpu", "--json")
            .json();
    assertThat(run.get("output_ids").size()).isEqualTo(3);
    JsonNode bench =
        CommandRun.of("bench", file, "-p", "4", "-n", "2", "-r", "1", "--device", "cpu", "--json")
            .json();
    assertThat(bench.get("weight_bytes_per_token").asDouble())
        .isEqualTo(
            CommandRun.of(
                    "bench",
                    "synthetic:tiny:Q4_K_M",
                    "-p",
                    "4",
                    "-n",
                    "2",
                    "-r",
                    "1",
                    "--device",
                    "cpu",
                    "--json")
                .json()
                .get("weight_bytes_per_token")
                .asDouble());
  }

  @Test
  void tokensMayBeThoseOfAnotherModel() {
    String first = written("tiny:Q8_0");
    String second = folder.resolve("second.gguf").toString();
    CommandRun.of("synth", "synthetic:tiny-moe:MXFP4", second, "--vocabulary", first).succeeds();
    try (GgufFile from = GgufFile.open(Path.of(first));
        GgufFile to = GgufFile.open(Path.of(second))) {
      String key = "tokenizer.ggml.tokens";
      assertThat(to.metadata().strings(key)).isEqualTo(from.metadata().strings(key));
    }
  }

  @Test
  void whatCanNotBeWrittenIsOneLine() {
    String target = folder.resolve("model.gguf").toString();
    CommandRun.of("synth", "llama-9b:F16", target).failsWith("no shape llama-9b", "llama-8b");
    CommandRun.of("synth", "tiny", target).failsWith("SHAPE:TYPE");
    CommandRun.of("synth", "tiny:FP8", target).failsWith("GGUF has no type for weights of FP8");
    CommandRun.of("synth", "tiny:F16", folder.toString()).failsWith("is a folder");
    CommandRun.of("synth", "tiny:F16", folder + "/no/such/model.gguf")
        .failsWith("can't be written");
    CommandRun.of("synth", "tiny:F16", target, "--vocabulary", folder + "/none")
        .failsWith("there is no such file");
    assertThat(folder).isEmptyDirectory();
  }
}
