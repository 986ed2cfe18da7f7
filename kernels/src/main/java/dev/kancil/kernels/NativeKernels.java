package dev.kancil.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;

/** The library of the processor's kernels, which the build compiles where there is a C compiler. */
public final class NativeKernels {
  private static final String ROOT = "META-INF/kancil/native/";

  private NativeKernels() {}

  /**
   * Of the machine that this runs on, such as {@code linux-x86_64}: what its library lies under.
   */
  public static String platform() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return (system.startsWith("mac") ? "darwin" : system.split(" ", 2)[0])
        + "-"
        + (architecture.equals("amd64") ? "x86_64" : architecture);
  }

  /**
   * The library as a file, or nothing if this build has none for {@link #platform}. Where it lies
   * in a JAR it is copied, once, under a name with its sum and its length.
   *
   * @param folder to copy it to, which need not exist
   * @throws IOException if it can't be copied
   */
  public static Optional<Path> library(Path folder) throws IOException {
    URL place =
        NativeKernels.class.getClassLoader().getResource(ROOT + platform() + "/libkancil.so");
    if (place == null) {
      return Optional.empty();
    }
    if (place.getProtocol().equals("file")) {
      return Optional.of(Path.of(uri(place)));
    }
    String sum = sum();
    Path file = folder.resolve("libkancil-" + sum + ".so");
    if (!Files.isRegularFile(file) || !sum.endsWith("-" + Files.size(file))) {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "libkancil", ".part");
      try (InputStream stream = place.openStream()) {
        Files.copy(stream, part, StandardCopyOption.REPLACE_EXISTING);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    }
    return Optional.of(file);
  }

  private static URI uri(URL place) throws IOException {
    try {
      return place.toURI();
    } catch (URISyntaxException e) {
      throw new IOException(e);
    }
  }

  /** Of the library, as the build wrote it: its sum and its length. */
  private static String sum() throws IOException {
    try (InputStream stream =
        NativeKernels.class
            .getClassLoader()
            .getResourceAsStream(ROOT + platform() + "/libkancil.sum")) {
      if (stream == null) {
        throw new IOException("libkancil.sum is not beside it");
      }
      return new String(stream.readAllBytes(), StandardCharsets.US_ASCII).strip();
    }
  }
}
