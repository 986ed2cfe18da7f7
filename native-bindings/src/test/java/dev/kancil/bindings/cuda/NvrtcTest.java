package dev.kancil.bindings.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NvrtcTest {
  private static final String SOURCE =
      "extern \"C\" __global__ void twice(float *x) { x[threadIdx.x] *= 2; }";

  @Test
  void aKernelBecomesPtxAndACubinWithoutADriver() {
    Nvrtc compiler = RequiredNvrtc.find();
    assertThat(compiler.version()).isGreaterThanOrEqualTo(11_000);
    byte[] ptx = compiler.compile(SOURCE, "twice.cu", "compute_80", List.of());
    assertThat(new String(ptx, StandardCharsets.US_ASCII))
        .contains(".visible .entry twice(")
        .endsWith("\0");
    byte[] cubin = compiler.compile(SOURCE, "twice.cu", "sm_80", List.of("--fmad=false"));
    assertThat(cubin).startsWith(0x7f, 'E', 'L', 'F');
  }

  @Test
  void anErrorShowsFileLineAndReason() {
    Nvrtc compiler = RequiredNvrtc.find();
    assertThatThrownBy(
            () -> compiler.compile("\n\nint x = y;", "wrong.cu", "compute_80", List.of()))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("wrong.cu(3)")
        .hasMessageContaining("\"y\" is undefined");
  }

  @Test
  void theEnvironmentDecidesAloneWhereItNamesAFile() {
    assertThat(NvrtcPlaces.candidates(13, Map.of("KANCIL_NVRTC", "/there.so")::get))
        .containsExactly("/there.so");
  }

  @Test
  void newerThanTheDriverIsNotTaken(@TempDir Path home) throws Exception {
    Path folder = Files.createDirectories(home.resolve("lib64"));
    for (String name : List.of("libnvrtc.so.13", "libnvrtc.so.12")) {
      Files.createFile(folder.resolve(name));
    }
    List<String> found = NvrtcPlaces.candidates(12, Map.of("CUDA_HOME", home.toString())::get);
    assertThat(found.getFirst()).isEqualTo(folder.resolve("libnvrtc.so.12").toString());
    assertThat(found).noneMatch(name -> name.endsWith(".13"));
  }
}
