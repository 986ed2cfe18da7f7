package dev.kancil.format.safetensors;

import dev.kancil.FormatException;
import dev.kancil.tensor.FloatArray;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Writes arrays of float32 to a safetensors file: the header's length, a JSON object that says
 * where each array lies, then the arrays.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">The format</a>
 */
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;

  /** Numbers that are written at a time. */
  private static final int PIECE = 1 << 20;

  private SafetensorsWriter() {}

  /**
   * Writes arrays. The file appears under its name when all of it is written.
   *
   * @throws FormatException if it can't be written
   */
  public static void write(Path path, SequencedMap<String, FloatArray> arrays) {
    Path absolute = path.toAbsolutePath();
    Path part = absolute.resolveSibling("." + absolute.getFileName() + ".part");
    try {
      try (FileChannel channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        byte[] header = header(arrays);
        write(channel, little(Long.BYTES).putLong(header.length).flip());
        write(channel, ByteBuffer.wrap(header));
        for (FloatArray array : arrays.values()) {
          write(channel, array.values());
        }
      }
      Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new FormatException(path + ": can't be written: " + e.getMessage(), e);
    } finally {
      part.toFile().delete();
    }
  }

  private static byte[] header(Map<String, FloatArray> arrays) {
    StringBuilder json = new StringBuilder("{");
    long offset = 0;
    for (Map.Entry<String, FloatArray> array : arrays.entrySet()) {
      long end = offset + array.getValue().shape().elements() * Float.BYTES;
      json.append(json.length() == 1 ? "" : ",")
          .append(
              "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                  .formatted(
                      name(array.getKey()), array.getValue().shape().dimensions(), offset, end));
      offset = end;
    }
    json.append('}');
    // The data begins at a multiple of the element's size; spaces are the format's own padding.
    json.repeat(' ', -json.length() & (ALIGNMENT - 1));
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String name(String name) {
    if (!name.matches("[A-Za-z0-9._-]+")) {
      throw new IllegalArgumentException("not a name for an array: " + name);
    }
    return name;
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void write(FileChannel channel, float[] values) throws IOException {
    for (int first = 0; first < values.length; first += PIECE) {
      int count = Math.min(PIECE, values.length - first);
      ByteBuffer bytes = little(count * Float.BYTES);
      bytes.asFloatBuffer().put(values, first, count);
      write(channel, bytes);
    }
  }

  private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
