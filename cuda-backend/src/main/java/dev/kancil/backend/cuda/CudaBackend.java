package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceSensors;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.Nvml;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.SystemCudaDriver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** NVIDIA devices. Kernels are compiled by NVRTC for the device at hand. */
public final class CudaBackend implements Backend {
  private static final String NAME = "cuda";

  /** Below, tensor cores of the kind that kernels are for are missing. */
  private static final int LEAST_CAPABILITY = 75;

  /** Device files of the driver: Linux's own, and that of the subsystem in Windows. */
  private static final List<String> DEVICE_FILES = List.of("nvidiactl", "dxg");

  /** Turns on experts' products in warpgroups, which have not run on a device yet. */
  private static final String EXPERT_WARPGROUPS = "kancil.cuda.expertWarpgroups";

  private final @Nullable CudaDriver driver;
  private final @Nullable Nvrtc compiler;
  private final boolean makesCubins;
  private final boolean expertWarpgroups;
  private final String reason;

  /** Called by the service loader. */
  public CudaBackend() {
    CudaDriver found = null;
    String missing = "there is no NVIDIA driver (libcuda.so.1)";
    if (mayHaveDriver()) {
      try {
        found = SystemCudaDriver.find().orElse(null);
      } catch (CudaException | UnsatisfiedLinkError e) {
        missing = String.valueOf(e.getMessage());
      }
    }
    driver = found;
    compiler = found == null ? null : Nvrtc.find(found.version() / 1000).orElse(null);
    makesCubins = true;
    expertWarpgroups = Boolean.getBoolean(EXPERT_WARPGROUPS);
    reason = missing;
  }

  /**
   * One emulated device, whose driver takes PTX.
   *
   * @param compiler that makes the PTX
   */
  public CudaBackend(CudaDriver driver, Nvrtc compiler) {
    this(driver, compiler, Boolean.getBoolean(EXPERT_WARPGROUPS));
  }

  CudaBackend(CudaDriver driver, Nvrtc compiler, boolean expertWarpgroups) {
    this.driver = driver;
    this.compiler = compiler;
    this.expertWarpgroups = expertWarpgroups;
    makesCubins = false;
    reason = "";
  }

  /** Whether a driver can be there: looking costs nothing, where loading it would delay a start. */
  private static boolean mayHaveDriver() {
    return !System.getProperty("os.name", "").equals("Linux")
        || DEVICE_FILES.stream().anyMatch(name -> Files.exists(Path.of("/dev", name)));
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    // Before OpenCL, which has the same devices.
    return makesCubins ? 30 : 0;
  }

  @Override
  public List<DeviceDescription> devices() {
    CudaDriver present = driver;
    if (present == null) {
      return List.of(new DeviceDescription(NAME, "", "CUDA", 0, reason));
    }
    List<DeviceDescription> descriptions = new ArrayList<>();
    String none = "the driver has no device";
    try {
      for (int i = 0; i < present.deviceCount(); i++) {
        descriptions.add(describe(present, i));
      }
    } catch (CudaException e) {
      descriptions.clear();
      none = String.valueOf(e.getMessage());
    }
    return descriptions.isEmpty()
        ? List.of(new DeviceDescription(NAME, "", "CUDA", 0, none))
        : List.copyOf(descriptions);
  }

  private DeviceDescription describe(CudaDriver present, int index) {
    int capability = CudaTraits.capability(present, index);
    String version = present.version() / 1000 + "." + present.version() % 1000 / 10;
    String unavailable = null;
    if (capability < LEAST_CAPABILITY) {
      unavailable = "its compute capability is " + text(capability) + "; 7.5 is the least";
    } else if (compiler == null && PreparedKernels.ofProperties("") == null) {
      unavailable = "there is no NVRTC to compile kernels; pip install nvidia-cuda-nvrtc brings it";
    }
    return new DeviceDescription(
        makesCubins ? NAME + ":" + index : NAME + ":emulated",
        present.name(index),
        "compute capability " + text(capability) + ", CUDA " + version,
        present.memoryBytes(index),
        unavailable);
  }

  private static String text(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    return open(index, options, (CudaQueue) null);
  }

  @Override
  public Optional<DeviceSensors> sensors(int index) {
    try {
      return Optional.ofNullable(driver)
          .flatMap(present -> present.pciBusId(index))
          .map(place -> CudaSensors.open(Nvml::open, place));
    } catch (CudaException e) {
      throw new DeviceException(String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Opens a device that works in an application's context, and on its stream.
   *
   * @param theirs null for a stream of the device's own, in the primary context
   * @throws DeviceException if it is not available; the message says why
   */
  public Device open(int index, DeviceOptions options, @Nullable CudaQueue theirs) {
    List<DeviceDescription> descriptions = devices();
    if (index < 0 || index >= descriptions.size()) {
      throw new IllegalArgumentException("there is no CUDA device " + index);
    }
    DeviceDescription description = descriptions.get(index);
    if (!description.isAvailable()) {
      throw new DeviceException(
          description.id() + " is not available: " + description.unavailableBecause());
    }
    CudaDriver present = Optional.ofNullable(driver).orElseThrow();
    CudaTraits traits = CudaTraits.of(present, index, expertWarpgroups);
    String architecture = (makesCubins ? "sm_" : "compute_") + traits.architecture();
    CudaMemory memory = new CudaMemory(present, index, description, theirs);
    return new CudaDevice(memory, description, options, compiler, architecture, traits);
  }
}
