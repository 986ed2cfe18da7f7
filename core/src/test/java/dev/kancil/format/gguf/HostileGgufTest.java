package dev.kancil.format.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.KancilException;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostileGgufTest {
  // What one small file may make the reader allocate; a believed count would take gigabytes.
  private static final long MOST_ALLOCATED = 16 << 20;

  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void choosePath() {
    path = folder.resolve("hostile.gguf");
  }

  /** Bytes as a GGUF header has them. */
  private static final class Raw {
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

    static Raw header(long tensors, long values) {
      return new Raw().text("GGUF").int32(3).int64(tensors).int64(values);
    }

    Raw text(String text) {
      buffer.put(text.getBytes(StandardCharsets.UTF_8));
      return this;
    }

    Raw string(String text) {
      return int64(text.length()).text(text);
    }

    Raw int8(int value) {
      buffer.put((byte) value);
      return this;
    }

    Raw int32(int value) {
      buffer.putInt(value);
      return this;
    }

    Raw int64(long value) {
      buffer.putLong(value);
      return this;
    }

    /** A tensor, dimensions in the file's order. */
    Raw tensor(String name, int type, long offset, long... dimensions) {
      string(name).int32(dimensions.length);
      for (long dimension : dimensions) {
        int64(dimension);
      }
      return int32(type).int64(offset);
    }

    Raw padding(int bytes) {
      buffer.put(new byte[bytes]);
      return this;
    }

    byte[] bytes() {
      return Arrays.copyOf(buffer.array(), buffer.position());
    }
  }

  private void refused(Raw raw, String message) throws IOException {
    Files.write(path, raw.bytes());
    refused(message);
  }

  private void refused(String message) {
    long before = allocated();
    assertThatThrownBy(() -> GgufFile.open(path))
        .isInstanceOf(KancilException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
    assertThat(allocated() - before).isLessThan(MOST_ALLOCATED);
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean)
            java.lang.management.ManagementFactory.getThreadMXBean())
        .getCurrentThreadAllocatedBytes();
  }

  @Test
  void whatIsNoGgufFileIsRefused() throws IOException {
    refused("no such file");
    Files.write(path, new byte[0]);
    refused("not a GGUF file");
    refused(new Raw().text("GGUF"), "not a GGUF file");
    refused(new Raw().text("PK").padding(100), "not a GGUF file");
    refused(new Raw().text("GGUF").int32(1).int64(0).int64(0), "version 1 can not be read");
    refused(new Raw().text("GGUF").int32(-1).int64(0).int64(0), "can not be read");
    refused(new Raw().text("GGUF").int32(3 << 24).int64(0).int64(0), "big-endian");
  }

  @Test
  void aFolderIsRefused() throws IOException {
    Files.createDirectory(path);
    refused("this is a folder");
  }

  @Test
  void aPipeIsRefusedWithoutWaitingForAWriter() throws Exception {
    Process made = new ProcessBuilder("mkfifo", path.toString()).start();
    Assumptions.assumeTrue(made.waitFor() == 0, "SKIPPED: no mkfifo here");
    refused("not a regular file");
  }

  @Test
  void anUnreadableFileIsRefused() throws IOException {
    new GgufWriter().write(path);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("---------"));
    Assumptions.assumeFalse(Files.isReadable(path), "SKIPPED: the superuser can read everything");
    refused("no permission to read it");
  }

  @Test
  void hugeCountsAreRefusedBeforeAnythingIsAllocated() throws IOException {
    for (long count : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 31, 1 << 30, 1000}) {
      refused(Raw.header(count, 0), "an impossible tensor count");
      refused(Raw.header(0, count), "an impossible metadata count");
      refused(Raw.header(0, 1).int64(count).text("key").padding(9), "impossible length");
      for (int type = 0; type <= 12; type++) {
        refused(Raw.header(0, 1).string("key").int32(9).int32(type).int64(count), "length of key");
      }
    }
  }

  @Test
  void aSparseFileDoesNotMakeACountCredible() throws IOException {
    for (int type : new int[] {0, 5, 6, 8, 9, 11, 12}) {
      byte[] head = Raw.header(0, 1).string("key").int32(9).int32(type).int64(1 << 28).bytes();
      try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
        file.write(head);
        file.setLength(1L << 34);
      }
      refused("the header is too large: length of key");
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(0);
      file.write(Raw.header(1 << 30, 1 << 30).bytes());
      file.setLength(1L << 37);
    }
    refused("the header is too large");
  }

  @Test
  void unknownTypesAreRefused() throws IOException {
    refused(Raw.header(0, 1).string("key").int32(13).padding(64), "key has the unknown type 13");
    refused(Raw.header(0, 1).string("key").int32(-1).padding(64), "unknown type");
    refused(Raw.header(0, 1).string("key").int32(9).int32(13).padding(64), "unknown type 13");
    refused(Raw.header(0, 1).string("key").int32(7).int8(2).padding(64), "truth value 2");
    for (int type : new int[] {4, 5, 9, 31, 36, 41, 1000, -1}) {
      refused(
          Raw.header(1, 0).tensor("x", type, 0, 1).padding(64), "the tensor x is of the unknown");
    }
  }

  @Test
  void deeplyNestedArraysAreRefused() throws IOException {
    Raw raw = Raw.header(0, 1).string("key").int32(9);
    for (int i = 0; i < 1000; i++) {
      raw.int32(9).int64(1);
    }
    refused(raw.padding(64), "key nests arrays too deeply");
  }

  @Test
  void impossibleAlignmentsAreRefused() throws IOException {
    for (int alignment : new int[] {0, 3, 48, 1 << 21, 1 << 31, -1}) {
      refused(
          Raw.header(0, 1).string("general.alignment").int32(4).int32(alignment),
          "impossible alignment");
    }
    refused(
        Raw.header(0, 1).string("general.alignment").int32(8).string("32"),
        "general.alignment is of type string");
  }

  @Test
  void duplicatesAreRefused() throws IOException {
    refused(
        Raw.header(0, 2).string("key").int32(0).int8(1).string("key").int32(0).int8(1).padding(9),
        "the metadata key key is there twice");
    refused(
        Raw.header(2, 0).tensor("x", 24, 0, 1).tensor("x", 24, 32, 1).padding(99),
        "the tensor x is there twice");
  }

  @Test
  void impossibleShapesAreRefused() throws IOException {
    refused(Raw.header(1, 0).tensor("x", 0, 0, 0).padding(99), "x has an impossible size");
    refused(Raw.header(1, 0).tensor("x", 0, 0, -1).padding(99), "x has an impossible size");
    refused(Raw.header(1, 0).tensor("x", 0, 0, 1L << 32, 1L << 32).padding(99), "impossible size");
    refused(Raw.header(1, 0).tensor("x", 0, 0, 1L << 62, 4).padding(99), "impossible size");
    refused(Raw.header(1, 0).tensor("x", 0, 0, 1L << 62).padding(99), "outside the file");
    refused(Raw.header(1, 0).tensor("x", 0, 0, 1L << 61, 2).padding(99), "outside the file");
    refused(Raw.header(1, 0).tensor("x", 0, 0, new long[9]).padding(99), "x has 9 dimensions");
    refused(Raw.header(1, 0).string("x").int32(-1).padding(99), "x has 4294967295 dimensions");
    refused(Raw.header(1, 0).tensor("x", 2, 0, 31).padding(99), "no whole Q4_0 blocks");
    refused(Raw.header(1, 0).tensor("x", 12, 0, 32, 8).padding(999), "no whole Q4_K blocks");
  }

  @Test
  void impossibleOffsetsAreRefused() throws IOException {
    for (long offset : new long[] {-32, Long.MIN_VALUE, 1, 31, 33}) {
      refused(
          Raw.header(1, 0).tensor("x", 24, offset, 1).padding(99), "x has the impossible offset");
    }
    for (long offset : new long[] {1 << 20, 1L << 40, Long.MAX_VALUE - 31}) {
      refused(Raw.header(1, 0).tensor("x", 24, offset, 1).padding(99), "x lies outside the file");
    }
  }

  @Test
  void theLastByteOfATensorMustBeThere() throws IOException {
    byte[] bytes = small();
    Files.write(path, bytes);
    GgufFile.open(path).close();
    // The writer pads the end; without padding it opens, without the last byte of data it doesn't.
    int data = bytes.length - 32;
    Files.write(path, Arrays.copyOf(bytes, data + 18));
    GgufFile.open(path).close();
    Files.write(path, Arrays.copyOf(bytes, data + 17));
    refused("the tensor w lies outside the file; is the file complete?");
  }

  @Test
  void aFileTruncatedAnywhereIsRefused() throws IOException {
    byte[] bytes = small();
    for (int length = 0; length < bytes.length - 32 + 18; length++) {
      Files.write(path, Arrays.copyOf(bytes, length));
      refused("");
    }
  }

  @Test
  void anyFlippedBitIsReadOrRefused() throws IOException {
    byte[] bytes = small();
    for (int bit = 0; bit < 8 * bytes.length; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      GgufReading.readsOrRefuses(flipped);
      if (bit % 16 == 0) {
        mapped(flipped);
      }
    }
  }

  @Test
  void anyMutationIsReadOrRefused() throws IOException {
    // In memory, and so fast: some hundred thousand files in the time that is allowed.
    SplittableRandom random = new SplittableRandom(2026);
    List<byte[]> seeds = List.of(small(), rich());
    long end = System.nanoTime() + 5_000_000_000L;
    int tries = 0;
    int read = 0;
    while (System.nanoTime() < end) {
      byte[] mutated = mutate(random, seeds.get(tries++ % seeds.size()));
      read += GgufReading.readsOrRefuses(mutated) ? 1 : 0;
    }
    assertThat(tries).isGreaterThan(1000);
    assertThat(read).as("some mutations are harmless").isBetween(1, tries - 1);
  }

  private static byte[] mutate(SplittableRandom random, byte[] seed) {
    byte[] bytes = seed.clone();
    for (int i = random.nextInt(1, 5); i > 0; i--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt();
        case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
        case 3 -> {
          int length = Math.min(random.nextInt(1, 17), bytes.length - at);
          int from = random.nextInt(bytes.length - length + 1);
          System.arraycopy(bytes, from, bytes, at, length);
        }
        case 4 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) -1);
        default -> {
          long[] numbers = {0, 1, -1, 31, 32, 1L << 31, 1L << 32, 1L << 62, Long.MAX_VALUE};
          ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          number.putLong(numbers[random.nextInt(numbers.length)]);
          System.arraycopy(number.array(), 0, bytes, at, Math.min(8, bytes.length - at));
        }
      }
    }
    return bytes;
  }

  private void mapped(byte[] bytes) throws IOException {
    Files.write(path, bytes);
    try (GgufFile file = GgufFile.open(path)) {
      file.tensors().values().forEach(GgufReading::touch);
    } catch (KancilException e) {
      assertThat(e).hasMessageContaining(path.toString());
    }
  }

  private byte[] small() throws IOException {
    return written(
        writer ->
            writer
                .put("general.architecture", "llama")
                .put("llama.block_count", 1)
                .put("tokens", new GgufValue.Texts(List.of("a", "b")))
                .tensor("w", zeros(DataType.Q4_0, 32)));
  }

  private byte[] rich() throws IOException {
    return written(
        writer ->
            writer
                .alignment(64)
                .put("floats", new GgufValue.Floats(new float[3]))
                .put("doubles", new GgufValue.Doubles(new double[3]))
                .put("bools", new GgufValue.Ints("bool", new long[] {1}))
                .put("shorts", new GgufValue.Ints("int16", new long[] {1, 2, 3}))
                .put("nested", new GgufValue.Nested(List.of(new GgufValue.Texts(List.of("x")))))
                .tensor("a", zeros(DataType.F16, 2, 3))
                .tensor("b", zeros(DataType.Q6_K, 256))
                .tensor("c", zeros(DataType.F32, 1)));
  }

  private byte[] written(Consumer<GgufWriter> content) throws IOException {
    GgufWriter writer = new GgufWriter();
    content.accept(writer);
    Path file = folder.resolve("seed.gguf");
    writer.write(file);
    return Files.readAllBytes(file);
  }

  private static Tensor zeros(DataType type, long... dimensions) {
    Shape shape = Shape.of(dimensions);
    byte[] bytes = new byte[(int) (type.byteSize(shape.columns()) * shape.rows())];
    return new Tensor(type, shape, MemorySegment.ofArray(bytes));
  }
}
