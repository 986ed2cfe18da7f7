package dev.kancil.cli;

import dev.kancil.FormatException;
import dev.kancil.image.Picture;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Pictures as files. */
final class ImageFile {
  private static final long MOST_PIXELS = 1 << 26;

  private ImageFile() {}

  /**
   * Reads a picture in one of the formats that the JDK knows; what is transparent in it is taken as
   * if it were not.
   *
   * @throws FormatException if it is none, is damaged, or is absurdly large
   */
  static Picture read(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new FormatException(path + ": there is no such file");
    }
    ImageIO.setUseCache(false);
    try (ImageInputStream in = ImageIO.createImageInputStream(path.toFile())) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new FormatException(path + ": it is no picture that can be read; PNG and JPEG can");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        // Told by the header, before there is memory for pixels.
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > MOST_PIXELS) {
          throw new FormatException(
              "%s: it has %d x %d pixels; make it smaller"
                  .formatted(path, reader.getWidth(0), reader.getHeight(0)));
        }
        return picture(reader.read(0));
      } finally {
        reader.dispose();
      }
    } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
      // Readers throw the others of damaged files.
      throw new FormatException(path + ": the picture can't be read: " + e.getMessage(), e);
    }
  }

  private static Picture picture(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    ColorModel model = image.getColorModel();
    boolean isGray = model.getNumColorComponents() == 1 && !(model instanceof IndexColorModel);
    byte[] samples = new byte[Picture.CHANNELS * width * height];
    int at = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int rgb = isGray ? gray(image.getRaster(), model, x, y) : image.getRGB(x, y);
        samples[at++] = (byte) (rgb >> 16);
        samples[at++] = (byte) (rgb >> 8);
        samples[at++] = (byte) rgb;
      }
    }
    return new Picture(width, height, samples);
  }

  /** A gray level as it lies there: color models take it for linear, and make it lighter. */
  private static int gray(Raster raster, ColorModel model, int x, int y) {
    int bits = model.getComponentSize(0);
    int sample = raster.getSample(x, y, 0);
    int level = bits > 8 ? sample >> (bits - 8) : sample * 255 / ((1 << bits) - 1);
    return level * 0x010101;
  }

  /**
   * Writes a PNG.
   *
   * @throws FormatException if it can't be written
   */
  static void write(Path path, Picture picture) {
    BufferedImage image =
        new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < picture.height(); y++) {
      for (int x = 0; x < picture.width(); x++) {
        image.setRGB(
            x,
            y,
            picture.sample(x, y, 0) << 16 | picture.sample(x, y, 1) << 8 | picture.sample(x, y, 2));
      }
    }
    try {
      ImageIO.write(image, "png", path.toFile());
    } catch (IOException e) {
      throw new FormatException(path + ": can't be written: " + e.getMessage(), e);
    }
  }
}
