package dev.kancil.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where reference data lies. */
public final class TestData {
  private TestData() {}

  /** A file of the project's testdata folder. */
  public static Path path(String first, String... more) {
    Path path = Path.of(System.getProperty("kancil.testdata", "../testdata")).resolve(first);
    for (String name : more) {
      path = path.resolve(name);
    }
    return path;
  }

  /** A folder of further reference data, where the property {@code kancil.goldens} names one. */
  public static Optional<Path> goldens(String folder) {
    String root = System.getProperty("kancil.goldens", "");
    return root.isEmpty()
        ? Optional.empty()
        : Optional.of(Path.of(root).resolve(folder)).filter(Files::isDirectory);
  }
}
