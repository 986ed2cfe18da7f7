package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Launches overlap on newer devices, so that a kernel that does not wait for the ones before it
 * would read what is yet to be written.
 */
class KernelsBeginTest {
  private static final Pattern KERNEL =
      Pattern.compile(
          "(?m)^(?:kernel|extern \"C\" __global__)\\s[^{;]*?\\bvoid\\s+"
              + "(?:__launch_bounds__\\([^)]*\\)\\s*)?(\\w+)\\s*\\([^{;]*\\)\\s*\\{");

  /** Runs while a model is loaded, in no chain of launches. */
  private static final List<String> ALONE = List.of("repack");

  @Test
  void everyKernelWaitsForTheLaunchesBeforeIt() throws IOException {
    List<String> found = new ArrayList<>();
    List<String> careless = new ArrayList<>();
    Path kernels = TestData.path("").toAbsolutePath().resolveSibling("kernels");
    for (String folder : List.of("common", "cuda")) {
      try (Stream<Path> files = Files.list(kernels.resolve(folder))) {
        for (Path file : files.toList()) {
          String text = Files.readString(file);
          Matcher kernel = KERNEL.matcher(text);
          while (kernel.find()) {
            String name = kernel.group(1);
            int end = text.indexOf("\n}\n", kernel.end());
            String body = text.substring(kernel.end(), end);
            found.add(name);
            boolean waits =
                body.stripLeading().startsWith("BEGIN_LAUNCH();")
                    || body.contains("start_next_launch();")
                        && body.contains("await_last_launch();");
            if (!waits && !ALONE.contains(name)) {
              careless.add(file.getFileName() + ": " + name);
            }
          }
        }
      }
    }
    assertThat(found)
        .contains(
            "mat_vec",
            "mat_mul",
            "moe_slots",
            "rms_norm",
            "moe_route",
            "sample",
            "attention_plain");
    assertThat(careless).isEmpty();
  }
}
