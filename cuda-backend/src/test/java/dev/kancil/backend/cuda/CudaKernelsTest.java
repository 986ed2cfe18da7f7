package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaKernelsTest {
  @ParameterizedTest
  @ValueSource(strings = {"sm_75", "sm_80", "sm_90a", "sm_120"})
  void representativeKernelsCompileForEachGeneration(String architecture) {
    Nvrtc compiler = RequiredNvrtc.find();
    for (RepresentativeKernels.Kernel kernel : RepresentativeKernels.of(architecture)) {
      String source = kernel.source();
      byte[] cubin = CudaKernels.compile(compiler, kernel.file(), source, architecture);
      assertThat(cubin).as(kernel.toString()).startsWith(0x7f, 'E', 'L', 'F');
    }
  }

  @Test
  void kernelsThatWereCompiledBeforehandNeedNoCompiler(@TempDir Path folder) {
    Nvrtc compiler = RequiredNvrtc.find();
    EmulatedDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    DeviceDescription description = new CudaBackend(driver, compiler).devices().getFirst();
    BinaryCache empty = new BinaryCache(folder.resolve("cache"), "");
    Path prepared = folder.resolve("prepared");
    Map<String, String> defines = Map.of("LANES", "64");
    try (CudaMemory memory = new CudaMemory(driver, 0, description)) {
      PreparedKernels filled = new PreparedKernels(prepared, "compute_75", true);
      try (CudaKernels kernels = new CudaKernels(memory, compiler, "compute_80", empty, filled)) {
        kernels.kernel("rms_norm.h", "rms_norm", defines);
      }
      PreparedKernels taken = new PreparedKernels(prepared, "compute_75", false);
      BinaryCache other = new BinaryCache(folder.resolve("other"), "");
      try (CudaKernels kernels = new CudaKernels(memory, null, "compute_75", other, taken)) {
        assertThat(kernels.kernel("rms_norm.h", "rms_norm", defines)).isNotZero();
        assertThatThrownBy(() -> kernels.kernel("moe_sum.h", "moe_sum", Map.of()))
            .isInstanceOf(DeviceException.class)
            .hasMessageContaining("no NVRTC to compile moe_sum for compute_75, and " + prepared);
      }
    }
  }

  @Test
  void aKernelThatDoesNotCompileShowsItsLine() {
    Nvrtc compiler = RequiredNvrtc.find();
    assertThatThrownBy(() -> CudaKernels.compile(compiler, "a.h", "int a;\n int b = c;", "sm_80"))
        .isInstanceOf(DeviceException.class)
        .hasMessage(
            "NVRTC can't compile a.h: identifier \"c\" is undefined, in line 2: int b = c;");
  }
}
