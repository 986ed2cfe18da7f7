package dev.kancil.testing;

import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Random weights of one of {@link LayoutPairs}, written in either layout. */
public final class LayoutPair {
  private static final int BLOCKS = 2;
  private static final int HEAD = 8;

  /**
   * Where all queries, all keys and all values are in two groups of two queries, a key, a value.
   */
  private static final int[] GROUPED = {0, 1, 4, 5, 2, 6, 3, 7};

  /** Where they are if each head's query, key and value follow each other. */
  private static final int[] HEAD_BY_HEAD = {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11};

  private final LayoutPairs kind;
  private final Map<String, Numbers> folder = new LinkedHashMap<>();
  private final Map<String, Numbers> gguf = new LinkedHashMap<>();

  /** Numbers in a shape. */
  private record Numbers(List<Integer> shape, float[] values) {
    int rows() {
      return shape.getFirst();
    }

    int columns() {
      return values.length / rows();
    }

    /** Rows in another order. */
    Numbers rows(int[] order) {
      float[] moved = new float[values.length];
      for (int i = 0; i < order.length; i++) {
        System.arraycopy(values, order[i] * columns(), moved, i * columns(), columns());
      }
      return new Numbers(shape, moved);
    }
  }

  /** Makes the weights. */
  public LayoutPair(LayoutPairs kind) {
    this.kind = kind;
    SplittableRandom random = new SplittableRandom(kind.name().hashCode());
    for (String line : kind.tensors()) {
      String[] words = line.split(" ", -1);
      boolean isPerBlock = words[0].contains("#");
      for (int block = 0; block < (isPerBlock ? BLOCKS : 1); block++) {
        add(words, String.valueOf(block), random);
      }
    }
  }

  private void add(String[] words, String block, SplittableRandom random) {
    String last = words[words.length - 1];
    boolean isPlain = Character.isDigit(last.charAt(0));
    List<Integer> shape =
        Arrays.stream(words, 2, isPlain ? words.length : words.length - 1)
            .map(Integer::valueOf)
            .toList();
    String[] what = (isPlain ? "plain" : last).split(":", -1);
    int count = what.length > 1 ? Integer.parseInt(what[1]) : 1;
    String name = words[0].replace("#", block);
    String other = words[1].replace("#", block);
    if (what[0].equals("stacked")) {
      float[] all = new float[0];
      for (int i = 0; i < count; i++) {
        Numbers part = random(name, shape, random);
        folder.put(name.replace("*", String.valueOf(i)), part);
        int at = all.length;
        all = Arrays.copyOf(all, at + part.values.length);
        System.arraycopy(part.values, 0, all, at, part.values.length);
      }
      List<Integer> stacked = new ArrayList<>(shape);
      stacked.addFirst(count);
      gguf.put(other, new Numbers(stacked, all));
      return;
    }
    Numbers numbers = random(name, shape, random);
    folder.put(name, numbers);
    gguf.put(
        other,
        switch (what[0]) {
          case "plain" -> numbers;
          case "vector" -> new Numbers(shape.subList(1, shape.size()), numbers.values);
          case "permuted" -> numbers.rows(permuted(numbers.rows(), count));
          case "ungrouped" -> numbers.rows(ordered(numbers.rows(), GROUPED));
          case "sorted" -> numbers.rows(ordered(numbers.rows(), HEAD_BY_HEAD));
          default -> throw new IllegalArgumentException(what[0]);
        });
  }

  private static Numbers random(String name, List<Integer> shape, SplittableRandom random) {
    int size = shape.stream().reduce(1, Math::multiplyExact);
    boolean isNorm = name.contains("norm") || name.contains("ln_");
    double spread = shape.size() == 1 || isNorm ? 0.4 : 1.2 / Math.sqrt(shape.getLast());
    double mean = isNorm && name.endsWith("weight") ? 1 : 0;
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian(mean, spread);
    }
    return new Numbers(shape, values);
  }

  /** For each new row the old one: of each head the halves become neighbours. */
  private static int[] permuted(int rows, int heads) {
    int width = rows / heads;
    int[] order = new int[rows];
    for (int row = 0; row < rows; row++) {
      int at = row % width;
      order[row] = row - at + at / 2 + at % 2 * (width / 2);
    }
    return order;
  }

  private static int[] ordered(int rows, int[] heads) {
    int[] order = new int[rows];
    for (int row = 0; row < rows; row++) {
      order[row] = heads[row / HEAD] * HEAD + row % HEAD;
    }
    return order;
  }

  /** Writes a folder as transformers does. */
  public void writeFolder(Path path) {
    StringBuilder header = new StringBuilder("{");
    int bytes = 0;
    for (Map.Entry<String, Numbers> entry : folder.entrySet()) {
      int end = bytes + Float.BYTES * entry.getValue().values.length;
      header
          .append(header.length() > 1 ? "," : "")
          .append(
              "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                  .formatted(entry.getKey(), entry.getValue().shape, bytes, end));
      bytes = end;
    }
    byte[] head = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(Long.BYTES + head.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(head.length).put(head);
    folder.values().forEach(numbers -> file.put(bytes(numbers)));
    try {
      Files.write(path.resolve("model.safetensors"), file.array());
      Files.writeString(path.resolve("config.json"), kind.config());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file as llama.cpp's converter does. */
  public void writeGguf(Path path) {
    GgufWriter writer = new GgufWriter();
    String[] lines = kind.settings();
    writer.put("general.architecture", lines[0]);
    for (int i = 1; i < lines.length; i++) {
      int space = lines[i].indexOf(' ');
      writer.put(
          lines[0] + "." + lines[i].substring(0, space), value(lines[i].substring(space + 1)));
    }
    gguf.forEach(
        (name, numbers) -> {
          long[] shape = numbers.shape.stream().mapToLong(Integer::longValue).toArray();
          MemorySegment data = MemorySegment.ofArray(bytes(numbers));
          writer.tensor(name, new Tensor(DataType.F32, Shape.of(shape), data));
        });
    writer.write(path);
  }

  private static GgufValue value(String text) {
    if (text.matches("\\d+")) {
      return new GgufValue.Int(GgufValue.IntType.UINT32, Long.parseLong(text));
    }
    if (text.matches("true|false")) {
      return new GgufValue.Bool(Boolean.parseBoolean(text));
    }
    return text.matches("\\d.*")
        ? new GgufValue.Float32(Float.parseFloat(text))
        : new GgufValue.Text(text);
  }

  private static byte[] bytes(Numbers numbers) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * numbers.values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : numbers.values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }
}
