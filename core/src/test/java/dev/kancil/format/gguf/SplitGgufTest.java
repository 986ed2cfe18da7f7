package dev.kancil.format.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufValue.IntType;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SplitGgufTest {
  @TempDir Path folder;

  private static GgufValue uint16(long value) {
    return new GgufValue.Int(IntType.UINT16, value);
  }

  private static GgufWriter part(int number, int count, int tensors) {
    GgufWriter writer =
        new GgufWriter()
            .put("split.no", uint16(number))
            .put("split.count", uint16(count))
            .put("split.tensors.count", new GgufValue.Int(IntType.INT32, tensors));
    return number == 0 ? writer.put("general.architecture", "llama") : writer;
  }

  private static GgufWriter tensor(GgufWriter writer, String name) {
    return writer.tensor(
        name,
        new Tensor(
            DataType.I8, Shape.of(1), MemorySegment.ofArray(new byte[] {(byte) name.charAt(0)})));
  }

  private Path path(int number, int count) {
    return folder.resolve("model-%05d-of-%05d.gguf".formatted(number, count));
  }

  private void writeAll() {
    part(0, 3, 3).write(path(1, 3));
    tensor(tensor(part(1, 3, 3), "a"), "b").write(path(2, 3));
    tensor(part(2, 3, 3), "c").write(path(3, 3));
  }

  @Test
  void openingTheFirstPartOpensAll() throws IOException {
    writeAll();
    try (GgufFile file = GgufFile.open(path(1, 3))) {
      assertThat(file.tensors().keySet()).containsExactly("a", "b", "c");
      assertThat(file.metadata().string("general.architecture")).hasValue("llama");
      assertThat(file.fileBytes())
          .isEqualTo(Files.size(path(1, 3)) + Files.size(path(2, 3)) + Files.size(path(3, 3)));
    }
  }

  @Test
  void anyPartMayBeGiven() {
    writeAll();
    try (GgufFile file = GgufFile.open(path(3, 3))) {
      assertThat(file.tensors().keySet()).containsExactly("a", "b", "c");
      assertThat(file.metadata().string("general.architecture")).hasValue("llama");
    }
  }

  @Test
  void aMissingPartIsNamed() throws IOException {
    writeAll();
    Files.delete(path(2, 3));
    refused("model-00002-of-00003.gguf: there is no such file");
  }

  @Test
  void aPartOfAnotherModelIsNamed() {
    writeAll();
    tensor(part(1, 4, 3), "a").write(path(2, 3));
    refused("model-00002-of-00003.gguf: its header does not say part 2 of 3");
  }

  @Test
  void swappedPartsAreNamed() {
    writeAll();
    tensor(part(2, 3, 3), "c").write(path(2, 3));
    refused("model-00002-of-00003.gguf: its header does not say part 2 of 3");
  }

  @Test
  void aTensorInTwoPartsIsNamed() {
    writeAll();
    tensor(part(2, 3, 3), "a").write(path(3, 3));
    refused("model-00003-of-00003.gguf: the tensor a is in an earlier part, too");
  }

  @Test
  void aWrongNumberOfTensorsIsAnError() {
    writeAll();
    part(2, 3, 3).write(path(3, 3));
    refused("the parts hold 2 tensors, not 3");
  }

  @Test
  void aRenamedPartIsAnError() throws IOException {
    writeAll();
    Path renamed = folder.resolve("model.gguf");
    Files.copy(path(1, 3), renamed);
    assertThatThrownBy(() -> GgufFile.open(renamed))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("part of 3 files, but not named");
  }

  @Test
  void anImpossibleNumberOfPartsIsAnError() {
    Path path = folder.resolve("model-00001-of-65535.gguf");
    part(0, 65535, 0).write(path);
    assertThatThrownBy(() -> GgufFile.open(path)).isInstanceOf(FormatException.class);
  }

  private void refused(String message) {
    assertThatThrownBy(() -> GgufFile.open(path(1, 3)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }
}
