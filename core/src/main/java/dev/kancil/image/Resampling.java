package dev.kancil.image;

/**
 * How a picture gets another size: each of its new pixels is a weighted mean of those around it,
 * and where it becomes smaller, of as many more. Rows are done first, then columns, both rounded to
 * 8 bits with weights of 22, as Pillow does it, so that results are equal to the last bit.
 */
public enum Resampling {
  /** The nearest pixel. */
  NEAREST(0),
  /** Windowed sinc, three lobes. */
  LANCZOS(3),
  /** A triangle. */
  BILINEAR(1),
  /** Cubic convolution with a = -1/2 (Keys 1981). */
  BICUBIC(2);

  private static final int BITS = 22;

  /** How far a weight reaches, in pixels of the coarser picture. */
  private final double reach;

  Resampling(double reach) {
    this.reach = reach;
  }

  /** The picture in another size. */
  public Picture resize(Picture picture, int width, int height) {
    Picture wide = width == picture.width() ? picture : rows(picture, width);
    return height == wide.height() ? wide : columns(wide, height);
  }

  private Picture rows(Picture from, int width) {
    Weights[] weights = weights(from.width(), width);
    return Picture.of(
        width,
        from.height(),
        i -> {
          int pixel = i / Picture.CHANNELS;
          int y = pixel / width;
          Weights of = weights[pixel % width];
          long sum = 1L << (BITS - 1);
          for (int k = 0; k < of.values.length; k++) {
            sum += (long) of.values[k] * from.sample(of.first + k, y, i % Picture.CHANNELS);
          }
          return clamped(sum);
        });
  }

  private Picture columns(Picture from, int height) {
    Weights[] weights = weights(from.height(), height);
    return Picture.of(
        from.width(),
        height,
        i -> {
          int pixel = i / Picture.CHANNELS;
          int x = pixel % from.width();
          Weights of = weights[pixel / from.width()];
          long sum = 1L << (BITS - 1);
          for (int k = 0; k < of.values.length; k++) {
            sum += (long) of.values[k] * from.sample(x, of.first + k, i % Picture.CHANNELS);
          }
          return clamped(sum);
        });
  }

  private static int clamped(long sum) {
    return Math.clamp(sum >> BITS, 0, 255);
  }

  /** What a new pixel is made of: pixels from {@code first} on. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Weights(int first, int[] values) {}

  private Weights[] weights(int from, int to) {
    double scale = (double) from / to;
    double widening = Math.max(scale, 1);
    Weights[] weights = new Weights[to];
    // Added up, not multiplied: where two pixels are as near, rounding decides.
    double sumOfScales = scale / 2;
    for (int i = 0; i < to; i++) {
      double center = (i + 0.5) * scale;
      if (this == NEAREST) {
        weights[i] = new Weights(Math.min((int) sumOfScales, from - 1), new int[] {1 << BITS});
        sumOfScales += scale;
        continue;
      }
      int first = Math.max(0, (int) (center - reach * widening + 0.5));
      int end = Math.min(from, (int) (center + reach * widening + 0.5));
      double[] plain = new double[end - first];
      double sum = 0;
      for (int k = 0; k < plain.length; k++) {
        plain[k] = weight((k + first - center + 0.5) / widening);
        sum += plain[k];
      }
      int[] rounded = new int[plain.length];
      for (int k = 0; k < plain.length; k++) {
        double of = plain[k] / sum * (1 << BITS);
        rounded[k] = (int) (of < 0 ? of - 0.5 : of + 0.5);
      }
      weights[i] = new Weights(first, rounded);
    }
    return weights;
  }

  private double weight(double distance) {
    double x = Math.abs(distance);
    if (x >= reach) {
      return 0;
    }
    return switch (this) {
      case NEAREST -> 1;
      case BILINEAR -> 1 - x;
      case BICUBIC -> x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((2.5 - 0.5 * x) * x - 4) * x + 2;
      case LANCZOS -> sinc(x) * sinc(x / reach);
    };
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }
}
