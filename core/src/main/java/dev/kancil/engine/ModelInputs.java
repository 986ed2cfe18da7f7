package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.family.ImageGrid;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a pass takes, by the names that transformers gives it: {@code input_ids}, {@code
 * attention_mask}, {@code token_type_ids} and {@code decoder_input_ids}, each [texts, tokens];
 * {@code pixel_values}, [images, channels, height, width], and {@code noise} and {@code
 * bool_masked_pos}, [images, patches].
 */
public final class ModelInputs {
  public static final String TOKENS = "input_ids";
  public static final String MASK = "attention_mask";
  public static final String TOKEN_TYPES = "token_type_ids";
  public static final String DECODER_TOKENS = "decoder_input_ids";
  public static final String PIXELS = "pixel_values";
  public static final String NOISE = "noise";
  public static final String HIDDEN = "bool_masked_pos";

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Map<String, Tensor> arrays;

  public ModelInputs(Map<String, Tensor> arrays) {
    this.arrays = Map.copyOf(arrays);
  }

  /** One text of these ids. */
  public static ModelInputs of(int[] tokens) {
    return new ModelInputs(Map.of(TOKENS, tensor(tokens)));
  }

  /**
   * Texts, padded to the length of the longest.
   *
   * @param texts ids of each, at least one
   */
  public static ModelInputs ofTexts(List<int[]> texts) {
    int longest = texts.stream().mapToInt(text -> text.length).max().orElse(0);
    Shape shape = Shape.of(texts.size(), longest);
    byte[] mask = new byte[Math.toIntExact(shape.elements())];
    int[] ids = new int[mask.length];
    for (int i = 0; i < texts.size(); i++) {
      System.arraycopy(texts.get(i), 0, ids, i * longest, texts.get(i).length);
      Arrays.fill(mask, i * longest, i * longest + texts.get(i).length, (byte) 1);
    }
    return new ModelInputs(
        Map.of(
            TOKENS,
            new Tensor(DataType.I32, shape, tensor(ids).data()),
            MASK,
            new Tensor(DataType.I8, shape, MemorySegment.ofArray(mask))));
  }

  /**
   * An image.
   *
   * @param pixels of the image, [channels, height, width]
   */
  public static ModelInputs ofImage(float[] pixels, ImageGrid grid) {
    return new ModelInputs(Map.of()).withImage(pixels, grid);
  }

