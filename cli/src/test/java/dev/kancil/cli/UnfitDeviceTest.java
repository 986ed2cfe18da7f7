package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The best device can't run a model. */
final class UnfitDeviceTest {
  private static final String TOLD =
      "kancil: runs on the CPU: unfit:0 can't run this model: " + UnfitBackend.REASON;

  @TempDir private Path folder;
  private String model = "";

  @BeforeEach
  void appear() {
    model = TinyVocabulary.write(TinyModels.LLAMA, folder).toString();
    UnfitBackend.appear(true);
  }

  @AfterEach
  void vanish() {
    UnfitBackend.appear(false);
  }

  private CommandRun run(String... more) {
    return with(Stream.of("run", model, "--raw", "-p", "hello", "-n", "4"), more);
  }

  private CommandRun forward(String... more) {
    String output = folder.resolve("out").toString();
    return with(Stream.of("forward", model, "--tokens", "1,2", "--output", output), more);
  }

  private static CommandRun with(Stream<String> first, String... more) {
    return CommandRun.of(Stream.concat(first, Arrays.stream(more)).toArray(String[]::new));
  }

  @Test
  void whoAskedForNoDeviceGetsTheCpuAndIsToldWhy() {
    CommandRun answer = run().succeeds();
    assertThat(answer.err().lines().filter(TOLD::equals)).hasSize(1);
    assertThat(answer.err()).contains("on cpu: ");
    assertThat(run("--gpu-layers", "auto").succeeds().err()).contains(TOLD);
    assertThat(run("--json").json().get("passed_over").asString()).contains(UnfitBackend.REASON);
    assertThat(forward().succeeds().err().lines().filter(TOLD::equals)).hasSize(1);
  }

  @Test
  void modelsThatDoNotGenerateFallBackToo() throws IOException {
    String encoder = EncoderCommandsTest.encoder(folder);
    ReferenceModel.unpack("vit", folder);
    String classifier = folder.resolve("vit").toString();
    String image = ImageCommandsTest.picture(folder).toString();
    for (List<String> command :
        List.of(
            List.of("embed", encoder, "w30"),
            List.of("rerank", encoder, "w30", "w31"),
            List.of("classify", classifier, image))) {
      CommandRun answer = with(command.stream()).succeeds();
      assertThat(answer.err().lines().filter(TOLD::equals)).as("%s", command).hasSize(1);
      assertThat(answer.out()).isEqualTo(with(command.stream(), "--device", "cpu").out());
      with(command.stream(), "--device", "unfit").failsWith(UnfitBackend.REASON);
    }
  }

  @Test
  void whoAskedForADeviceGetsThatOrNothing() {
    run("--device", "unfit").failsWith(UnfitBackend.REASON);
    run("--device", "unfit:0").failsWith(UnfitBackend.REASON);
    run("--gpu-layers", "1").failsWith(UnfitBackend.REASON);
    forward("--device", "unfit").failsWith(UnfitBackend.REASON);
    assertThat(run("--device", "cpu").succeeds().err()).doesNotContain("can't run this model");
  }
}
