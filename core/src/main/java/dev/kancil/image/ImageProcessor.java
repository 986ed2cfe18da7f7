package dev.kancil.image;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.UnsupportedException;
import dev.kancil.family.ImageGrid;
import dev.kancil.format.TextFile;
import dev.kancil.format.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes of a picture what a model takes, as {@code preprocessor_config.json} says: another size,
 * the middle of it, and samples as numbers around zero.
 *
 * @param width of the picture in its new size; 0: by the shorter edge
 * @param height of the picture in its new size; where there is no width, the shorter edge; 0: the
 *     size stays
 * @param cropWidth of the middle; 0: all of it
 * @param cropHeight of the middle
 * @param scale what samples of 0 to 255 are multiplied by
 * @param mean what is subtracted then, of each channel
 * @param deviation what it is divided by then, of each channel
 */
public record ImageProcessor(
    Resampling resampling,
    int width,
    int height,
    int cropWidth,
    int cropHeight,
    double scale,
    List<Double> mean,
    List<Double> deviation) {
  /** The file beside a model. */
  public static final String FILE = "preprocessor_config.json";

  private static final long MOST_BYTES = 1_000_000;
  private static final int MOST_EDGE = 1 << 14;
  private static final List<Double> HALF = List.of(0.5, 0.5, 0.5);
  private static final List<Double> IMAGENET_MEAN = List.of(0.485, 0.456, 0.406);
  private static final List<Double> IMAGENET_DEVIATION = List.of(0.229, 0.224, 0.225);
  private static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
  private static final List<Double> CLIP_DEVIATION = List.of(0.26862954, 0.26130258, 0.27577711);

  public ImageProcessor {
    mean = List.copyOf(mean);
    deviation = List.copyOf(deviation);
  }

  /**
   * What a model's folder says, or where it says nothing, what is usual for its architecture.
   *
   * @param architecture {@code vit}, {@code vit_mae} or {@code clip} and what begins so
   * @param grid the size that the model takes
   * @throws FormatException if the file is damaged
   * @throws UnsupportedException if it asks for what is not known
   */
  public static ImageProcessor read(Path folder, String architecture, ImageGrid grid) {
    Path file = folder.resolve(FILE);
    if (Files.exists(file)) {
      return new Settings(file, Settings.object(file)).processor();
    }
    // Transformers 5 has one file for pictures and texts.
    Path ofBoth = folder.resolve("processor_config.json");
    if (Files.exists(ofBoth)
        && Settings.object(ofBoth).get("image_processor") instanceof Map<?, ?> settings) {
      return new Settings(ofBoth, settings).processor();
    }
    if (architecture.startsWith("clip")) {
      int edge = Math.max(grid.height(), grid.width());
      return new ImageProcessor(
          Resampling.BICUBIC,
          0,
          edge,
          grid.width(),
          grid.height(),
          1 / 255.0,
          CLIP_MEAN,
          CLIP_DEVIATION);
    }
    boolean isMasked = architecture.equals("vit_mae");
    return new ImageProcessor(
        Resampling.BILINEAR,
        grid.width(),
        grid.height(),
        0,
        0,
        1 / 255.0,
        isMasked ? IMAGENET_MEAN : HALF,
        isMasked ? IMAGENET_DEVIATION : HALF);
  }

  /** The same for images of another size. */
  public ImageProcessor withSize(ImageGrid grid) {
    boolean isByEdge = width == 0 && height > 0;
    return new ImageProcessor(
        resampling,
        isByEdge ? 0 : grid.width(),
        isByEdge ? Math.max(grid.width(), grid.height()) : grid.height(),
        isByEdge ? grid.width() : 0,
        isByEdge ? grid.height() : 0,
        scale,
        mean,
        deviation);
  }

  /**
   * A picture's pixels, [channels, height, width].
   *
   * @throws InvalidRequestException if the model takes another size or number of channels
   */
  public float[] pixels(Picture picture, ImageGrid grid) {
    if (grid.channels() != Picture.CHANNELS) {
      throw new InvalidRequestException(
          "the model takes images of "
              + grid.channels()
              + " channels, but a picture has "
              + Picture.CHANNELS
              + "; give it arrays");
    }
    Picture of = resized(picture);
    if (cropWidth > 0) {
      of = of.centre(cropWidth, cropHeight);
    }
    if (of.width() != grid.width() || of.height() != grid.height()) {
      throw new InvalidRequestException(
          "%s makes the picture %d wide and %d high, but the model takes %d and %d"
              .formatted(FILE, of.width(), of.height(), grid.width(), grid.height()));
    }
    float[] pixels = new float[grid.pixels()];
    int at = 0;
    for (int channel = 0; channel < Picture.CHANNELS; channel++) {
      float subtracted = mean.get(channel).floatValue();
      float divisor = deviation.get(channel).floatValue();
      for (int y = 0; y < of.height(); y++) {
        for (int x = 0; x < of.width(); x++) {
          pixels[at++] = ((float) (of.sample(x, y, channel) * scale) - subtracted) / divisor;
        }
      }
    }
    return pixels;
  }

  private Picture resized(Picture picture) {
    if (height == 0) {
      return picture;
    }
    if (width > 0) {
      return resampling.resize(picture, width, height);
    }
    int shorter = Math.min(picture.width(), picture.height());
    long longer = Math.max(picture.width(), picture.height());
    long edge = height * longer / shorter;
    if (edge * height > 1L << 26) {
      throw new InvalidRequestException(
          "a picture of " + picture.width() + " x " + picture.height() + " is too long to resize");
    }
    return picture.width() <= picture.height()
        ? resampling.resize(picture, height, (int) edge)
        : resampling.resize(picture, (int) edge, height);
  }

  /** Pixels as a picture: the other way round, as far as samples go. */
  public Picture picture(float[] pixels, ImageGrid grid) {
    int plane = Math.multiplyExact(grid.width(), grid.height());
    return Picture.of(
        grid.width(),
        grid.height(),
        i -> {
          int channel = i % Picture.CHANNELS;
          double value =
              pixels[channel * plane + i / Picture.CHANNELS] * deviation.get(channel)
                  + mean.get(channel);
          return Math.clamp(Math.round(value / scale), 0, 255);
        });
  }

  /** The file's settings. */
  private static final class Settings {
    private final Path file;
    private final Map<?, ?> values;
    private final boolean isClip;

    Settings(Path file, Map<?, ?> values) {
      this.file = file;
      this.values = values;
      isClip =
          (values.get("image_processor_type") + " " + values.get("feature_extractor_type"))
              .contains("CLIP");
    }

    static Map<?, ?> object(Path file) {
      if (!(Json.parse(TextFile.read(file, MOST_BYTES)) instanceof Map<?, ?> map)) {
        throw new FormatException(file + ": it is no JSON object");
      }
      return map;
    }

    ImageProcessor processor() {
      boolean isResized = flag("do_resize", true);
      int[] size = isResized ? size("size", isClip) : new int[2];
      int[] crop = flag("do_center_crop", isClip) ? size("crop_size", false) : new int[2];
      double scale = flag("do_rescale", true) ? number("rescale_factor", 1 / 255.0) : 1;
      boolean isNormed = flag("do_normalize", true);
      if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
        throw invalid("rescale_factor");
      }
      return new ImageProcessor(
          resampling(),
          size[0],
          size[1],
          crop[0],
          crop[1],
          scale,
          isNormed ? channels("image_mean", isClip ? CLIP_MEAN : HALF) : List.of(0.0, 0.0, 0.0),
          isNormed ? deviations() : List.of(1.0, 1.0, 1.0));
    }

    private List<Double> deviations() {
      List<Double> deviations = channels("image_std", isClip ? CLIP_DEVIATION : HALF);
      if (deviations.contains(0.0)) {
        throw invalid("image_std");
      }
      return deviations;
    }

    private Resampling resampling() {
      int number = (int) number("resample", isClip ? 3 : 2);
      return switch (number) {
        case 0 -> Resampling.NEAREST;
        case 1 -> Resampling.LANCZOS;
        case 2 -> Resampling.BILINEAR;
        case 3 -> Resampling.BICUBIC;
        default ->
            throw new UnsupportedException(file + ": resample " + number + " is not supported");
      };
    }

    /** Width and height; no width and the shorter edge. */
    private int[] size(String key, boolean isEdge) {
      return switch (values.get(key)) {
        case null -> new int[] {isEdge ? 0 : 224, 224};
        case Number both -> new int[] {isEdge ? 0 : edge(key, both), edge(key, both)};
        case Map<?, ?> map when map.get("shortest_edge") != null && map.size() == 1 ->
            new int[] {0, edge(key, map.get("shortest_edge"))};
        case Map<?, ?> map when map.size() == 2 ->
            new int[] {edge(key, map.get("width")), edge(key, map.get("height"))};
        default -> throw invalid(key);
      };
    }

    private int edge(String key, @Nullable Object value) {
      if (value instanceof Number number
          && number.doubleValue() >= 1
          && number.doubleValue() <= MOST_EDGE) {
        return number.intValue();
      }
      throw invalid(key);
    }

    private boolean flag(String key, boolean usual) {
      return switch (values.get(key)) {
        case null -> usual;
        case Boolean truth -> truth;
        default -> throw invalid(key);
      };
    }

    private double number(String key, double usual) {
      return switch (values.get(key)) {
        case null -> usual;
        case Number number -> number.doubleValue();
        default -> throw invalid(key);
      };
    }

    private List<Double> channels(String key, List<Double> usual) {
      return switch (values.get(key)) {
        case null -> usual;
        case List<?> list
            when list.size() == Picture.CHANNELS
                && list.stream().allMatch(value -> value instanceof Number) ->
            list.stream().map(value -> ((Number) value).doubleValue()).toList();
        default -> throw invalid(key);
      };
    }

    private FormatException invalid(String key) {
      return new FormatException(file + ": " + key + " is " + values.get(key));
    }
  }
}