  /** The same with an image; see {@link #ofImage}. */
  public ModelInputs withImage(float[] pixels, ImageGrid grid) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[pixels.length * Float.BYTES]);
    for (int i = 0; i < pixels.length; i++) {
      bytes.setAtIndex(FLOAT, i, pixels[i]);
    }
    Map<String, Tensor> more = new HashMap<>(arrays);
    Shape shape = Shape.of(1, grid.channels(), grid.height(), grid.width());
    more.put(PIXELS, new Tensor(DataType.F32, shape, bytes));
    return new ModelInputs(more);
  }

  /** The same with ids for a decoder. */
  public ModelInputs withDecoderTokens(int[] tokens) {
    Map<String, Tensor> more = new HashMap<>(arrays);
    more.put(DECODER_TOKENS, tensor(tokens));
    return new ModelInputs(more);
  }

  private static Tensor tensor(int[] tokens) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[tokens.length * Integer.BYTES]);
    for (int i = 0; i < tokens.length; i++) {
      bytes.setAtIndex(INT, i, tokens[i]);
    }
    return new Tensor(DataType.I32, Shape.of(1, tokens.length), bytes);
  }

  /** The most tokens of a text; {@code usual} where there are none. */
  public int longest(int usual) {
    return has(TOKENS) ? Math.max(1, integers(TOKENS)[0].length) : usual;
  }

  public boolean has(String name) {
    return arrays.containsKey(name);
  }

  /**
   * Throws unless all names are among these.
   *
   * @throws InvalidRequestException naming one that is not
   */
  public void requireOnly(String kind, String... known) {
    for (String name : arrays.keySet()) {
      if (!List.of(known).contains(name)) {
        throw new InvalidRequestException(
            kind + " takes no input " + name + ", but " + String.join(", ", known));
      }
    }
  }

  /** An array, or an error that names it. */
  public Tensor array(String name) {
    return Optional.ofNullable(arrays.get(name))
        .orElseThrow(() -> new InvalidRequestException("there is no input " + name));
  }

  /** Integers, [texts, columns]. */
  public int[][] integers(String name) {
    Tensor tensor = array(name);
    Shape shape = tensor.shape();
    if (shape.rank() != 2 || shape.elements() < 1 || shape.elements() > 1 << 26) {
      throw new InvalidRequestException(
          "the input " + name + " has shape " + shape + ", not [texts, tokens]");
    }
    int columns = Math.toIntExact(shape.columns());
    int[][] rows = new int[Math.toIntExact(shape.dimension(0))][columns];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < columns; j++) {
        rows[i][j] = integer(name, tensor, i * columns + j);
      }
    }
    return rows;
  }

  private static int integer(String name, Tensor tensor, int index) {
    long value =
        switch (tensor.type()) {
          case I8 -> tensor.data().get(ValueLayout.JAVA_BYTE, index);
          case I32 -> tensor.data().get(INT, (long) index * Integer.BYTES);
          case I64 -> tensor.data().get(LONG, (long) index * Long.BYTES);
          default ->
              throw new InvalidRequestException(
                  "the input " + name + " is of type " + tensor.type() + ", not of integers");
        };
    if (value != (int) value) {
      throw new InvalidRequestException("the input " + name + " has the number " + value);
    }
    return (int) value;
  }

  /** Numbers, and of what shape. */
  public float[] floats(String name, int rank) {
    Tensor tensor = array(name);
    boolean isFloat =
        switch (tensor.type()) {
          case F32, F16, BF16, F64 -> true;
          default -> false;
        };
    if (!isFloat || tensor.shape().rank() != rank || tensor.shape().elements() > 1 << 28) {
      throw new InvalidRequestException(
          "the input %s is of type %s and shape %s, not of floats in %d dimensions"
              .formatted(name, tensor.type(), tensor.shape(), rank));
    }
    return Blocks.decode(tensor);
  }

  /**
   * Images of a size.
   *
   * @return for each its pixels, [channels, height, width]
   */
  List<float[]> images(ImageGrid grid) {
    float[] all = floats(PIXELS, 4);
    Shape shape = array(PIXELS).shape();
    if (all.length == 0
        || !shape
            .dimensions()
            .subList(1, 4)
            .equals(Shape.of(grid.channels(), grid.height(), grid.width()).dimensions())) {
      throw new InvalidRequestException(
          "the input %s has shape %s, but the model takes images of %d channels, %d high and %d wide"
              .formatted(PIXELS, shape, grid.channels(), grid.height(), grid.width()));
    }
    List<float[]> images = new ArrayList<>();
    for (int first = 0; first < all.length; first += grid.pixels()) {
      images.add(Arrays.copyOfRange(all, first, first + grid.pixels()));
    }
    return images;
  }

  /** The texts, without what the mask leaves out. */
  List<TextRow> texts() {
    int[][] tokens = integers(TOKENS);
    int[][] mask = sameSize(MASK, tokens, 1);
    int[][] types = sameSize(TOKEN_TYPES, tokens, 0);
    TextRow[] texts = new TextRow[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      int[] kept = new int[tokens[i].length];
      int count = 0;
      for (int j = 0; j < kept.length; j++) {
        if (mask[i][j] != 0) {
          kept[count++] = j;
        }
      }
      int[] indexes = Arrays.copyOf(kept, count);
      int[] ofText = tokens[i];
      int[] ofTypes = types[i];
      texts[i] =
          new TextRow(
              Arrays.stream(indexes).map(index -> ofText[index]).toArray(),
              Arrays.stream(indexes).map(index -> ofTypes[index]).toArray(),
              indexes);
    }
    return List.of(texts);
  }

  private int[][] sameSize(String name, int[][] tokens, int usual) {
    if (!has(name)) {
      int[][] rows = new int[tokens.length][tokens[0].length];
      for (int[] row : rows) {
        Arrays.fill(row, usual);
      }
      return rows;
    }
    int[][] rows = integers(name);
    if (rows.length != tokens.length || rows[0].length != tokens[0].length) {
      throw new InvalidRequestException("the input " + name + " has another shape than " + TOKENS);
    }
    return rows;
  }
}
