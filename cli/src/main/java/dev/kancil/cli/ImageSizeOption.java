package dev.kancil.cli;

import dev.kancil.family.ImageSize;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** How large the images are that a model sees. */
final class ImageSizeOption {
  @Option(
      names = "--image-size",
      paramLabel = "N|HEIGHTxWIDTH",
      converter = Converter.class,
      description =
          "Images of another size than the model was made for; positions are interpolated.")
  private @Nullable ImageSize size;

  Optional<ImageSize> size() {
    return Optional.ofNullable(size);
  }

  static final class Converter implements CommandLine.ITypeConverter<ImageSize> {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})(?:x(\\d{1,6}))?");

    @Override
    public ImageSize convert(String text) {
      Matcher found = SIZE.matcher(text);
      if (!found.matches()) {
        throw new CommandLine.TypeConversionException(
            "the size is not a number of pixels, nor two with an x between them: " + text);
      }
      int height = Integer.parseInt(found.group(1));
      String width = found.group(2);
      return new ImageSize(height, width == null ? height : Integer.parseInt(width));
    }
  }
}
