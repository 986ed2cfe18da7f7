package dev.kancil.format.gguf;

import dev.kancil.InvalidRequestException;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes GGUF files. Metadata and tensors are declared first; tensor data is fetched one tensor at
 * a time while the file is written, so that a model need not fit in memory. The file appears under
 * its name only when it is whole.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The specification</a>
 */
public final class GgufWriter {
  private static final String ALIGNMENT_KEY = "general.alignment";
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final int CHUNK = 1 << 26;

  /** Brings a tensor's bytes when their turn comes; called once. */
  @FunctionalInterface
  public interface Source {
    MemorySegment bytes() throws IOException;
  }

  private record Declared(DataType type, Shape shape, long bytes, Source source) {}

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, Declared> tensors = new LinkedHashMap<>();
  private int version = 3;
  private int alignment = DEFAULT_ALIGNMENT;

  /** A file of version 3 with the usual alignment of 32 bytes, and nothing in it yet. */
  public GgufWriter() {}

  /** Chooses the specification's version, 2 or 3; they differ in nothing that is written here. */
  public GgufWriter version(int newVersion) {
    if (newVersion != 2 && newVersion != 3) {
      throw new IllegalArgumentException("version " + newVersion);
    }
    version = newVersion;
    return this;
  }

  /**
   * Sets what tensor offsets are multiples of, which is also noted in the metadata.
   *
   * @param bytes a power of two, at most 2^20
   */
  public GgufWriter alignment(int bytes) {
    if (bytes < 1 || bytes > GgufHeader.MAX_ALIGNMENT || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException("alignment " + bytes);
    }
    alignment = bytes;
    metadata.put(ALIGNMENT_KEY, new GgufValue.Int(GgufValue.IntType.UINT32, bytes));
    return this;
  }

  /**
   * Adds a metadata value.
   *
   * @throws IllegalArgumentException if the key is taken, empty, or the alignment's
   */
  public GgufWriter put(String key, GgufValue value) {
    if (key.isEmpty() || key.equals(ALIGNMENT_KEY) || metadata.containsKey(key)) {
      throw new IllegalArgumentException("the metadata key \"" + key + "\" can't be set");
    }
    metadata.put(key, value);
    return this;
  }

  /** Adds a text. */
  public GgufWriter put(String key, String value) {
    return put(key, new GgufValue.Text(value));
  }

  /** Adds an unsigned 32-bit integer. */
  public GgufWriter put(String key, int value) {
    if (value < 0) {
      throw new IllegalArgumentException(key + " is " + value);
    }
    return put(key, new GgufValue.Int(GgufValue.IntType.UINT32, value));
  }

  /** Adds a 32-bit float. */
  public GgufWriter put(String key, float value) {
    return put(key, new GgufValue.Float32(value));
  }

  /** Adds a truth value. */
  public GgufWriter put(String key, boolean value) {
    return put(key, new GgufValue.Bool(value));
  }

  /** Adds a tensor that is in memory, and must stay there until the file is written. */
  public GgufWriter tensor(String name, Tensor tensor) {
    return tensor(name, tensor.type(), tensor.shape(), tensor::data);
  }

  /**
   * Adds a tensor whose bytes come when they are written.
   *
   * @throws IllegalArgumentException if the name is taken, or GGUF can't hold the type or shape
   */
  public GgufWriter tensor(String name, DataType type, Shape shape, Source source) {
    GgufType.code(type);
    if (shape.rank() > GgufHeader.MAX_DIMENSIONS || shape.elements() == 0) {
      throw new IllegalArgumentException("the tensor " + name + " has shape " + shape);
    }
    long bytes = Math.multiplyExact(type.byteSize(shape.columns()), shape.rows());
    if (tensors.putIfAbsent(name, new Declared(type, shape, bytes, source)) != null) {
      throw new IllegalArgumentException("the tensor " + name + " is there twice");
    }
    return this;
  }

  /**
   * Writes the file, replacing one that is there.
   *
   * @throws InvalidRequestException if it can't be written, or the disk has no room for it; what
   *     was there before is still there then
   */
  public void write(Path path) {
    Path folder = requireFolder(path);
    // Not one of Files' temporary files, which nobody else may read.
    Path partial =
        folder.resolve(
            ".%s.%016x.partial".formatted(path.getFileName(), new SecureRandom().nextLong()));
    try {
      requireRoom(path, folder);
      try (FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        write(channel);
        channel.force(true);
      }
      move(partial, path);
    } catch (IOException e) {
      throw new InvalidRequestException(path + ": can't be written: " + e, e);
    } finally {
      deleteIfThere(partial);
    }
  }

  /**
   * Checks that a file may be written there, for who has much to do before.
   *
   * @return the folder that it will be in
   * @throws InvalidRequestException if there is no folder for it, or it is a folder itself
   */
  public static Path requireFolder(Path path) {
    if (Files.isDirectory(path)) {
      throw new InvalidRequestException(path + " is a folder; name the file to write");
    }
    Path folder = path.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new InvalidRequestException(path + ": can't be written: there is no such folder");
    }
    return folder;
  }

  private void requireRoom(Path path, Path folder) throws IOException {
    long bytes = tensors.values().stream().mapToLong(Declared::bytes).reduce(0, Math::addExact);
    long free = Files.getFileStore(folder).getUsableSpace();
    if (bytes > free) {
      throw new InvalidRequestException(
          "%s takes %,d MB, but %s has only %,d MB free"
              .formatted(path, bytes / 1_000_000, folder, free / 1_000_000));
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void deleteIfThere(Path partial) {
    try {
      Files.deleteIfExists(partial);
    } catch (IOException ignored) {
      // The error that is on its way says more.
    }
  }

  private void write(FileChannel channel) throws IOException {
    GgufValueWriter header = new GgufValueWriter();
    header.int32(GgufHeader.MAGIC);
    header.int32(version);
    header.int64(tensors.size());
    header.int64(metadata.size());
    metadata.forEach(
        (key, value) -> {
          header.string(key);
          header.value(value);
        });
    long offset = 0;
    for (Map.Entry<String, Declared> entry : tensors.entrySet()) {
      Declared tensor = entry.getValue();
      header.string(entry.getKey());
      header.int32(tensor.shape().rank());
      for (int i = tensor.shape().rank() - 1; i >= 0; i--) {
        header.int64(tensor.shape().dimension(i));
      }
      header.int32(GgufType.code(tensor.type()));
      header.int64(offset);
      offset = padded(Math.addExact(offset, tensor.bytes()));
    }
    writeFully(channel, header.bytes());
    for (Map.Entry<String, Declared> entry : tensors.entrySet()) {
      pad(channel);
      MemorySegment data = entry.getValue().source().bytes();
      if (data.byteSize() != entry.getValue().bytes()) {
        throw new IllegalStateException(
            "the tensor "
                + entry.getKey()
                + " came with "
                + data.byteSize()
                + " bytes, not "
                + entry.getValue().bytes());
      }
      for (long at = 0; at < data.byteSize(); at += CHUNK) {
        long size = Math.min(CHUNK, data.byteSize() - at);
        writeFully(channel, data.asSlice(at, size).asByteBuffer());
      }
    }
    pad(channel);
  }

  private void pad(FileChannel channel) throws IOException {
    long missing = padded(channel.position()) - channel.position();
    writeFully(channel, ByteBuffer.allocate((int) missing));
  }

  private long padded(long position) {
    return Math.addExact(position, alignment - 1) & -alignment;
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
