package dev.kancil.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** Reads the arrays of reference data: safetensors files, gzipped or not. For tests alone. */
public final class Safetensors {
  private final String header;
  private final ByteBuffer data;

  private Safetensors(byte[] bytes) {
    ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) all.getLong(0);
    header = new String(bytes, 8, length, StandardCharsets.UTF_8);
    data = all.slice(8 + length, bytes.length - 8 - length).order(ByteOrder.LITTLE_ENDIAN);
  }

  public static Safetensors read(Path path) {
    try (var in = Files.newInputStream(path)) {
      return new Safetensors(
          path.toString().endsWith(".gz")
              ? new GZIPInputStream(in).readAllBytes()
              : in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public float[] floats(String name) {
    ByteBuffer bytes = find(name, "F32");
    float[] values = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /** An array of 32- or 64-bit integers. */
  public int[] ints(String name) {
    if (header.matches("(?s).*\"" + Pattern.quote(name) + "\":\\{\"dtype\":\"I32\".*")) {
      ByteBuffer bytes = find(name, "I32");
      int[] values = new int[bytes.remaining() / 4];
      bytes.asIntBuffer().get(values);
      return values;
    }
    ByteBuffer bytes = find(name, "I64");
    int[] values = new int[bytes.remaining() / 8];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.toIntExact(bytes.getLong(8 * i));
    }
    return values;
  }

  private ByteBuffer find(String name, String type) {
    Matcher matcher =
        Pattern.compile(
                "\""
                    + Pattern.quote(name)
                    + "\":\\{\"dtype\":\"(\\w+)\",\"shape\":\\[[\\d,]*\\],"
                    + "\"data_offsets\":\\[(\\d+),(\\d+)\\]\\}")
            .matcher(header);
    if (!matcher.find() || !matcher.group(1).equals(type)) {
      throw new IllegalArgumentException("no " + type + " array " + name + " in " + header);
    }
    int from = Integer.parseInt(matcher.group(2));
    return data.slice(from, Integer.parseInt(matcher.group(3)) - from)
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
