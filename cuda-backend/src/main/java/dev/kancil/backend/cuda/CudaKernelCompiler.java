package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.KernelCompiler;
import dev.kancil.bindings.cuda.Nvrtc;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Compiles kernels to PTX for machines that have a driver and no NVRTC. It needs no driver. */
final class CudaKernelCompiler implements KernelCompiler {
  private final Nvrtc compiler;
  private final boolean expertWarpgroups;
  private final List<Kind> kinds = new ArrayList<>();
  private final KernelArchiveWriter writer = new KernelArchiveWriter();

  private record Kind(KernelTarget target, int sharedBytes) {
    @Override
    public String toString() {
      return "%s with %d KiB of shared memory".formatted(target.architecture(), sharedBytes >> 10);
    }
  }

  CudaKernelCompiler(Nvrtc compiler, List<KernelTarget> targets, boolean expertWarpgroups) {
    this.compiler = compiler;
    this.expertWarpgroups = expertWarpgroups;
    for (KernelTarget target : targets) {
      target.sharedBytes().forEach(bytes -> kinds.add(new Kind(target, bytes)));
    }
  }

  @Override
  public List<String> kinds() {
    return kinds.stream().map(Kind::toString).toList();
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    Kind kind = kinds.get(index);
    KernelTarget target = kind.target();
    AbsentDriver driver = new AbsentDriver(target.capability(), kind.sharedBytes());
    DeviceDescription description =
        new DeviceDescription(
            "cuda:" + target.architecture(), kind.toString(), "", driver.memoryBytes(0), null);
    CudaDevice device =
        new CudaDevice(
            new CudaMemory(driver, 0, description),
            description,
            options,
            compiler,
            target.architecture(),
            CudaTraits.of(driver, 0, expertWarpgroups),
            new CollectedKernels(target, compiler, writer));
    try {
      device.compileMeasuring();
    } catch (DeviceException e) {
      device.close();
      throw e;
    }
    return device;
  }

  @Override
  public int count() {
    return writer.count();
  }

  @Override
  public void write(Path file) {
    writer.write(file);
  }
}
