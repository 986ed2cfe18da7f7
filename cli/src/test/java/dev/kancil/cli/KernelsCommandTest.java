package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Backends;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class KernelsCommandTest {
  private static final String MODEL = "synthetic:tiny:Q8_0";

  @TempDir private Path folder;

  private String target() {
    return folder.resolve("kernels.jar").toString();
  }

  /** Empty, or why kernels can't be compiled here. */
  private static String missing() {
    try {
      for (Backend backend : Backends.all()) {
        backend.kernelCompiler(List.of());
      }
      return "";
    } catch (DeviceException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void aModelsKernelsAreWrittenOnce() throws Exception {
    String missing = missing();
    if (!missing.isEmpty()) {
      assertThat(missing).startsWith("there is no NVRTC");
      CommandRun.of("kernels", MODEL, "-o", target()).failsWith(missing);
      return;
    }
    JsonNode result =
        CommandRun.of("kernels", MODEL, MODEL, "-o", target(), "--for", "80,75", "--json").json();
    int kernels = result.get("kernels").asInt();
    assertThat(kernels).isGreaterThan(20);
    assertThat(result.get("kinds").get(0).asString())
        .isEqualTo("compute_75 with 64 KiB of shared memory");
    assertThat(result.get("kinds").size()).isEqualTo(4);
    assertThat(result.get("models").get(0).get("further_kernels").asInt()).isPositive();
    assertThat(result.get("models").get(1).get("further_kernels").asInt()).isZero();
    assertThat(result.get("models").get(0).get("not_for").size()).isZero();
    try (ZipFile zip = new ZipFile(target())) {
      assertThat(zip.stream().filter(entry -> entry.getName().endsWith(".ptx"))).hasSize(kernels);
    }
  }

  @Test
  void whatIsNotKnownIsOneLine() {
    CommandRun.of("kernels", MODEL, "-o", target(), "--for", "80,91")
        .failsWith("for 75, 80, 90a, but not for 91");
    CommandRun.of("kernels", "-o", target()).failsWith("name a MODEL");
    CommandRun.of("kernels", MODEL, "-o", folder.toString()).failsWith("is a folder");
    CommandRun.of("kernels", MODEL, "-o", folder.resolve("none/k.jar").toString())
        .failsWith("there is no such folder");
    assertThat(CommandRun.of("kernels", MODEL).status()).isEqualTo(2);
  }
}
