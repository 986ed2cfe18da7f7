package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The name of one of the files that a GGUF file was split into.
 *
 * @param stem what all their names begin with
 */
record SplitName(String stem, int parts) {
  private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
  private static final int MOST_PARTS = 1000;

  /** Reads a name or path; empty if it is that of a whole file. */
  static Optional<SplitName> parse(String name) {
    Matcher part = PART.matcher(name);
    if (!part.matches()) {
      return Optional.empty();
    }
    int parts = Integer.parseInt(part.group(3));
    if (parts < 1 || parts > MOST_PARTS) {
      throw new FormatException(name + ": one of " + parts + " files");
    }
    return Optional.of(new SplitName(part.group(1), parts));
  }

  /** The names of all parts, in order. */
  List<String> names() {
    return IntStream.rangeClosed(1, parts)
        .mapToObj(i -> String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", stem, i, parts))
        .toList();
  }
}
