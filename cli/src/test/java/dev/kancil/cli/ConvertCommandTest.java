package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConvertCommandTest {
  @TempDir private Path folder;

  private Path file() {
    Path file = folder.resolve("in.gguf");
    new GgufWriter()
        .put("general.architecture", "llama")
        .tensor(
            "token_embd.weight",
            new Tensor(DataType.F32, Shape.of(2, 64), MemorySegment.ofArray(new byte[2 * 64 * 4])))
        .write(file);
    return file;
  }

  @Test
  void fileIsWrittenInTheTypeThatIsAskedFor() {
    Path target = folder.resolve("out.gguf");
    CommandRun run =
        CommandRun.of("convert", file().toString(), target.toString(), "--type", "q8_0");
    assertThat(run.succeeds().out()).isEqualToIgnoringNewLines(target.toString());
    try (GgufFile written = GgufFile.open(target)) {
      assertThat(written.tensor("token_embd.weight").orElseThrow().type()).isEqualTo(DataType.Q8_0);
    }
  }

  @Test
  void whatCanNotBeDoneIsOneLine() {
    String file = file().toString();
    String target = folder.resolve("out.gguf").toString();
    CommandRun.of("convert", file, target, "--type", "Q4_K")
        .failsWith("can't be converted to Q4_K");
    CommandRun.of("convert", file, folder.toString()).failsWith("is a folder");
    CommandRun.of("convert", file, folder + "/no/such/out.gguf").failsWith("can't be written");
    CommandRun.of("convert", folder + "/none", target).failsWith("there is no such file");
  }
}
