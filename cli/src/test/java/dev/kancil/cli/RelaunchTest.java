package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands in a JVM of their own that was started without the Vector API's module. */
class RelaunchTest {
  @TempDir Path folder;

  private record Result(int status, String text) {}

  private static Result run(String input, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Kancil.class.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), text);
  }

  @Test
  void weightsThatNeedTheModuleRunWithIt() throws Exception {
    Path model = folder.resolve("q8-k.gguf");
    RehearseCommand.write(model, DataType.Q8_K);
    String[] command = {"run", model.toString(), "--device", "cpu", "-f", "-", "-n", "3", "--json"};
    Result result = run("Hello", command);
    assertThat(result.status()).as(result.text()).isZero();
    // It has read the prompt, which came once, and answered.
    assertThat(result.text())
        .contains("incubator")
        .containsPattern("\"prompt_ids\" : \\[ \\d+, \\d+, ");
  }

  @Test
  void weightsThatDoNotRunInThisOne() throws Exception {
    Path model = folder.resolve("q4.gguf");
    RehearseCommand.write(model, DataType.Q4_1);
    Result result = run("", "run", model.toString(), "--device", "cpu", "-p", "Hello", "-n", "3");
    assertThat(result.status()).as(result.text()).isZero();
    assertThat(result.text()).contains("native, ").doesNotContain("incubator");
  }
}
