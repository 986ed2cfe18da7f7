package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.family.ContrastiveEncoders;
import dev.kancil.family.ImageEncoder;
import dev.kancil.family.ImageGrid;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.FloatArray;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Runs encoders of images, and those of texts that they are compared with. */
final class ImagePass {
  private static final String POOLER_OUTPUT = "pooler_output";
  private static final String FINAL_NORM = "hidden.final_norm";

  private final Device device;
  private final DeviceWeights weights;
  private final Captures captures;

  ImagePass(Device device, DeviceWeights weights, Captures captures) {
    this.device = device;
    this.weights = weights;
    this.captures = captures;
  }

  SequencedMap<String, FloatArray> encoder(LoadedModel.OfImageEncoder model, ModelInputs inputs) {
    inputs.requireOnly("an encoder of images", ModelInputs.PIXELS, ModelInputs.HIDDEN);
    Graph tapped = tapped(List.of(model.encoder()), "").getFirst();
    return images(model.encoder().withRows(tapped), "", model.grid(), inputs);
  }

  /** Graphs of rows with all captures. */
  private List<Graph> tapped(List<LoadedModel.OfEncoder> encoders, String stem) {
    List<Graph> graphs = new ArrayList<>();
    List<String> others = new ArrayList<>(List.of(stem + POOLER_OUTPUT));
    others.add(encoders.size() == 1 ? FINAL_NORM : "vision." + FINAL_NORM);
    for (LoadedModel.OfEncoder encoder : encoders) {
      graphs.add(encoder.rows());
      encoder
          .pooled()
          .ifPresent(graph -> graph.outputs().forEach(output -> others.add(output.name())));
    }
    return captures.tapped(graphs, others.toArray(String[]::new));
  }

  private SequencedMap<String, FloatArray> images(
      LoadedModel.OfEncoder encoder, String stem, ImageGrid grid, ModelInputs inputs) {
    int[] patches = IntStream.range(0, grid.patches()).toArray();
    List<float[]> pixels = inputs.images(grid);
    HiddenPatches hidden = HiddenPatches.of(encoder, grid, inputs, pixels.size());
    List<EncoderPass.Item> items = new ArrayList<>();
    for (int i = 0; i < pixels.size(); i++) {
      int image = i;
      items.add(item(grid, pixels.get(i), patches, patch -> hidden.has(image, patch)));
    }
    CollectedArrays results = new CollectedArrays(items.size(), patches.length + 1);
    List<EncoderPass.Result> found = run(encoder, items);
    for (int i = 0; i < found.size(); i++) {
      results.rows(i, new int[0], found.get(i).rows());
      results.single(i, found.get(i).outputs());
    }
    SequencedMap<String, FloatArray> arrays = results.arrays();
    hidden.reconstruct(arrays, pixels);
    FloatArray pooled = arrays.get(stem + POOLER_OUTPUT);
    String normed = stem + FINAL_NORM;
    if (pooled != null && captures.has(normed)) {
      // CLIP norms no other row.
      arrays.putIfAbsent(normed, pooled);
    }
    return arrays;
  }

  List<EncoderPass.Result> run(LoadedModel.OfEncoder encoder, List<EncoderPass.Item> items) {
    int longest = items.stream().mapToInt(item -> item.tokens().length).max().orElse(1);
    try (EncoderPass pass = new EncoderPass(device, encoder, encoder.pooling(), weights, longest)) {
      return pass.runAll(items);
    }
  }

  /**
   * An image as rows: one that stands for it, and then patches.
   *
   * @param patches those that are seen, in this order
   */
  static EncoderPass.Item item(ImageGrid grid, float[] image, int[] patches) {
    return item(grid, image, patches, _ -> false);
  }

  private static EncoderPass.Item item(
      ImageGrid grid, float[] image, int[] patches, IntPredicate isHidden) {
    int rows = patches.length + 1;
    int[] tokens = new int[rows];
    Arrays.fill(tokens, 1, rows, 1);
    int[] positions = new int[rows];
    float[] features = new float[Math.multiplyExact(rows, grid.features())];
    int at = grid.features();
    for (int row = 1; row < rows; row++) {
      int patch = patches[row - 1];
      positions[row] = patch + 1;
      if (isHidden.test(patch)) {
        tokens[row] = ImageEncoder.HIDDEN;
        at += grid.features();
        continue;
      }
      for (int channel = 0; channel < grid.channels(); channel++) {
        for (int y = 0; y < grid.patchHeight(); y++) {
          System.arraycopy(
              image, grid.index(patch, channel, y, 0), features, at, grid.patchWidth());
          at += grid.patchWidth();
        }
      }
    }
    return item(tokens, positions, features);
  }

