package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.family.ImageEncoder;
import dev.kancil.family.ImageGrid;
import dev.kancil.family.LoadedModel;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Shape;
import java.util.List;
import java.util.SequencedMap;

/**
 * Patches of images that an encoder does not see, and images as it guesses them.
 *
 * @param masks for each image a number for each patch, 0 of those that are seen; empty: all are
 */
record HiddenPatches(ImageGrid grid, List<int[]> masks) {
  private static final String LOSS = "loss";

  /** What {@link ModelInputs#HIDDEN} says. */
  static HiddenPatches of(
      LoadedModel.OfEncoder encoder, ImageGrid grid, ModelInputs inputs, int images) {
    if (!inputs.has(ModelInputs.HIDDEN)) {
      return new HiddenPatches(grid, List.of());
    }
    if (encoder.vocabulary() <= ImageEncoder.HIDDEN) {
      throw new InvalidRequestException(
          "the model has nothing for patches that it does not see; leave out "
              + ModelInputs.HIDDEN);
    }
    int[][] masks = inputs.integers(ModelInputs.HIDDEN);
    if (masks.length != images || masks[0].length != grid.patches()) {
      throw new InvalidRequestException(
          "the input %s has shape [%d, %d], not [%d, %d]"
              .formatted(
                  ModelInputs.HIDDEN, masks.length, masks[0].length, images, grid.patches()));
    }
    return new HiddenPatches(grid, List.of(masks));
  }

  boolean has(int image, int patch) {
    return !masks.isEmpty() && masks.get(image)[patch] != 0;
  }

  /** Makes images of what rows guess, and tells how far off they are where nothing was seen. */
  void reconstruct(SequencedMap<String, FloatArray> arrays, List<float[]> images) {
    FloatArray rows = arrays.get(ImageEncoder.RECONSTRUCTION);
    if (rows == null) {
      return;
    }
    int columns = Math.toIntExact(rows.shape().columns());
    int side = (int) Math.round(Math.sqrt((double) columns / grid.channels()));
    int height = side * grid.rows();
    int width = side * grid.columns();
    FloatArray guess = FloatArray.zeros(images.size(), grid.channels(), height, width);
    for (int i = 0; i < guess.values().length; i++) {
      int x = i % width;
      int y = i / width % height;
      int channel = i / width / height % grid.channels();
      int image = i / width / height / grid.channels();
      int row = image * (grid.patches() + 1) + 1 + y / side * grid.columns() + x / side;
      int column = (channel * side + y % side) * side + x % side;
      guess.values()[i] = rows.values()[row * columns + column];
    }
    arrays.put(ImageEncoder.RECONSTRUCTION, guess);
    if (!masks.isEmpty() && height == grid.height() && width == grid.width()) {
      arrays.put(LOSS, new FloatArray(Shape.of(1), new float[] {(float) loss(guess, images)}));
    }
  }

  private double loss(FloatArray guess, List<float[]> images) {
    double sum = 0;
    long count = 0;
    for (int i = 0; i < guess.values().length; i++) {
      int image = i / grid.pixels();
      int y = i / grid.width() % grid.height();
      int patch = y / grid.patchHeight() * grid.columns() + i % grid.width() / grid.patchWidth();
      if (has(image, patch)) {
        sum += Math.abs(guess.values()[i] - images.get(image)[i % grid.pixels()]);
        count++;
      }
    }
    // The reference counts pixels, not their channels, and so does it with what it adds.
    double pixels = (double) count / grid.channels();
    return sum / (pixels + 1e-5) / grid.channels();
  }
}
