package dev.kancil.format.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.format.gguf.GgufValue.IntType;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufRoundTripTest {
  /** What GGUF has no number for. */
  private static final List<DataType> UNKNOWN =
      List.of(DataType.F8_E4M3, DataType.F8_E5M2, DataType.SCALED_F8);

  @TempDir Path folder;

  private static Tensor random(DataType type, long... dimensions) {
    Shape shape = Shape.of(dimensions);
    byte[] bytes = new byte[(int) (type.byteSize(shape.columns()) * shape.rows())];
    new Random(type.blockBytes()).nextBytes(bytes);
    return new Tensor(type, shape, MemorySegment.ofArray(bytes));
  }

  private static Map<String, GgufValue> everyKindOfValue() {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (IntType type : IntType.values()) {
      boolean unsigned = type.name().startsWith("U");
      int bits = 8 * type.bytes();
      long most = unsigned && bits < 64 ? (1L << bits) - 1 : Long.MAX_VALUE >> (64 - bits);
      values.put("least." + type, new GgufValue.Int(type, unsigned ? 0 : -1 - most));
      values.put("most." + type, new GgufValue.Int(type, unsigned && bits == 64 ? -1 : most));
      values.put("seven." + type, new GgufValue.Int(type, 7));
    }
    values.put("float32", new GgufValue.Float32(-0.0f));
    values.put("float64", new GgufValue.Float64(Math.PI));
    values.put("true", new GgufValue.Bool(true));
    values.put("false", new GgufValue.Bool(false));
    values.put("text", new GgufValue.Text("kancil 🦌 ñ\0\n"));
    values.put("empty text", new GgufValue.Text(""));
    values.put("texts", new GgufValue.Texts(List.of("a", "", "ü")));
    values.put("no texts", new GgufValue.Texts(List.of()));
    return values;
  }

  private static Map<String, GgufValue> everyKindOfArray() {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (IntType type : IntType.values()) {
      String name = type.name().toLowerCase(java.util.Locale.ROOT);
      values.put("array." + name, new GgufValue.Ints(name, new long[] {0, 1, 127}));
    }
    values.put("array.bool", new GgufValue.Ints("bool", new long[] {1, 0, 1}));
    values.put("array.signed", new GgufValue.Ints("int16", new long[] {-1, -32768}));
    values.put("array.float32", new GgufValue.Floats(new float[] {1.5f, Float.NEGATIVE_INFINITY}));
    values.put("array.float64", new GgufValue.Doubles(new double[] {Double.MIN_VALUE}));
    values.put(
        "array.array",
        new GgufValue.Nested(
            List.of(
                new GgufValue.Ints("int32", new long[] {4}),
                new GgufValue.Nested(List.of(new GgufValue.Texts(List.of("deep")))))));
    return values;
  }

  @ParameterizedTest
  @CsvSource({"2,32", "3,32", "2,1", "3,64", "3,4096"})
  void whatIsWrittenIsRead(int version, int alignment) {
    GgufWriter writer = new GgufWriter().version(version).alignment(alignment);
    everyKindOfValue().forEach(writer::put);
    everyKindOfArray().forEach(writer::put);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (DataType type : DataType.values()) {
      if (UNKNOWN.contains(type)) {
        continue; // GGUF has no such type.
      }
      tensors.put(type.name(), random(type, 3, 2L * type.blockElements()));
      tensors.put(type.name() + " vector", random(type, type.blockElements()));
    }
    tensors.put("four dimensions", random(DataType.F16, 2, 1, 3, 5));
    tensors.put("scalar", random(DataType.F64));
    tensors.forEach(writer::tensor);
    Path path = folder.resolve("all.gguf");
    writer.write(path);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.version()).isEqualTo(version);
      assertThat(file.alignment()).isEqualTo(alignment);
      everyKindOfValue()
          .forEach((key, value) -> assertThat(file.metadata().value(key)).hasValue(value));
      everyKindOfArray()
          .forEach(
              (key, value) ->
                  assertThat(file.metadata().value(key).orElseThrow())
                      .usingRecursiveComparison()
                      .isEqualTo(value));
      assertThat(file.tensors().keySet()).containsExactlyElementsOf(tensors.keySet());
      tensors.forEach(
          (name, tensor) -> {
            Tensor read = file.tensor(name).orElseThrow();
            assertThat(read.type()).isEqualTo(tensor.type());
            assertThat(read.shape()).isEqualTo(tensor.shape());
            assertThat(read.data().mismatch(tensor.data())).isEqualTo(-1);
            assertThat(read.data().address() % alignment).isZero();
          });
    }
  }

  @Test
  void aFileWithoutAnythingIsWrittenAndRead() {
    Path path = folder.resolve("empty.gguf");
    new GgufWriter().write(path);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.tensors()).isEmpty();
      assertThat(file.metadata().keys()).isEmpty();
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
    Path path = folder.resolve("model.gguf");
    Files.writeString(path, "old");
    GgufWriter writer =
        new GgufWriter()
            .tensor(
                "x",
                DataType.F32,
                Shape.of(4),
                () -> {
                  throw new IOException("the source is gone");
                });
    assertThatThrownBy(() -> writer.write(path))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("model.gguf: can't be written")
        .hasMessageContaining("the source is gone");
    assertThat(path).hasContent("old");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(path);
    }
  }

  @Test
  void aMissingFolderIsOneClearError() {
    assertThatThrownBy(() -> new GgufWriter().write(folder.resolve("no/such/model.gguf")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("model.gguf: can't be written");
  }

  @Test
  void tensorsAreFetchedOneAfterTheOther() {
    Path path = folder.resolve("streamed.gguf");
    byte[] reused = new byte[4];
    GgufWriter writer = new GgufWriter();
    for (int i = 0; i < 3; i++) {
      int value = i;
      writer.tensor(
          "x" + i,
          DataType.I32,
          Shape.of(1),
          () -> {
            MemorySegment bytes = MemorySegment.ofArray(reused);
            bytes.set(ValueLayout.JAVA_INT_UNALIGNED, 0, value);
            return bytes;
          });
    }
    writer.write(path);
    try (GgufFile file = GgufFile.open(path)) {
      for (int i = 0; i < 3; i++) {
        MemorySegment data = file.tensor("x" + i).orElseThrow().data();
        assertThat(data.get(ValueLayout.JAVA_INT, 0)).isEqualTo(i);
      }
    }
  }

  @Test
  void impossibleContentIsRefusedWhenItIsAdded() {
    GgufWriter writer = new GgufWriter().put("a", 1).tensor("x", random(DataType.F32, 1));
    assertThatThrownBy(() -> writer.put("a", 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.put("", 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.put("b", -1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.put("general.alignment", 3))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.alignment(48)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.version(1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.tensor("x", random(DataType.F32, 1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.tensor("y", random(DataType.F32, 0)))
        .isInstanceOf(IllegalArgumentException.class);
    GgufWriter tooLarge = new GgufWriter().put("c", new GgufValue.Ints("uint8", new long[] {256}));
    assertThatThrownBy(() -> tooLarge.write(folder.resolve("c.gguf")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void othersMayReadAFileAsMuchAsAnyThatIsMadeThere() throws IOException {
    Path usual = Files.createFile(folder.resolve("usual"));
    Path path = folder.resolve("model.gguf");
    new GgufWriter().write(path);
    assertThat(Files.getPosixFilePermissions(path)).isEqualTo(Files.getPosixFilePermissions(usual));
  }

  @Test
  void whatTheDiskHasNoRoomForIsNotBegun() throws IOException {
    GgufWriter writer =
        new GgufWriter()
            .tensor(
                "large",
                DataType.F32,
                Shape.of(1L << 50),
                () -> {
                  throw new AssertionError("asked for its data");
                });
    assertThatThrownBy(() -> writer.write(folder.resolve("model.gguf")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("MB free");
    assertThat(folder).isEmptyDirectory();
  }
}