  static EncoderPass.Item item(int[] tokens, int[] positions, float[] features) {
    return new EncoderPass.Item(
        tokens,
        Map.of(
            Graph.POSITION_IDS,
            MemorySegment.ofArray(positions),
            Graph.FEATURES,
            MemorySegment.ofArray(features)),
        OptionalInt.empty());
  }

  SequencedMap<String, FloatArray> contrastive(
      LoadedModel.OfContrastive model, ModelInputs inputs) {
    if (model.seeing().isEmpty()) {
      inputs.requireOnly("an encoder of texts", ModelInputs.TOKENS, ModelInputs.MASK);
      Graph tapped = tapped(List.of(model.encoder()), "").getFirst();
      return texts(model.encoder().withRows(tapped), model.end(), "", inputs);
    }
    inputs.requireOnly(
        "a model of texts and images", ModelInputs.TOKENS, ModelInputs.MASK, ModelInputs.PIXELS);
    LoadedModel.OfImageEncoder images = model.seeing().get();
    if (!inputs.has(ModelInputs.TOKENS) && !inputs.has(ModelInputs.PIXELS)) {
      throw new InvalidRequestException(
          "there is neither " + ModelInputs.TOKENS + " nor " + ModelInputs.PIXELS);
    }
    List<Graph> tapped = tapped(List.of(model.encoder(), images.encoder()), "text.");
    CollectedArrays results = new CollectedArrays(0, 0);
    if (inputs.has(ModelInputs.TOKENS)) {
      results
          .arrays()
          .putAll(texts(model.encoder().withRows(tapped.getFirst()), model.end(), "text.", inputs));
    }
    if (inputs.has(ModelInputs.PIXELS)) {
      results
          .arrays()
          .putAll(
              images(
                  images.encoder().withRows(tapped.getLast()), "vision.", images.grid(), inputs));
    }
    compare(results.arrays(), model.scale());
    return results.arrays();
  }

  private SequencedMap<String, FloatArray> texts(
      LoadedModel.OfEncoder encoder, OptionalInt end, String stem, ModelInputs inputs) {
    List<TextRow> texts = inputs.texts();
    List<EncoderPass.Item> items = new ArrayList<>();
    for (TextRow text : texts) {
      EncoderPass.Item item = EncoderPass.Item.of(text, encoder);
      items.add(
          new EncoderPass.Item(
              item.tokens(), item.brought(), OptionalInt.of(endOf(item.tokens(), end))));
    }
    CollectedArrays results = new CollectedArrays(inputs.integers(ModelInputs.TOKENS));
    List<EncoderPass.Result> found = run(encoder, items);
    for (int i = 0; i < found.size(); i++) {
      results.rows(i, texts.get(i), found.get(i).rows());
      results.single(i, Map.of(stem + POOLER_OUTPUT, found.get(i).pooled()));
      results.single(i, found.get(i).outputs());
    }
    return results.arrays();
  }

  /** The first row of the end, or of the largest id; the first of all where there is no end. */
  private static int endOf(int[] tokens, OptionalInt end) {
    int wanted = end.orElseGet(() -> Arrays.stream(tokens).max().orElse(0));
    return IntStream.range(0, tokens.length).filter(i -> tokens[i] == wanted).findFirst().orElse(0);
  }

  /** Scales embeddings to length 1, and multiplies each text's with each image's. */
  private static void compare(SequencedMap<String, FloatArray> arrays, float scale) {
    FloatArray texts = arrays.get(ContrastiveEncoders.TEXT_EMBEDDINGS);
    FloatArray images = arrays.get(ContrastiveEncoders.IMAGE_EMBEDDINGS);
    if (texts != null) {
      normalize(texts);
    }
    if (images != null) {
      normalize(images);
    }
    if (texts != null && images != null) {
      arrays.put("logits_per_text", products(texts, images, scale));
      arrays.put("logits_per_image", products(images, texts, scale));
    }
  }

  private static void normalize(FloatArray rows) {
    int columns = Math.toIntExact(rows.shape().columns());
    float[] values = rows.values();
    for (int first = 0; first < values.length; first += columns) {
      double squares = 0;
      for (int i = first; i < first + columns; i++) {
        squares += (double) values[i] * values[i];
      }
      double length = Math.sqrt(squares);
      for (int i = first; i < first + columns; i++) {
        values[i] = (float) (values[i] / length);
      }
    }
  }

  private static FloatArray products(FloatArray one, FloatArray other, float scale) {
    int columns = Math.toIntExact(one.shape().columns());
    int rows = Math.toIntExact(one.shape().rows());
    int others = Math.toIntExact(other.shape().rows());
    FloatArray products = FloatArray.zeros(rows, others);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < others; j++) {
        double sum = 0;
        for (int k = 0; k < columns; k++) {
          sum += (double) one.values()[i * columns + k] * other.values()[j * columns + k];
        }
        products.values()[i * others + j] = (float) (scale * sum);
      }
    }
    return products;
  }
}
