package dev.kancil.cli.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.KancilException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ModelCacheTest {
  @TempDir private Path folder;

  @Test
  void diskThatFillsUpLeavesNothingThatCouldBeTakenForAModel() {
    ModelCache cache = new ModelCache(folder);
    assertThatThrownBy(
            () ->
                cache.store(
                    "m",
                    "pypi:m",
                    target -> {
                      target.write(ByteBuffer.allocate(1000));
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(KancilException.class)
        .hasMessageContaining("No space left on device; free some space and run it again");
    assertThat(cache.find("m")).isEmpty();
    assertThat(folder.resolve("models")).isEmptyDirectory();
  }

  @Test
  void namesCanNotLeaveTheFolder() {
    ModelCache cache = new ModelCache(folder);
    assertThat(cache.find("../models/x")).isEmpty();
    assertThatThrownBy(() -> cache.locked("../x", () -> 1)).isInstanceOf(KancilException.class);
  }

  @Test
  void userFolderFollowsTheEnvironment() {
    assertThat(ModelCache.ofUser(Map.of("KANCIL_CACHE", "/a/b")::get).models())
        .isEqualTo(Path.of("/a/b/models"));
    if (System.getProperty("os.name").equals("Linux")) {
      assertThat(ModelCache.ofUser(Map.of("XDG_CACHE_HOME", "/c")::get).models())
          .isEqualTo(Path.of("/c/kancil/models"));
      assertThat(ModelCache.ofUser(Map.of("XDG_CACHE_HOME", "relative")::get).models())
          .isEqualTo(Path.of(System.getProperty("user.home"), ".cache/kancil/models"));
    }
  }
}
