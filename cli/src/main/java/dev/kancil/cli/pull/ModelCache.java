package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import dev.kancil.backend.UserCache;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Fetched models, each a file or a folder in {@code models/}, beside a file that names its origin.
 * What is there is whole: it gets its name when all of it is written and checked.
 */
public final class ModelCache {
  private static final String ENDING = ".gguf";
  private static final String ORIGIN_ENDING = ".origin";

  private final Path root;

  public ModelCache(Path root) {
    this.root = root;
  }

  /**
   * The cache in the user's folder.
   *
   * @param environment looks up an environment variable
   * @see UserCache
   */
  public static ModelCache ofUser(Function<String, @Nullable String> environment) {
    return new ModelCache(UserCache.folder(environment));
  }

  /** A model that is here. */
  public record Entry(String name, Path path, long bytes, String origin) {}

  /** All models that are here, by name. */
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    try (Stream<Path> files = Files.list(models())) {
      for (Path file : files.sorted().toList()) {
        String fileName = file.getFileName().toString();
        boolean folder = Files.isDirectory(file);
        if ((folder || fileName.endsWith(ENDING)) && !fileName.startsWith(".")) {
          String name =
              folder ? fileName : fileName.substring(0, fileName.length() - ENDING.length());
          entries.add(
              new Entry(
                  name, folder ? opened(file) : file, bytes(file), origin(name).orElse("unknown")));
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw failure(models(), "can't be read", e);
    }
    return entries;
  }

  private static long bytes(Path tree) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  /** A model that is here: the path to open. */
  public Optional<Path> find(String name) {
    if (!isName(name)) {
      return Optional.empty();
    }
    return Optional.of(file(name))
        .filter(Files::isRegularFile)
        .or(() -> Optional.of(folder(name)).filter(Files::isDirectory).map(ModelCache::opened));
  }

  /** What of a folder is opened: the first part of a split file, or the folder. */
  private static Path opened(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(ENDING))
          .sorted()
          .findFirst()
          .orElse(folder);
    } catch (IOException e) {
      throw failure(folder, "can't be read", e);
    }
  }

  /** From where the model of this name came, as far as that is known. */
  Optional<String> origin(String name) {
    Path file = models().resolve(name + ORIGIN_ENDING);
    try {
      return Files.exists(file) ? Optional.of(Files.readString(file).strip()) : Optional.empty();
    } catch (IOException e) {
      throw failure(file, "can't be read", e);
    }
  }

  private static boolean isName(String name) {
    return name.matches("[A-Za-z0-9_][A-Za-z0-9._+-]*");
  }

  Path models() {
    return root.resolve("models");
  }

  private Path file(String name) {
    return models().resolve(name + ENDING);
  }

  private Path folder(String name) {
    return models().resolve(name);
  }

  /** Where parts of a download wait until all is there. */
  Path downloads(String name) {
    return root.resolve("downloads").resolve(name);
  }

  /** Writes a model's content. */
  @FunctionalInterface
  interface Content {
    void write(FileChannel target) throws IOException;
  }

  /**
   * Keeps what {@code content} writes, once it has written all of it without an error.
   *
   * @return the model's file
   */
  Path store(String name, String origin, Content content) {
    Path part = models().resolve("." + name + ".part");
    try {
      Files.createDirectories(models());
      try (FileChannel channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        content.write(channel);
        channel.force(true);
      }
      Files.writeString(models().resolve(name + ORIGIN_ENDING), origin + "\n");
      Files.move(
          part, file(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return file(name);
    } catch (IOException e) {
      throw failure(file(name), "can't be written", e);
    } finally {
      deleteQuietly(part);
    }
  }

  /**
   * Gives a model's name to what is written and checked: a single GGUF file, or a folder.
   *
   * @param written a file or folder below {@link #downloads}, which is moved
   * @return the path to open
   */
  Path adopt(String name, String origin, Path written) {
    try {
      Files.createDirectories(models());
      Files.writeString(models().resolve(name + ORIGIN_ENDING), origin + "\n");
      boolean isFolder = Files.isDirectory(written);
      Path target = isFolder ? folder(name) : file(name);
      Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
      return isFolder ? opened(target) : target;
    } catch (IOException e) {
      throw failure(file(name), "can't be written", e);
    }
  }

  /** Runs {@code work} while no other process fetches the same model. */
  <T> T locked(String name, Supplier<T> work) {
    if (!isName(name)) {
      throw new FormatException(name + " can't be the name of a model");
    }
    Path lockFile = downloads(name + ".lock");
    try {
      Files.createDirectories(lockFile.getParent());
      try (FileChannel channel =
              FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock _ = channel.lock()) {
        return work.get();
      }
    } catch (IOException e) {
      throw failure(lockFile, "can't be written", e);
    }
  }

  /** Removes a folder and all in it. */
  static void deleteTree(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> tree = Files.walk(folder)) {
        for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(path);
        }
      }
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // It is called a part and will be overwritten; the first error matters more.
      return;
    }
  }

  /** Java has no exception of its own for this; the text is the operating system's. */
  static boolean isDiskFull(IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left") || message.contains("not enough space");
  }

  /** One line on what went wrong with a file of the cache. */
  static FormatException failure(Path path, String what, IOException cause) {
    String reason =
        switch (cause) {
          case AccessDeniedException _ -> "no permission";
          case FileSystemException e when e.getReason() != null -> e.getReason();
          default -> String.valueOf(cause.getMessage());
        };
    String advice =
        isDiskFull(cause)
            ? "; free some space and run it again, it goes on where it stopped"
            : "; KANCIL_CACHE can name another folder";
    return new FormatException(path + " " + what + ": " + reason + advice, cause);
  }
}
