package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.family.ImageGrid;
import dev.kancil.family.LoadedModel;
import dev.kancil.family.MaskedAutoencoder;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Runs a masked autoencoder: which patches are seen, what of them, and what is guessed. */
final class MaskedAutoencoderPass {
  /** Of noise that nobody brings. */
  private static final long SEED = 0;

  private final ImagePass images;
  private final Captures captures;

  MaskedAutoencoderPass(Device device, DeviceWeights weights, Captures captures) {
    images = new ImagePass(device, weights, captures);
    this.captures = captures;
  }

  /**
   * Computes. The patches of the smallest noise are seen, in its order; where there is no noise, it
   * is random, and the same each time.
   */
  SequencedMap<String, FloatArray> run(LoadedModel.OfMaskedAutoencoder model, ModelInputs inputs) {
    inputs.requireOnly("a masked autoencoder", ModelInputs.PIXELS, ModelInputs.NOISE);
    ImageGrid grid = model.grid();
    List<float[]> pixels = inputs.images(grid);
    int[][] orders = orders(inputs, pixels.size(), grid.patches());
    List<Graph> tapped = captures.tapped(graphs(model));
    List<EncoderPass.Item> seen = new ArrayList<>();
    for (int i = 0; i < orders.length; i++) {
      seen.add(ImagePass.item(grid, pixels.get(i), Arrays.copyOf(orders[i], model.kept())));
    }
    List<EncoderPass.Result> encoded =
        images.run(model.encoder().withRows(tapped.getFirst()), seen);
    CollectedArrays results = new CollectedArrays(orders.length, model.kept() + 1);
    for (int i = 0; i < orders.length; i++) {
      results.rows(i, new int[0], encoded.get(i).rows());
    }
    SequencedMap<String, FloatArray> arrays = results.arrays();
    addMask(arrays, orders, model.kept());
    if (model.decoder().isPresent()) {
      LoadedModel.MaskedDecoder decoder = model.decoder().get();
      arrays.putAll(decoded(decoder.rows().withRows(tapped.getLast()), encoded, orders));
      addPixels(arrays, grid, pixels, decoder.isTargetNormed());
    } else {
      // What the class without a decoder calls it.
      arrays.put("last_hidden_state", Objects.requireNonNull(arrays.get(MaskedAutoencoder.ROWS)));
    }
    return arrays;
  }

  private static List<Graph> graphs(LoadedModel.OfMaskedAutoencoder model) {
    List<Graph> graphs = new ArrayList<>(List.of(model.encoder().rows()));
    model.decoder().ifPresent(decoder -> graphs.add(decoder.rows().rows()));
    return graphs;
  }

  /** For each image its patches in ascending order of noise. */
  private static int[][] orders(ModelInputs inputs, int count, int patches) {
    float[] noise;
    if (inputs.has(ModelInputs.NOISE)) {
      noise = inputs.floats(ModelInputs.NOISE, 2);
      if (!inputs.array(ModelInputs.NOISE).shape().equals(Shape.of(count, patches))) {
        throw new InvalidRequestException(
            "the input %s has shape %s, not [%d, %d]"
                .formatted(
                    ModelInputs.NOISE, inputs.array(ModelInputs.NOISE).shape(), count, patches));
      }
    } else {
      noise = new float[Math.multiplyExact(count, patches)];
      SplittableRandom random = new SplittableRandom(SEED);
      for (int i = 0; i < noise.length; i++) {
        noise[i] = (float) random.nextDouble();
      }
    }
    int[][] orders = new int[count][];
    for (int image = 0; image < count; image++) {
      int first = image * patches;
      orders[image] =
          IntStream.range(0, patches)
              .boxed()
              .sorted(Comparator.comparingDouble(patch -> noise[first + patch]))
              .mapToInt(patch -> patch)
              .toArray();
    }
    return orders;
  }

  private static void addMask(SequencedMap<String, FloatArray> arrays, int[][] orders, int kept) {
    int patches = orders[0].length;
    FloatArray mask = FloatArray.zeros(orders.length, patches);
    FloatArray places = FloatArray.zeros(orders.length, patches);
    for (int image = 0; image < orders.length; image++) {
      for (int place = 0; place < patches; place++) {
        int at = image * patches + orders[image][place];
        mask.values()[at] = place < kept ? 0 : 1;
        places.values()[at] = place;
      }
    }
    arrays.put("mask", mask);
    arrays.put("ids_restore", places);
  }

