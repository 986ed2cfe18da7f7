package dev.kancil.backend.accelerator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BinaryCacheTest {
  private static final byte[] BINARY = {1, 2, 3, 4, 5};

  @TempDir private Path folder;

  @Test
  void whatWasKeptIsFoundByTheSameSourceOptionsAndDeviceOnly() {
    BinaryCache cache = new BinaryCache(folder, "device, driver 1");
    cache.keep("source", "options", BINARY);
    assertThat(cache.find("source", "options")).isEqualTo(BINARY);
    assertThat(cache.find("other source", "options")).isNull();
    assertThat(cache.find("source", "other options")).isNull();
    assertThat(new BinaryCache(folder, "device, driver 2").find("source", "options")).isNull();
  }

  @Test
  void damagedFilesAreNotTrusted() throws IOException {
    BinaryCache cache = new BinaryCache(folder, "device");
    cache.keep("source", "options", BINARY);
    Path file = files().getFirst();
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < whole.length; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= 1;
      Files.write(file, damaged);
      assertThat(cache.find("source", "options")).as("byte " + i).isNull();
    }
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      assertThat(cache.find("source", "options")).as("length " + length).isNull();
    }
    Files.write(file, whole);
    assertThat(cache.find("source", "options")).isEqualTo(BINARY);
  }

  @Test
  void nothingIsLeftBesideWhatIsKept() throws IOException {
    BinaryCache cache = new BinaryCache(folder, "device");
    cache.keep("source", "options", BINARY);
    cache.keep("source", "options", BINARY);
    assertThat(files()).hasSize(1);
    cache.forget("source", "options");
    assertThat(files()).isEmpty();
  }

  @Test
  void folderThatCannotBeMadeIsNoError() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    BinaryCache cache = new BinaryCache(file.resolve("below"), "device");
    assertThatCode(() -> cache.keep("source", "options", BINARY)).doesNotThrowAnyException();
    assertThat(cache.find("source", "options")).isNull();
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
