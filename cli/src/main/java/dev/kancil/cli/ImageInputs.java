package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.ModelFiles;
import dev.kancil.engine.ModelInputs;
import dev.kancil.family.ImageGrid;
import dev.kancil.family.LoadedModel;
import dev.kancil.image.ImageProcessor;
import dev.kancil.image.Picture;
import dev.kancil.tensor.FloatArray;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;

/** Makes of pictures what a model takes, and the other way round. */
record ImageInputs(ImageProcessor processor, ImageGrid grid) {
  /**
   * As the model's folder says, but for the size if there is another.
   *
   * @throws InvalidRequestException if the model sees no images
   */
  static ImageInputs of(ModelFiles files, LoadedModel model, ImageSizeOption size) {
    String architecture = files.checkpoint().architecture();
    if (model instanceof LoadedModel.OfEncoders encoders && encoders.images().isPresent()) {
      ImageGrid grid = encoders.images().get();
      ImageProcessor processor = ImageProcessor.read(files.path(), architecture, grid);
      return new ImageInputs(size.size().isPresent() ? processor.withSize(grid) : processor, grid);
    }
    throw new InvalidRequestException(
        files.path() + ": " + architecture + " is no model that sees images");
  }

  ModelInputs inputs(Picture picture) {
    return ModelInputs.ofImage(processor.pixels(picture, grid), grid);
  }

  /**
   * What a masked autoencoder was shown, what it saw of that, and what it guesses the rest to be,
   * side by side.
   */
  Picture reconstruction(
      LoadedModel.OfMaskedAutoencoder model, float[] seen, Map<String, FloatArray> results) {
    LoadedModel.MaskedDecoder decoder =
        model.decoder().orElseThrow(() -> new InvalidRequestException("the model has no decoder"));
    float[] mask = Objects.requireNonNull(results.get("mask")).values();
    float[] guess = Objects.requireNonNull(results.get("reconstructed_image")).values();
    float[] left = seen.clone();
    float[] filled = seen.clone();
    for (int patch = 0; patch < grid.patches(); patch++) {
      if (mask[patch] == 0) {
        continue;
      }
      double[] ofPatch =
          decoder.isTargetNormed() ? meanAndDeviation(seen, patch) : new double[] {0, 1};
      for (int channel = 0; channel < grid.channels(); channel++) {
        for (int y = 0; y < grid.patchHeight(); y++) {
          int from = grid.index(patch, channel, y, 0);
          // The mean of all that the model learnt from.
          Arrays.fill(left, from, from + grid.patchWidth(), 0);
          for (int i = from; i < from + grid.patchWidth(); i++) {
            filled[i] = (float) (guess[i] * ofPatch[1] + ofPatch[0]);
          }
        }
      }
    }
    return Picture.beside(
        processor.picture(seen, grid),
        processor.picture(left, grid),
        processor.picture(filled, grid));
  }

  /** Of a patch's pixels, which a guess that is relative to them is made absolute with. */
  private double[] meanAndDeviation(float[] pixels, int patch) {
    double sum = 0;
    double squares = 0;
    for (int channel = 0; channel < grid.channels(); channel++) {
      for (int y = 0; y < grid.patchHeight(); y++) {
        int from = grid.index(patch, channel, y, 0);
        for (int i = from; i < from + grid.patchWidth(); i++) {
          sum += pixels[i];
          squares += (double) pixels[i] * pixels[i];
        }
      }
    }
    int count = grid.features();
    double mean = sum / count;
    double variance = Math.max(0, squares - count * mean * mean) / Math.max(1, count - 1);
    return new double[] {mean, Math.sqrt(variance + 1e-6)};
  }
}
