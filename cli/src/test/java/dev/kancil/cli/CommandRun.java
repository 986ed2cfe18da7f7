package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A command that was run in this process, and what came of it. */
record CommandRun(int status, String out, String err) {
  static CommandRun of(String... arguments) {
    return withInput("", arguments);
  }

  static CommandRun withInput(String input, String... arguments) {
    return run(Map.of(), input, arguments);
  }

  /** With a cache folder of its own. */
  static CommandRun withCache(Path cache, String... arguments) {
    return run(Map.of("KANCIL_CACHE", cache.toString()), "", arguments);
  }

  private static CommandRun run(
      Map<String, String> environment, String input, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Console console =
        new Console(
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            environment::get);
    int status = Kancil.run(console, arguments);
    return new CommandRun(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  CommandRun succeeds() {
    assertThat(status).as(err).isZero();
    return this;
  }

  /** Fails with one line that has all of these texts. */
  void failsWith(String... texts) {
    assertThat(status).as(err).isEqualTo(1);
    assertThat(out).isEmpty();
    List<String> lines = err.lines().filter(line -> !line.contains(" of weights, ")).toList();
    assertThat(lines).as(err).hasSize(1);
    assertThat(lines.getFirst()).startsWith("kancil: ").contains(texts);
  }

  JsonNode json() {
    return JsonMapper.shared().readTree(succeeds().out);
  }
}
