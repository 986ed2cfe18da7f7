package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Files that are fetched together, a few at a time. */
final class Shipment {
  private static final int AT_A_TIME = 4;

  private final WebClient web;
  private final Backoff backoff;
  private final List<RemoteFile> files;

  Shipment(WebClient web, Backoff backoff, List<RemoteFile> files) {
    this.web = web;
    this.backoff = backoff;
    this.files = files;
    Set<String> names = new HashSet<>();
    for (RemoteFile file : files) {
      if (!names.add(file.name())) {
        throw new FormatException(file.address() + ": another file is called the same");
      }
    }
  }

  /**
   * Fetches what is not there yet.
   *
   * @param folder where the files are put under their names; it then holds no others
   * @param tags folder for what is known of their versions
   */
  void fetch(String what, Progress.Display display, Path folder, Path tags)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    Files.createDirectories(tags);
    removeOthers(folder);
    checkRoom(what, folder);
    long total = files.stream().anyMatch(file -> file.bytes() < 0) ? -1 : bytes();
    // The size of the first file that is begun is not that of all.
    Progress.Display ofAll = files.size() == 1 ? display : (text, _) -> display.begin(text, total);
    Semaphore places = new Semaphore(AT_A_TIME);
    try (SharedProgress progress = new SharedProgress(ofAll, what, total);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      ExecutorCompletionService<Boolean> ends = new ExecutorCompletionService<>(threads);
      List<Future<Boolean>> running = new ArrayList<>();
      try {
        for (RemoteFile file : files) {
          Path part = folder.resolve(file.name());
          Path tag = tags.resolve(file.name());
          Files.createDirectories(part.getParent());
          Files.createDirectories(tag.getParent());
          WebDownload download = new WebDownload(web, backoff, file, part, tag);
          running.add(
              ends.submit(
                  () -> {
                    places.acquire();
                    try {
                      download.run(progress.file());
                    } finally {
                      places.release();
                    }
                    return true;
                  }));
        }
        for (int i = 0; i < files.size(); i++) {
          ends.take().get();
        }
      } catch (ExecutionException e) {
        throw failure(e.getCause());
      } finally {
        // Of those that still run, nobody waits for the end.
        running.forEach(future -> future.cancel(true));
      }
    }
  }

  private long bytes() {
    return files.stream().mapToLong(RemoteFile::bytes).reduce(0, Math::addExact);
  }

  /** What an earlier fetch has left, when the model had other files. */
  private void removeOthers(Path folder) throws IOException {
    Set<String> names =
        files.stream().map(file -> file.name().split("/", 2)[0]).collect(Collectors.toSet());
    try (DirectoryStream<Path> here = Files.newDirectoryStream(folder)) {
      for (Path path : here) {
        if (!names.contains(String.valueOf(path.getFileName()))) {
          ModelCache.deleteTree(path);
        }
      }
    }
  }

  private void checkRoom(String what, Path folder) throws IOException {
    long missing = 0;
    for (RemoteFile file : files) {
      Path path = folder.resolve(file.name());
      long here = Files.exists(path) ? Files.size(path) : 0;
      missing = Math.addExact(missing, Math.max(0, file.bytes() - here));
    }
    long free = Files.getFileStore(folder).getUsableSpace();
    if (missing > free) {
      throw new FormatException(
          "%s takes %,d MB more, but %s has only %,d MB free"
              .formatted(what, missing / 1_000_000, folder, free / 1_000_000));
    }
  }

  private static IOException failure(@Nullable Throwable cause) throws InterruptedException {
    return switch (cause) {
      case IOException e -> e;
      case InterruptedException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> throw new IllegalStateException(cause);
    };
  }
}
