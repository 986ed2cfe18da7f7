package dev.kancil.backend.cuda;

import dev.kancil.InvalidRequestException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.LocalDateTime;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Collects kernels, and writes them to a {@link KernelArchive}. Thread-safe. */
final class KernelArchiveWriter {
  /** The version of PTX that the drivers of {@link KernelTarget#DRIVER_VERSION} know. */
  private static final int VERSION = 80;

  /** Of all entries: the same kernels are the same bytes. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private static final Pattern VERSION_LINE =
      Pattern.compile("(?m)^\\.version ([0-9]{1,2})\\.([0-9])$");

  private final SortedMap<KernelIndex.Key, byte[]> kernels =
      new TreeMap<>(Comparator.comparing(KernelIndex.Key::path));

  /**
   * Adds a kernel.
   *
   * @param ptx of NVRTC, with its final zero
   */
  synchronized void add(KernelTarget target, String source, String options, byte[] ptx) {
    String text = new String(ptx, 0, ptx.length - 1, StandardCharsets.US_ASCII);
    kernels.put(
        KernelIndex.Key.of(target, source, options),
        forDrivers(text).getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * A text that drivers take which are older than what made it: it says that it is of the newest
   * version of PTX, whatever it uses of it.
   */
  static String forDrivers(String text) {
    Matcher line = VERSION_LINE.matcher(text);
    if (!line.find()) {
      return text;
    }
    int version = 10 * Integer.parseInt(line.group(1)) + Integer.parseInt(line.group(2));
    int known = Math.min(version, VERSION);
    return line.replaceFirst(".version " + known / 10 + "." + known % 10);
  }

  synchronized int count() {
    return kernels.size();
  }

  /**
   * Writes all, always the same bytes of the same kernels.
   *
   * @throws InvalidRequestException if the file can't be written
   */
  synchronized void write(Path file) {
    SequencedMap<KernelIndex.Key, KernelIndex.Entry> entries = new LinkedHashMap<>();
    kernels.forEach((key, ptx) -> entries.put(key, KernelIndex.Entry.of(ptx)));
    // Not one of Files' temporary files, which nobody else may read.
    Path part =
        file.resolveSibling(
            ".%s.%016x.partial".formatted(file.getFileName(), new SecureRandom().nextLong()));
    try {
      try {
        try (OutputStream stream = Files.newOutputStream(part, StandardOpenOption.CREATE_NEW);
            ZipOutputStream zip = new ZipOutputStream(stream)) {
          zip.setLevel(9);
          byte[] index = new KernelIndex(entries).text().getBytes(StandardCharsets.US_ASCII);
          put(zip, KernelArchive.INDEX, index);
          for (Map.Entry<KernelIndex.Key, byte[]> kernel : kernels.entrySet()) {
            put(zip, KernelArchive.FOLDER + kernel.getKey().path(), kernel.getValue());
          }
        }
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new InvalidRequestException(file + " can't be written: " + e, e);
    }
  }

  private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(TIME);
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
