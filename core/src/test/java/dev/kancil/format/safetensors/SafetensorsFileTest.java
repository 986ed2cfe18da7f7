package dev.kancil.format.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Random;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
  private static final String TWO =
      "{'__metadata__':{'format':'pt'},"
          + "'b':{'dtype':'BF16','shape':[2,2],'data_offsets':[8,16]},"
          + "'a':{'dtype':'I32','shape':[2],'data_offsets':[0,8]}}";

  @TempDir private Path folder;

  /** A file of a header, with ' for ", and as many bytes 1, 2, 3 … */
  private static byte[] file(String header, int bytes) {
    byte[] text = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + text.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text);
    for (int i = 1; i <= bytes; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  private static SafetensorsFile read(byte[] bytes) {
    return SafetensorsFile.inMemory(Path.of("x.safetensors"), MemorySegment.ofArray(bytes));
  }

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  @Test
  void whatWasWrittenIsReadBack() {
    SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();
    arrays.put("one", FloatArray.of(new float[][] {{1, 2, 3}, {4, 5, 6}}));
    arrays.put("two", FloatArray.of(new float[][] {{-0.5f}}));
    Path path = folder.resolve("w.safetensors");
    SafetensorsWriter.write(path, arrays);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors().keySet()).containsExactly("one", "two");
      assertThat(file.tensor("one").orElseThrow().shape()).isEqualTo(Shape.of(1, 2, 3));
      assertThat(Blocks.decode(file.tensor("one").orElseThrow())).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(Blocks.decode(file.tensor("two").orElseThrow())).containsExactly(-0.5f);
    }
  }

  @Test
  void tensorsKeepTheHeadersOrderAndTypes() {
    try (SafetensorsFile file = read(file(TWO, 16))) {
      assertThat(file.metadata()).containsEntry("format", "pt");
      assertThat(file.tensors().keySet()).containsExactly("b", "a");
      assertThat(file.tensor("b").orElseThrow().type()).isEqualTo(DataType.BF16);
      assertThat(file.tensor("a").orElseThrow().data().get(ValueLayout.JAVA_BYTE, 0))
          .isEqualTo((byte) 1);
      assertThat(file.tensor("b").orElseThrow().data().get(ValueLayout.JAVA_BYTE, 0))
          .isEqualTo((byte) 9);
    }
  }

  @Test
  void scalarsAndEmptyTensorsAreTensors() {
    String header =
        "{'s':{'dtype':'F32','shape':[],'data_offsets':[0,4]},"
            + "'e':{'dtype':'F64','shape':[3,0],'data_offsets':[4,4]}}";
    try (SafetensorsFile file = read(file(header, 4))) {
      assertThat(file.tensor("s").orElseThrow().shape().elements()).isEqualTo(1);
      assertThat(file.tensor("e").orElseThrow().shape().elements()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "[]                                                              | 0 | is no JSON object",
        "{'a':1}                                                         | 0 | is not described by",
        "{'a':{'dtype':'F32','shape':[1]}}                               | 4 | is not described by",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0]}}            | 4 | is not described by",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4.0]}}        | 4 | is not described by",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,8]}}          | 4 | lies at 0 to 8 of 4 bytes",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}}         | 4 | lies at -4 to 0",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}}          | 4 | lies at 4 to 0",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}}          | 4 | has 4 bytes, not 8",
        "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}}         | 4 | has the size -1",
        "{'a':{'dtype':'F32','shape':['1'],'data_offsets':[0,4]}}        | 4 | has the size 1",
        "{'a':{'dtype':'I8','shape':[4294967296,4294967296],'data_offsets':[0,0]}} | 0 | than can be counted",
        "{'a':{'dtype':'F64','shape':[4611686018427387904],'data_offsets':[0,0]}}  | 0 | is too large",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}          | 8 | 8 bytes follow the header",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}          | 8 | begins at byte 4",
        "{'a':{'dtype':'I8','shape':[4],'data_offsets':[0,4]},'b':{'dtype':'I8','shape':[4],'data_offsets':[2,6]}} | 6 | begins at byte 2",
        "{'__metadata__':{'a':1}}                                        | 0 | is no text",
        "{'__metadata__':[]}                                             | 0 | is no object",
        "{'a':                                                           | 0 | its header:",
      })
  void aHeaderThatContradictsItselfIsRefused(String header, int bytes, String message) {
    assertThatThrownBy(() -> read(file(header, bytes)))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("x.safetensors: ")
        .hasMessageContaining(message);
  }

  @Test
  void aTypeThatIsNotKnownIsNamed() {
    String header = "{'a':{'dtype':'F8_E8M0','shape':[1],'data_offsets':[0,1]}}";
    assertThatThrownBy(() -> read(file(header, 1)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("x.safetensors: the tensor a has the type F8_E8M0");
  }

  @Test
  void aFileThatEndsEarlyIsRefused() {
    byte[] whole = file(TWO, 16);
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> read(part)).isInstanceOf(FormatException.class);
    }
  }

  @Test
  void damagedFilesAreReadOrRefused() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = file(TWO, 16);
      for (int j = random.nextInt(4); j >= 0; j--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      SafetensorsReading.readsOrRefuses(bytes);
    }
  }

  private Path index(String map) throws IOException {
    String text = "{'metadata':{'total_size':12},'weight_map':{" + map + "}}";
    return Files.writeString(
        folder.resolve("model.safetensors.index.json"), text.replace('\'', '"'));
  }

  @Test
  void shardsOfAnIndexAreOneFile() throws IOException {
    write("m-1.safetensors", file("{'a':{'dtype':'I8','shape':[4],'data_offsets':[0,4]}}", 4));
    write("m-2.safetensors", file("{'b':{'dtype':'F32','shape':[1,1],'data_offsets':[0,4]}}", 4));
    Path index = index("'b':'m-2.safetensors','a':'m-1.safetensors'");
    try (SafetensorsFile file = SafetensorsFile.open(index)) {
      assertThat(file.tensors().keySet()).containsExactly("b", "a");
      assertThat(Blocks.decode(file.tensor("a").orElseThrow())).containsExactly(1, 2, 3, 4);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "                                              | lists no tensors",
        "'a':1                                         | is no text",
        "'a':'../m-1.safetensors'                      | is no name of a safetensors file",
        "'a':'/etc/passwd'                             | is no name of a safetensors file",
        "'a':'m-1.safetensors','c':'m-1.safetensors'   | m-1.safetensors has no tensor c",
        "'a':'m-3.safetensors'                         | there is no such file",
        "'b':'m-1.safetensors'                         | m-1.safetensors has no tensor b",
        "'x':'m-2.safetensors'                         | m-2.safetensors has the tensor y, which is not listed",
      })
  void anIndexThatItsShardsContradictIsRefused(@Nullable String map, String message)
      throws IOException {
    write("m-1.safetensors", file("{'a':{'dtype':'I8','shape':[4],'data_offsets':[0,4]}}", 4));
    write(
        "m-2.safetensors",
        file(
            "{'x':{'dtype':'I8','shape':[1],'data_offsets':[0,1]},"
                + "'y':{'dtype':'I8','shape':[1],'data_offsets':[1,2]}}",
            2));
    Path index = index(map == null ? "" : map);
    assertThatThrownBy(() -> SafetensorsFile.open(index))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(message);
  }
}
