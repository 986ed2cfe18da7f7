package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.KernelCompiler;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.testing.TinyModels;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ModelKernelsTest {
  @TempDir private Path folder;

  /** Of three kinds, some of which can't run a model. */
  private record Kinds(Set<Integer> unfit) implements KernelCompiler {
    @Override
    public List<String> kinds() {
      return List.of("old", "usual", "new");
    }

    @Override
    public Device open(int kind, DeviceOptions options) {
      if (unfit.contains(kind)) {
        throw new UnfitDeviceException("too small");
      }
      return new ReferenceBackend().open(0, options);
    }

    @Override
    public int count() {
      return 0;
    }

    @Override
    public void write(Path file) {
      throw new AssertionError("nothing is to be written");
    }
  }

  private List<String> compile(Set<Integer> unfit) {
    Path path = TinyModels.LLAMA.write(folder);
    return ModelKernels.compile(
        () -> ModelFiles.open(path), ModelOptions.DEFAULT, false, new Kinds(unfit));
  }

  @Test
  void kindsThatCantRunAModelAreToldAndLeftOut() {
    assertThat(compile(Set.of())).isEmpty();
    assertThat(compile(Set.of(0, 2))).containsExactly("old: too small", "new: too small");
  }

  @Test
  void aModelThatNoKindCanRunIsRefused() {
    assertThatThrownBy(() -> compile(Set.of(0, 1, 2)))
        .isInstanceOf(UnfitDeviceException.class)
        .hasMessage("old: too small; usual: too small; new: too small");
  }
}
