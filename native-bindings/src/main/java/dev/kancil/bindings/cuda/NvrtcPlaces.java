package dev.kancil.bindings.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Where NVRTC may lie, the likeliest first. */
final class NvrtcPlaces {
  private static final List<String> WHEEL_FOLDERS =
      List.of("nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib");

  private final UnaryOperator<@Nullable String> environment;
  private final List<String> candidates = new ArrayList<>();
  private final List<String> names;

  private NvrtcPlaces(int newestMajor, UnaryOperator<@Nullable String> environment) {
    this.environment = environment;
    names =
        List.of(13, 12, 11).stream()
            .filter(major -> major <= newestMajor)
            .map(major -> "libnvrtc.so." + (major == 11 ? "11.2" : major.toString()))
            .toList();
  }

  /**
   * Paths and names to try in this order: a file that the environment names, the toolkit's folder,
   * what the system knows, Python's packages; newer versions first in each.
   *
   * @param newestMajor the newest CUDA version whose programs the driver takes
   * @param environment the variables of the environment
   */
  static List<String> candidates(int newestMajor, UnaryOperator<@Nullable String> environment) {
    NvrtcPlaces places = new NvrtcPlaces(newestMajor, environment);
    String named = environment.apply("KANCIL_NVRTC");
    if (named != null) {
      // What somebody asked for is taken, or it is an error.
      return List.of(named);
    }
    places.addFolders("CUDA_HOME", "lib64");
    places.addFolders("CUDA_PATH", "lib64");
    places.candidates.addAll(places.names);
    places.addWheels("VIRTUAL_ENV", "lib");
    places.addWheels("HOME", ".local/lib");
    for (String folder : List.of("/usr/local/lib", "/usr/lib")) {
      places.addPythons(Path.of(folder));
    }
    return places.candidates;
  }

  private void addFolders(String variable, String below) {
    String folder = environment.apply(variable);
    if (folder != null && !folder.isEmpty()) {
      add(Path.of(folder, below));
    }
  }

  private void addWheels(String variable, String below) {
    String folder = environment.apply(variable);
    if (folder != null && !folder.isEmpty()) {
      addPythons(Path.of(folder, below));
    }
  }

  private void addPythons(Path folder) {
    List<Path> pythons = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "python3*")) {
        found.forEach(pythons::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    pythons.sort(Comparator.reverseOrder());
    for (Path python : pythons) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        for (String wheel : WHEEL_FOLDERS) {
          add(python.resolve(packages).resolve(wheel));
        }
      }
    }
  }

  private void add(Path folder) {
    for (String name : names) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        candidates.add(file.toString());
      }
    }
  }
}
