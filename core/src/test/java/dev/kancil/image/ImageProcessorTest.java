package dev.kancil.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.family.ImageGrid;
import dev.kancil.testing.Safetensors;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures against Pillow and the image processors of transformers. */
class ImageProcessorTest {
  private static final ImageGrid GRID = new ImageGrid(3, 24, 24, 8, 8);
  private static final Safetensors EXPECTED =
      Safetensors.read(TestData.path("pictures", "pictures.safetensors.gz"));

  @TempDir private Path folder;

  /** As {@code scripts/make-reference-pictures} makes it. */
  private static Picture picture() {
    return Picture.of(
        40,
        30,
        i ->
            (i / 3 % 40 * 6 * (i % 3 != 1 ? 1 : 0)
                    + i / 120 * 8 * (i % 3 != 0 ? 1 : 0)
                    + (int) ((long) i * i % 61))
                % 256);
  }

  @ParameterizedTest
  @EnumSource(Resampling.class)
  void pillowResizesToTheSameSamples(Resampling resampling) {
    String stem = resampling.name().toLowerCase(Locale.ROOT) + ".";
    for (String name : EXPECTED.names()) {
      if (name.startsWith(stem)) {
        String[] size = name.substring(stem.length()).split("x", 2);
        Picture resized =
            resampling.resize(picture(), Integer.parseInt(size[0]), Integer.parseInt(size[1]));
        float[] samples = new float[resized.samples().length];
        for (int i = 0; i < samples.length; i++) {
          samples[i] = resized.samples()[i] & 0xFF;
        }
        assertThat(samples).as(name).isEqualTo(EXPECTED.floats(name));
      }
    }
  }

  @Test
  void settingsOfAFileMakeThePixelsOfTransformers() throws IOException {
    write(
        """
        {"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}}""");
    requirePixels("vit", "vit");
    write(
        """
        {"feature_extractor_type": "CLIPFeatureExtractor", "size": 24, "crop_size": 24}""");
    requirePixels("clip", "clip");
    write(
        """
        {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 20},
         "crop_size": {"height": 24, "width": 24}, "resample": 1, "do_convert_rgb": true,
         "rescale_factor": 0.00784313725490196, "image_mean": [1.0, 0.9, 0.8],
         "image_std": [0.5, 0.6, 0.7]}""");
    requirePixels("clip", "other");
  }

  @Test
  void transformers5HasOneFileForPicturesAndTexts() throws IOException {
    Files.writeString(
        folder.resolve("processor_config.json"),
        """
        {"image_processor": {"image_processor_type": "CLIPImageProcessor",
         "size": {"shortest_edge": 20}, "crop_size": {"height": 24, "width": 24}, "resample": 1,
         "rescale_factor": 0.00784313725490196, "image_mean": [1.0, 0.9, 0.8],
         "image_std": [0.5, 0.6, 0.7]}, "processor_class": "CLIPProcessor"}""");
    requirePixels("clip", "other");
  }

  @Test
  void withoutAFileItIsWhatTheArchitectureUsuallyDoes() {
    requirePixels("vit", "vit");
    requirePixels("clip_vision_model", "clip");
  }

  private void requirePixels(String architecture, String expected) {
    float[] pixels = ImageProcessor.read(folder, architecture, GRID).pixels(picture(), GRID);
    float[] wanted = EXPECTED.floats(expected);
    assertThat(pixels).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.length; i++) {
      // Two roundings of float32.
      assertThat(Math.abs(pixels[i] - wanted[i])).as(expected + i).isLessThan(1e-6f);
    }
  }

  @Test
  void pixelsBecomeTheSamePictureAgain() {
    Picture small = Resampling.BICUBIC.resize(picture(), 24, 24);
    ImageProcessor processor = ImageProcessor.read(folder, "vit_mae", GRID);
    Picture again = processor.picture(processor.pixels(small, GRID), GRID);
    assertThat(Arrays.equals(again.samples(), small.samples())).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{\"size\": {\"longest_edge\": 24}}",
        "{\"size\": -1}",
        "{\"size\": {\"height\": 24, \"width\": 1e9}}",
        "{\"image_std\": [1, 0, 1]}",
        "{\"image_mean\": [1, 0]}",
        "{\"do_resize\": 1}",
        "{\"rescale_factor\": 0}",
        "{"
      })
  void damagedSettingsAreOneError(String text) throws IOException {
    write(text);
    assertThatThrownBy(() -> ImageProcessor.read(folder, "vit", GRID))
        .isInstanceOf(FormatException.class);
  }

  @Test
  void otherSizesThanTheModelTakesAreToldOf() throws IOException {
    write("{\"size\": 32}");
    ImageProcessor processor = ImageProcessor.read(folder, "vit", GRID);
    assertThatThrownBy(() -> processor.pixels(picture(), GRID))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("32 wide");
    ImageGrid gray = new ImageGrid(1, 32, 32, 8, 8);
    assertThatThrownBy(() -> processor.pixels(picture(), gray)).hasMessageContaining("channels");
  }

  private void write(String text) throws IOException {
    Files.writeString(folder.resolve(ImageProcessor.FILE), text);
  }
}
