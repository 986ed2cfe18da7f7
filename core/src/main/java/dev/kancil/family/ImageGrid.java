package dev.kancil.family;

import dev.kancil.InvalidRequestException;
import java.util.List;

/**
 * How an image becomes rows: patches of equal size, one row of them after the other from the top
 * left; what is left at the right and at the bottom is not seen.
 *
 * @param channels of each pixel
 * @param height of images, in pixels
 * @param width of images, in pixels
 * @param patchHeight of a patch, in pixels
 * @param patchWidth of a patch, in pixels
 */
public record ImageGrid(int channels, int height, int width, int patchHeight, int patchWidth) {
  private static final int MOST_CHANNELS = 1 << 10;
  private static final int MOST_PIXELS = 1 << 14;

  public ImageGrid {
    if (patchHeight > height || patchWidth > width) {
      throw new IllegalArgumentException(
          "patches of %d x %d in images of %d x %d"
              .formatted(patchHeight, patchWidth, height, width));
    }
  }

  /** The same for images of another size, of which that many patches are seen. */
  private ImageGrid of(ImageSize size) {
    if (size.height() < patchHeight
        || size.width() < patchWidth
        || size.height() > MOST_PIXELS
        || size.width() > MOST_PIXELS) {
      throw new InvalidRequestException(
          "images %d high and %d wide for patches of %d and %d; sides are at most %d"
              .formatted(size.height(), size.width(), patchHeight, patchWidth, MOST_PIXELS));
    }
    return new ImageGrid(channels, size.height(), size.width(), patchHeight, patchWidth);
  }

  /** That of the images that are asked about. */
  static ImageGrid asked(Hyperparameters settings) {
    ImageGrid learnt = of(settings);
    return settings.images().map(learnt::of).orElse(learnt);
  }

  /**
   * Where embeddings of the positions that are asked about are.
   *
   * @param name of the table that the model learnt
   */
  static WeightPlace positions(String name, Hyperparameters settings) {
    ImageGrid learnt = of(settings);
    ImageGrid asked = asked(settings);
    WeightPlace table = WeightPlace.named(name);
    return learnt.rows() == asked.rows() && learnt.columns() == asked.columns()
        ? table
        : new WeightPlace.Interpolated(
            table, learnt.rows(), learnt.columns(), asked.rows(), asked.columns());
  }

  /**
   * What the model was made for: {@code image_size}, {@code patch_size} and {@code num_channels}.
   */
  static ImageGrid of(Hyperparameters settings) {
    List<Long> image = size(settings, "image_size");
    List<Long> patch = size(settings, "patch_size");
    return new ImageGrid(
        settings.optional("num_channels", MOST_CHANNELS).orElse(3),
        image.getFirst().intValue(),
        image.getLast().intValue(),
        patch.getFirst().intValue(),
        patch.getLast().intValue());
  }

  /** Height and width, or both in one. */
  private static List<Long> size(Hyperparameters settings, String key) {
    List<Long> size = settings.integers(key);
    if (size.isEmpty() || size.size() > 2) {
      throw settings.invalid(key, "is neither a number nor two");
    }
    for (long side : size) {
      if (side < 1 || side > MOST_PIXELS) {
        throw settings.invalid(key, "is " + size);
      }
    }
    return size;
  }

  /** How many patches are beside each other. */
  public int columns() {
    return width / patchWidth;
  }

  /** How many patches are below each other. */
  public int rows() {
    return height / patchHeight;
  }

  /** How many patches an image has. */
  public int patches() {
    return Math.multiplyExact(rows(), columns());
  }

  /** How many numbers a patch has. */
  public int features() {
    return Math.multiplyExact(channels, Math.multiplyExact(patchHeight, patchWidth));
  }

  /** How many numbers an image has. */
  public int pixels() {
    return Math.multiplyExact(channels, Math.multiplyExact(height, width));
  }

  /** Where a pixel lies among those of an image, [channels, height, width]. */
  public int index(int patch, int channel, int y, int x) {
    int row = patch / columns() * patchHeight + y;
    return (channel * height + row) * width + patch % columns() * patchWidth + x;
  }
}
