package dev.kancil.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Device code with its own includes in place: a compiler that runs on a device finds no files of
 * ours. Each file is included once.
 */
public final class KernelSource {
  private static final String ROOT = "META-INF/kancil/kernels/";
  private static final String SHARED = "common/";
  private static final Pattern INCLUDE = Pattern.compile("\\s*#include \"([a-z0-9_]+\\.h)\"\\s*");

  private final String folder;
  private final Set<String> seen = new HashSet<>();
  private final StringBuilder text = new StringBuilder();

  private KernelSource(String folder) {
    this.folder = folder;
  }

  /**
   * Reads a file and what it includes, each from its own folder or else from the one that all
   * share.
   *
   * @param path below the kernels' folder, such as {@code opencl/mat_vec.cl}
   * @throws IllegalArgumentException if there is no such file
   */
  public static String read(String path) {
    int slash = path.lastIndexOf('/');
    KernelSource source = new KernelSource(path.substring(0, slash + 1));
    source.append(path.substring(slash + 1));
    return source.text.toString();
  }

  private void append(String file) {
    if (!seen.add(file)) {
      return;
    }
    for (String line : load(file).split("\n", -1)) {
      Matcher include = INCLUDE.matcher(line);
      if (include.matches()) {
        append(include.group(1));
      } else {
        text.append(line).append('\n');
      }
    }
  }

  private String load(String file) {
    ClassLoader loader = KernelSource.class.getClassLoader();
    for (String place : List.of(folder, SHARED)) {
      try (InputStream stream = loader.getResourceAsStream(ROOT + place + file)) {
        if (stream != null) {
          return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    throw new IllegalArgumentException("there is no kernel " + folder + file);
  }
}
