package dev.kancil.backend.cuda;

import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.UserCache;
import dev.kancil.backend.accelerator.AcceleratorDevice;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.KernelLowering;
import dev.kancil.backend.accelerator.KernelShapes;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.Lowering;
import dev.kancil.backend.accelerator.PlainProducts;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.bindings.cuda.Nvrtc;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An open NVIDIA device: its primary context, and a stream on which all its work runs. */
final class CudaDevice extends AcceleratorDevice {
  /** A block's threads for a row, in warps; vectors of one, since a warp's accesses are joined. */
  private static final KernelShapes SHAPES = new KernelShapes(128, 32, 256, 1, Map.of());

  private final CudaMemory memory;
  private final CudaKernels kernels;

  /**
   * Opens a device.
   *
   * @param memory closed with the device
   */
  CudaDevice(
      CudaMemory memory,
      DeviceDescription description,
      DeviceOptions options,
      @Nullable Nvrtc compiler,
      String architecture) {
    super(description, options, memory);
    this.memory = memory;
    // What a kernel becomes depends on the compiler and the device's architecture alone.
    BinaryCache cache =
        new BinaryCache(
            UserCache.folder(System::getenv).resolve("cuda"),
            (compiler == null ? "" : "NVRTC " + compiler.version()) + "\n" + architecture);
    PreparedKernels prepared = PreparedKernels.ofProperties(architecture);
    kernels = new CudaKernels(memory, compiler, architecture, cache, prepared);
  }

  @Override
  protected Lowering lowering(AcceleratorWeights weights, ProgramMemory program) {
    LaunchMaker maker =
        new LaunchMaker(
            program.inputs(),
            (file, function, defines, arguments, grid, perOutput) ->
                new CudaLaunch(
                    memory,
                    function,
                    kernels.kernel(file, function, defines),
                    arguments,
                    grid,
                    perOutput));
    return KernelLowering.plain(maker, weights, program, SHAPES, PlainProducts.Activations.FLOATS);
  }

  @Override
  protected void release() {
    kernels.close();
    memory.close();
  }
}
