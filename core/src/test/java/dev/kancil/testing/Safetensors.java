package dev.kancil.testing;

import dev.kancil.format.safetensors.SafetensorsFile;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/** The arrays of reference data: safetensors files, gzipped or not. */
public final class Safetensors {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SafetensorsFile file;

  private Safetensors(SafetensorsFile file) {
    this.file = file;
  }

  public static Safetensors read(Path path) {
    try (var in = Files.newInputStream(path)) {
      byte[] bytes =
          path.toString().endsWith(".gz")
              ? new GZIPInputStream(in).readAllBytes()
              : in.readAllBytes();
      return new Safetensors(SafetensorsFile.inMemory(path, MemorySegment.ofArray(bytes)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public float[] floats(String name) {
    Tensor tensor = find(name);
    if (tensor.type() != DataType.F32) {
      throw new IllegalArgumentException(name + " is " + tensor.type());
    }
    return Blocks.decode(tensor);
  }

  /** The same of an array of floats or integers. */
  public float[] numbers(String name) {
    Tensor tensor = find(name);
    return tensor.type() == DataType.I64 ? Blocks.decode(tensor) : floats(name);
  }

  public Set<String> names() {
    return file.tensors().keySet();
  }

  /** An array of 32- or 64-bit integers. */
  public int[] ints(String name) {
    Tensor tensor = find(name);
    int[] values = new int[Math.toIntExact(tensor.shape().elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.type()) {
            case I32 -> tensor.data().get(INT, 4L * i);
            case I64 -> Math.toIntExact(tensor.data().get(LONG, 8L * i));
            default -> throw new IllegalArgumentException(name + " is " + tensor.type());
          };
    }
    return values;
  }

  public Tensor find(String name) {
    return file.tensor(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no array " + name + " in " + file.tensors().keySet()));
  }
}
