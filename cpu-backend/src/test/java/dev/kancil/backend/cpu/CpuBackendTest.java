package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Backend;
import dev.kancil.backend.Backends;
import dev.kancil.backend.DeviceDescription;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CpuBackendTest {
  @Test
  void moduleAndServiceFileDeclareTheSameProviders() throws IOException {
    Path classes =
        Path.of(CpuBackend.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    ModuleDescriptor module;
    try (InputStream in = Files.newInputStream(classes.resolve("module-info.class"))) {
      module = ModuleDescriptor.read(in);
    }
    Path services = classes.resolve("META-INF/services/" + Backend.class.getName());
    List<String> file = Files.readAllLines(services);
    assertThat(module.provides()).hasSize(1);
    assertThat(file).isEqualTo(module.provides().iterator().next().providers());
  }

  @Test
  void isFoundAndPreferredToTheReference() {
    assertThat(Backends.all()).extracting(Backend::name).containsSubsequence("cpu", "reference");
    DeviceDescription device = new CpuBackend().devices().getFirst();
    assertThat(device.isAvailable()).isTrue();
    assertThat(device.kernels()).matches("native, .*|Vector API, .* bits.*; no native kernels: .*");
  }

  @Test
  void theVectorApiRunsWhereItIsAskedFor() {
    String before = System.setProperty(NativeLibrary.PROPERTY, "vector");
    try {
      assertThat(new CpuBackend().devices().getFirst().kernels())
          .matches("Vector API, .* bits.*; no native kernels: kancil.cpu.kernels=vector");
    } finally {
      if (before == null) {
        System.clearProperty(NativeLibrary.PROPERTY);
      } else {
        System.setProperty(NativeLibrary.PROPERTY, before);
      }
    }
  }

  @Test
  void saysWhichFlagIsMissing() {
    assertThat(CpuBackend.unavailableBecause(false, "mixed mode"))
        .contains("--add-modules jdk.incubator.vector");
    assertThat(CpuBackend.unavailableBecause(true, "mixed mode, sharing")).isNull();
    assertThat(CpuBackend.unavailableBecause(true, "interpreted mode")).contains("-Xint");
    assertThat(CpuBackend.unavailableBecause(true, "mixed mode, emulated-client"))
        .contains("TieredStopAtLevel");
  }

  @Test
  void withoutTheVectorModuleNativeKernelsRun() throws Exception {
    assertThat(devicesOf(List.of())).contains("native, ");
  }

  @Test
  void withoutTheVectorModuleAndNativeKernelsTheBackendLoadsAndSaysSo() throws Exception {
    assertThat(devicesOf(List.of("-Dkancil.cpu.kernels=vector")))
        .contains("start java with --add-modules");
  }

  @Test
  void withTheFirstCompilerAloneTheBackendSaysSo() throws Exception {
    assertThat(
            devicesOf(
                List.of(
                    "--add-modules",
                    "jdk.incubator.vector",
                    "-XX:TieredStopAtLevel=1",
                    "-Dkancil.cpu.kernels=vector")))
        .contains("TieredStopAtLevel");
  }

  /** What another JVM with these flags says about its devices. */
  private static String devicesOf(List<String> flags) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Devices.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  /** Prints the CPU device. */
  static final class Devices {
    private Devices() {}

    public static void main(String[] args) {
      System.out.println(new CpuBackend().devices());
    }
  }
}
