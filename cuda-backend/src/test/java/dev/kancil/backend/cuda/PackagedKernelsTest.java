package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.UnfitDeviceException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.engine.split.SplitDevice;
import dev.kancil.family.Families;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.synthetic.SyntheticModel;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines that have a driver and no NVRTC. */
class PackagedKernelsTest {
  private static final int GENERATED = 6;

  /** Rows for which products are rounded, and those of four warps come in. */
  private static final int PROMPT = 40;

  @TempDir private static Path folder;
  private static Path archive;

  @BeforeAll
  static void compile() {
    archive = folder.resolve("kernels.jar");
    TinyArchive.write(archive, List.of(KernelTarget.values()));
  }

  private static EmulatedDriver driver(int capability) {
    return new EmulatedDriver(
        EmulatedDevice.standard()
            .withComputeCapability(capability)
            .withWorkers(2)
            .withMultiprocessors(37));
  }

  private static CudaBackend withoutCompiler(CudaDriver driver, Path file) {
    return new CudaBackend(driver, Map.of(PackagedKernels.VARIABLE, file.toString())::get);
  }

  private static int[] prompt() {
    int[] prompt = new int[PROMPT];
    Arrays.setAll(prompt, i -> i * 7 % 500 + 1);
    return prompt;
  }

  private static List<Integer> tokens(CudaBackend backend, SyntheticModel model) {
    try (Device device = backend.open(0, DeviceOptions.DEFAULT);
        GgufFile file = model.open()) {
      return GreedyTokens.after(prompt(), GENERATED, file, device);
    }
  }

  @ParameterizedTest
  @CsvSource({"75, 7.5", "80, 8.0", "86, 8.0", "90, 9.0", "100, 8.0", "120, 8.0"})
  void aModelGeneratesWhatItDoesWithNvrtc(int capability, String packaged) {
    CudaBackend backend = withoutCompiler(driver(capability), archive);
    DeviceDescription description = backend.devices().getFirst();
    assertThat(description.isAvailable()).isTrue();
    assertThat(description.kernels()).endsWith(", packaged kernels for " + packaged);
    // Newer devices take what is for 8.0, and get its results.
    int own = capability > 90 ? 80 : capability;
    CudaBackend compiling = new CudaBackend(driver(own), RequiredNvrtc.find());
    assertThat(tokens(backend, TinyArchive.MODEL)).isEqualTo(tokens(compiling, TinyArchive.MODEL));
  }

  /** The first norm of the device's layers has no sum before it, then. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aDividedModelFindsItsKernels(int others) {
    CudaBackend compiling = new CudaBackend(driver(80), RequiredNvrtc.find());
    assertThat(dividedTokens(withoutCompiler(driver(80), archive), others))
        .isEqualTo(dividedTokens(compiling, others));
  }

  /**
   * @param others layers of the reference's
   */
  private static List<Integer> dividedTokens(CudaBackend backend, int others) {
    try (GgufFile file = TinyArchive.MODEL.open();
        GgufCheckpoint checkpoint = new GgufCheckpoint(file);
        GgufFile again = TinyArchive.MODEL.open()) {
      Graph graph = Families.load(checkpoint, DataType.F16, DataType.F16).graph();
      try (Device device =
          new SplitDevice(
              new ReferenceBackend().open(0, DeviceOptions.DEFAULT),
              backend.open(0, DeviceOptions.DEFAULT),
              graph,
              others)) {
        return GreedyTokens.after(prompt(), GENERATED, again, device);
      }
    }
  }

  @Test
  void aKernelThatIsMissingIsNamedWithWhatHelps() {
    CudaBackend backend = withoutCompiler(driver(80), archive);
    assertThatThrownBy(() -> tokens(backend, SyntheticModel.parse("synthetic:tiny:Q5_0")))
        .isInstanceOf(UnfitDeviceException.class)
        .hasMessageMatching(
            "there is no NVRTC to compile \\S+ [^;]*tile_Q[58]_0[^;]* for compute_80, and "
                + archive
                + ", of other models or of another version, has not got it; install NVRTC"
                + " \\(pip install nvidia-cuda-nvrtc\\), or let KANCIL_KERNELS name a file that"
                + " `kancil kernels MODEL -o FILE` made on a machine that has it, or take"
                + " --device cpu");
  }

  @Test
  void withoutKernelsADeviceIsRefused() {
    CudaBackend backend = new CudaBackend(driver(86), _ -> null);
    assertThat(backend.devices().getFirst().unavailableBecause())
        .startsWith(
            "there is no NVRTC to compile kernels, and no file of kernels for compute capability"
                + " 8.6; install NVRTC (pip install nvidia-cuda-nvrtc), or");
    assertThatThrownBy(() -> backend.open(0, DeviceOptions.DEFAULT))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("cuda:emulated is not available: there is no NVRTC");
  }

  @Test
  void aFileThatIsNoneIsTheReasonOfADevice() throws IOException {
    Path damaged = folder.resolve("damaged.jar");
    Files.writeString(damaged, "no kernels");
    for (Path file : List.of(damaged, folder.resolve("missing.jar"))) {
      CudaBackend backend = withoutCompiler(driver(80), file);
      assertThat(backend.devices().getFirst().unavailableBecause()).startsWith(file + ": ");
    }
  }

  @Test
  void aDriverThatKnowsNoSuchPtxIsRefused() {
    EmulatedDriver newer = driver(80);
    CudaDriver older =
        (CudaDriver)
            Proxy.newProxyInstance(
                CudaDriver.class.getClassLoader(),
                new Class<?>[] {CudaDriver.class},
                (_, method, arguments) ->
                    method.getName().equals("version") ? 11_080 : method.invoke(newer, arguments));
    assertThat(withoutCompiler(older, archive).devices().getFirst().unavailableBecause())
        .isEqualTo("packaged kernels need a driver of CUDA 12.0 or later, and this one is of 11.8");
  }

  @ParameterizedTest
  @CsvSource({
    "75, 75, 75+80+90a",
    "80, 80, 75+80+90a",
    "89, 80, 75+80+90a",
    "90, 90a, 75+80+90a",
    "100, 80, 75+80+90a",
    "120, 80, 75+80+90a",
    "90, 80, 75+80",
    "86, 75, 75+90a",
    "86, , 90a",
    "75, , 80+90a"
  })
  void aDeviceTakesTheBestOfWhatThereIs(int capability, String best, String targets) {
    List<KernelTarget> there =
        Arrays.stream(targets.split("\\+"))
            .map(name -> KernelTarget.named(name).orElseThrow())
            .toList();
    assertThat(KernelTarget.best(capability, there).map(KernelTarget::suffix).orElse(null))
        .isEqualTo(best);
  }

  @ParameterizedTest
  @CsvSource({
    "COMPUTE_80, 166912, 163",
    "COMPUTE_80, 232448, 227",
    "COMPUTE_80, 101376, 99",
    // What no device has that is known.
    "COMPUTE_80, 200000, 163",
    "COMPUTE_75, 101376, 64"
  })
  void sharedMemoryIsWhatKernelsWereMadeFor(KernelTarget target, int bytes, int kibibytes) {
    CudaTraits seen = target.traits(new CudaTraits(120, 50, bytes, false));
    assertThat(seen).isEqualTo(new CudaTraits(target.capability(), 50, kibibytes << 10, false));
  }
}
