package dev.kancil.bindings.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/** A library in place of NVIDIA's management library, compiled from {@code nvml.c}. */
public final class StandInNvml {
  /** Where its first device is. */
  public static final String FIRST = "0000:1b:00.0";

  /** Where its second one is. */
  public static final String SECOND = "0000:3d:00.0";

  private StandInNvml() {}

  /**
   * Compiles one into a folder; without a compiler the test is skipped, and says so, and fails in
   * CI.
   *
   * @param variants names that {@code nvml.c} knows
   */
  public static Path compile(Path folder, String... variants) {
    Path source = folder.resolve("nvml.c");
    Path library = folder.resolve("libnvidia-ml" + String.join("", variants) + ".so");
    List<String> command =
        new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o"));
    command.addAll(List.of(library.toString(), source.toString()));
    for (String variant : variants) {
      command.add("-D" + variant);
    }
    try (InputStream text = StandInNvml.class.getResourceAsStream("nvml.c")) {
      Files.write(source, Objects.requireNonNull(text).readAllBytes());
      Process compiler = start(command);
      String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (compiler.waitFor() != 0) {
        throw new IllegalStateException("cc: " + said);
      }
      return library;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static Process start(List<String> command) {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      String message = "SKIPPED: no C compiler cc, which tests of NVML need";
      System.err.println(message);
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message, e);
      }
      Assumptions.abort(message);
      throw new IllegalStateException(e);
    }
  }
}
