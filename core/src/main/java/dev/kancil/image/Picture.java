package dev.kancil.image;

import java.util.function.IntUnaryOperator;

/**
 * An image in memory.
 *
 * @param width in pixels
 * @param height in pixels
 * @param samples red, green and blue of each pixel, each 0 to 255, row by row from the top; not
 *     copied
 */
public record Picture(int width, int height, byte[] samples) {
  /** Of each pixel. */
  public static final int CHANNELS = 3;

  public Picture {
    if (width < 1
        || height < 1
        || samples.length != Math.multiplyExact(CHANNELS, Math.multiplyExact(width, height))) {
      throw new IllegalArgumentException(
          samples.length + " samples of " + width + " x " + height + " pixels");
    }
  }

  /** A picture whose samples are computed from their index. */
  static Picture of(int width, int height, IntUnaryOperator sample) {
    byte[] samples = new byte[Math.multiplyExact(CHANNELS, Math.multiplyExact(width, height))];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (byte) sample.applyAsInt(i);
    }
    return new Picture(width, height, samples);
  }

  /** A sample, 0 to 255. */
  public int sample(int x, int y, int channel) {
    return samples[(y * width + x) * CHANNELS + channel] & 0xFF;
  }

  /** The middle of the size; black where the picture is smaller. */
  public Picture centre(int newWidth, int newHeight) {
    int left = Math.floorDiv(width - newWidth, 2);
    int top = Math.floorDiv(height - newHeight, 2);
    return of(
        newWidth,
        newHeight,
        i -> {
          int pixel = i / CHANNELS;
          int x = pixel % newWidth + left;
          int y = pixel / newWidth + top;
          boolean isInside = x >= 0 && x < width && y >= 0 && y < height;
          return isInside ? sample(x, y, i % CHANNELS) : 0;
        });
  }

  /** Pictures of one size, side by side. */
  public static Picture beside(Picture... pictures) {
    int width = pictures[0].width();
    int all = Math.multiplyExact(width, pictures.length);
    return of(
        all,
        pictures[0].height(),
        i -> {
          int pixel = i / CHANNELS;
          int x = pixel % all;
          return pictures[x / width].sample(x % width, pixel / all, i % CHANNELS);
        });
  }
}