  private SequencedMap<String, FloatArray> decoded(
      LoadedModel.OfEncoder decoder, List<EncoderPass.Result> encoded, int[][] orders) {
    List<EncoderPass.Item> items = new ArrayList<>();
    int rows = orders[0].length + 1;
    for (int image = 0; image < orders.length; image++) {
      float[][] seen =
          Objects.requireNonNull(encoded.get(image).rows().get(MaskedAutoencoder.ROWS));
      int width = seen[0].length;
      int[] tokens = new int[rows];
      Arrays.fill(tokens, 1);
      float[] features = new float[Math.multiplyExact(rows, width)];
      for (int row = 0; row < seen.length; row++) {
        int to = row == 0 ? 0 : orders[image][row - 1] + 1;
        tokens[to] = 0;
        System.arraycopy(seen[row], 0, features, to * width, width);
      }
      items.add(ImagePass.item(tokens, IntStream.range(0, rows).toArray(), features));
    }
    CollectedArrays hidden = new CollectedArrays(orders.length, rows);
    CollectedArrays guessed = new CollectedArrays(orders.length, rows - 1);
    List<EncoderPass.Result> found = images.run(decoder, items);
    for (int image = 0; image < orders.length; image++) {
      SequencedMap<String, float[][]> outputs = new LinkedHashMap<>(found.get(image).rows());
      // These rows are what the final norm gives, which can be captured.
      outputs.remove(decoder.rows().outputs().getFirst().name());
      float[][] logits = Objects.requireNonNull(outputs.remove(MaskedAutoencoder.LOGITS));
      SequencedMap<String, float[][]> ofPatches = new LinkedHashMap<>();
      ofPatches.put(MaskedAutoencoder.LOGITS, Arrays.copyOfRange(logits, 1, rows));
      guessed.rows(image, new int[0], ofPatches);
      hidden.rows(image, new int[0], outputs);
    }
    guessed.arrays().putAll(hidden.arrays());
    return guessed.arrays();
  }

  /** What should have been guessed, how far off the guess is, and the guess as images. */
  private static void addPixels(
      SequencedMap<String, FloatArray> arrays,
      ImageGrid grid,
      List<float[]> images,
      boolean isTargetNormed) {
    FloatArray logits = Objects.requireNonNull(arrays.get(MaskedAutoencoder.LOGITS));
    float[] mask = Objects.requireNonNull(arrays.get("mask")).values();
    FloatArray target = FloatArray.zeros(images.size(), grid.patches(), grid.features());
    FloatArray guess =
        FloatArray.zeros(images.size(), grid.channels(), grid.height(), grid.width());
    double loss = 0;
    double masked = 0;
    for (int image = 0; image < images.size(); image++) {
      for (int patch = 0; patch < grid.patches(); patch++) {
        int row = image * grid.patches() + patch;
        int at = row * grid.features();
        for (int i = 0; i < grid.features(); i++) {
          int index = index(grid, patch, i);
          target.values()[at + i] = images.get(image)[index];
          guess.values()[image * grid.pixels() + index] = logits.values()[at + i];
        }
        loss += mask[row] * loss(target.values(), logits.values(), at, grid, isTargetNormed);
        masked += mask[row];
      }
    }
    arrays.put("loss", new FloatArray(Shape.of(1), new float[] {(float) (loss / masked)}));
    arrays.put("target_patches", target);
    arrays.put("reconstructed_image", guess);
  }

  /** Where the number {@code i} of a patch, channels innermost, lies in its image. */
  private static int index(ImageGrid grid, int patch, int i) {
    int pixel = i / grid.channels();
    return grid.index(
        patch, i % grid.channels(), pixel / grid.patchWidth(), pixel % grid.patchWidth());
  }

  /** The mean square of what a patch's guess is off. */
  private static double loss(
      float[] target, float[] guess, int at, ImageGrid grid, boolean isTargetNormed) {
    int count = grid.features();
    double mean = 0;
    double deviation = 1;
    if (isTargetNormed) {
      mean = IntStream.range(at, at + count).mapToDouble(i -> target[i]).sum() / count;
      double center = mean;
      double squares =
          IntStream.range(at, at + count)
              .mapToDouble(i -> (target[i] - center) * (target[i] - center))
              .sum();
      deviation = Math.sqrt(squares / (count - 1) + 1e-6);
    }
    double sum = 0;
    for (int i = at; i < at + count; i++) {
      double off = guess[i] - (target[i] - mean) / deviation;
      sum += off * off;
    }
    return sum / count;
  }
}
