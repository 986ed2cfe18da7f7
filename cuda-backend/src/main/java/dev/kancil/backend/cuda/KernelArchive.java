package dev.kancil.backend.cuda;

import dev.kancil.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * PTX of many kernels in a ZIP file, which as a JAR can lie on the class path. Nothing is believed
 * of it: sizes have limits, and each kernel is what its hash says, or the error names the file. The
 * file is open only while something is read.
 */
final class KernelArchive {
  /** The folder within. */
  static final String FOLDER = "META-INF/kancil/cuda/";

  /** The index of all that is in the folder. */
  static final String INDEX = FOLDER + "index.txt";

  private static final int LARGEST_INDEX = 64 << 20;

  private final Path file;
  private final KernelIndex index;

  private KernelArchive(Path file, KernelIndex index) {
    this.file = file;
    this.index = index;
  }

  /**
   * Reads what an archive holds, but no kernel.
   *
   * @throws FormatException if it can't be read, or is no such archive
   */
  static KernelArchive open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new FormatException(file + ": there is no such file of kernels");
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      byte[] text = read(zip, INDEX, LARGEST_INDEX);
      if (text == null) {
        throw new FormatException(
            file + ": there are no kernels in it; `kancil kernels` makes one");
      }
      return new KernelArchive(
          file, KernelIndex.parse(file.toString(), new String(text, StandardCharsets.US_ASCII)));
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static FormatException unreadable(Path file, IOException e) {
    return new FormatException(file + ": kernels can't be read from it: " + e.getMessage(), e);
  }

  /** At most {@code most} bytes and one more of an entry; null if there is none. */
  private static byte @Nullable [] read(ZipFile zip, String name, int most) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      return null;
    }
    try (InputStream stream = zip.getInputStream(entry)) {
      return stream.readNBytes(most + 1);
    }
  }

  Path file() {
    return file;
  }

  /** What its kernels are for. */
  Set<KernelTarget> targets() {
    Set<KernelTarget> targets = EnumSet.noneOf(KernelTarget.class);
    index.entries().keySet().forEach(key -> targets.add(key.target()));
    return targets;
  }

  /**
   * A kernel.
   *
   * @return its PTX, which ends with a zero; null if it is not among them
   * @throws FormatException if the file is damaged, or was changed meanwhile
   */
  byte @Nullable [] find(KernelTarget target, String source, String options) {
    KernelIndex.Key key = KernelIndex.Key.of(target, source, options);
    KernelIndex.Entry expected = index.entries().get(key);
    if (expected == null) {
      return null;
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      byte[] ptx = read(zip, FOLDER + key.path(), expected.bytes());
      if (ptx == null || !KernelIndex.Entry.of(ptx).equals(expected)) {
        throw new FormatException(file + ": it is damaged: not what it should be is " + key.path());
      }
      return Arrays.copyOf(ptx, ptx.length + 1);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }
}
