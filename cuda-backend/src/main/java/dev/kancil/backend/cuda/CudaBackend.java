package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceSensors;
import dev.kancil.backend.KernelCompiler;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.Nvml;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.SystemCudaDriver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
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

  /**
   * Packaged kernels.
   *
   * @param damage why there are none, where some were to be; else null
   */
  private record Packaged(PackagedKernels kernels, @Nullable String damage) {
    static final Packaged NOTHING = new Packaged(new PackagedKernels(List.of()), null);

    static Packaged find(Function<String, @Nullable String> environment) {
      try {
        return new Packaged(PackagedKernels.find(environment), null);
      } catch (FormatException e) {
        return new Packaged(NOTHING.kernels, e.getMessage());
      }
    }
  }

  private final @Nullable CudaDriver driver;
  private final @Nullable Nvrtc compiler;
  private final Packaged packaged;
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
    packaged = found != null && compiler == null ? Packaged.find(System::getenv) : Packaged.NOTHING;
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
    this(driver, compiler, expertWarpgroups, Packaged.NOTHING);
  }

  /** One emulated device, whose kernels can only be packaged ones. */
  CudaBackend(CudaDriver driver, Function<String, @Nullable String> environment) {
    this(driver, null, Boolean.getBoolean(EXPERT_WARPGROUPS), Packaged.find(environment));
  }

  private CudaBackend(
      CudaDriver driver, @Nullable Nvrtc compiler, boolean expertWarpgroups, Packaged packaged) {
    this.driver = driver;
    this.compiler = compiler;
    this.expertWarpgroups = expertWarpgroups;
    this.packaged = packaged;
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
    String kernels = "compute capability " + text(capability) + ", CUDA " + version(present);
    Optional<KernelTarget> target = packagedFor(capability);
    if (target.isPresent()) {
      kernels += ", packaged kernels for " + text(target.get().capability());
    }
    return new DeviceDescription(
        makesCubins ? NAME + ":" + index : NAME + ":emulated",
        present.name(index),
        kernels,
        present.memoryBytes(index),
        unavailable(present, capability));
  }

  /** What packaged kernels are for that a device takes; empty where others are to be had. */
  private Optional<KernelTarget> packagedFor(int capability) {
    return compiler == null && !isPrepared()
        ? packaged.kernels.targetFor(capability)
        : Optional.empty();
  }

  /** Whether there are cubins. */
  private static boolean isPrepared() {
    return PreparedKernels.ofProperties("") != null;
  }

  private @Nullable String unavailable(CudaDriver present, int capability) {
    if (capability < LEAST_CAPABILITY) {
      return "its compute capability is " + text(capability) + "; 7.5 is the least";
    }
    if (compiler != null || isPrepared()) {
      return null;
    }
    if (packaged.damage != null) {
      return packaged.damage;
    }
    if (packagedFor(capability).isEmpty()) {
      return "there is no NVRTC to compile kernels, and no file of kernels for compute capability "
          + text(capability)
          + "; "
          + PackagedKernels.REMEDY;
    }
    return present.version() < KernelTarget.DRIVER_VERSION
        ? "packaged kernels need a driver of CUDA 12.0 or later, and this one is of "
            + version(present)
        : null;
  }

  private static String version(CudaDriver present) {
    return present.version() / 1000 + "." + present.version() % 1000 / 10;
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
    Optional<KernelTarget> target = packagedFor(traits.capability());
    String architecture = (makesCubins ? "sm_" : "compute_") + traits.architecture();
    KernelStock stock = PreparedKernels.ofProperties(architecture);
    if (target.isPresent()) {
      traits = target.get().traits(traits);
      architecture = target.get().architecture();
      stock = packaged.kernels.stock(target.get());
    }
    CudaMemory memory = new CudaMemory(present, index, description, theirs);
    return new CudaDevice(memory, description, options, compiler, architecture, traits, stock);
  }

  /** Needs NVRTC, of whatever version, and no driver. */
  @Override
  public Optional<KernelCompiler> kernelCompiler(List<String> architectures) {
    List<KernelTarget> targets = new ArrayList<>();
    for (String wanted : architectures) {
      targets.add(
          KernelTarget.named(wanted)
              .orElseThrow(
                  () ->
                      new InvalidRequestException(
                          "kernels are compiled for "
                              + Arrays.stream(KernelTarget.values())
                                  .map(KernelTarget::suffix)
                                  .collect(Collectors.joining(", "))
                              + ", but not for "
                              + wanted)));
    }
    Nvrtc found =
        Nvrtc.find(Integer.MAX_VALUE)
            .orElseThrow(
                () ->
                    new DeviceException(
                        "there is no NVRTC to compile kernels; pip install nvidia-cuda-nvrtc brings"
                            + " it, or KANCIL_NVRTC names it"));
    return Optional.of(
        new CudaKernelCompiler(
            found,
            targets.isEmpty()
                ? List.of(KernelTarget.values())
                : List.copyOf(new TreeSet<>(targets)),
            expertWarpgroups));
  }
}
