package dev.kancil.backend.opencl;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.UserCache;
import dev.kancil.backend.accelerator.AcceleratorDevice;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.CacheKernels;
import dev.kancil.backend.accelerator.KernelLowering;
import dev.kancil.backend.accelerator.KernelShapes;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.Lowering;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.RowKernels;
import dev.kancil.tensor.DataType;
import java.util.Map;

/** An open OpenCL device: a context, and a queue that works in order. */
final class OpenClDevice extends AcceleratorDevice {
  private final Memory memory;
  private final Programs programs;
  private final ProductTuner tuner;

  OpenClDevice(ClDevice device, DeviceDescription description, DeviceOptions options) {
    this(device, description, options, Long.MAX_VALUE);
  }

  /**
   * Opens a device.
   *
   * @param largestAllocation the most bytes of a buffer, where that is less than the device's own
   *     limit: for tests
   */
  OpenClDevice(
      ClDevice device,
      DeviceDescription description,
      DeviceOptions options,
      long largestAllocation) {
    this(new Memory(device, largestAllocation), description, options);
  }

  private OpenClDevice(Memory memory, DeviceDescription description, DeviceOptions options) {
    super(description, options, memory);
    this.memory = memory;
    ClDevice device = memory.device();
    BinaryCache cache =
        new BinaryCache(
            UserCache.folder(System::getenv).resolve("opencl"),
            String.join("\n", device.name(), device.version(), device.driver()));
    programs = new Programs(device, memory.context(), cache);
    tuner = new ProductTuner(programs, memory, options.progress(), !options.guarded());
  }

  @Override
  public ActivationRounding activationRounding(DataType weightType) {
    return tuner.roundsActivations(AcceleratorWeights.kept(weightType, layout()))
        ? RoundedActivations.ROUNDING
        : ActivationRounding.NONE;
  }

  @Override
  protected Lowering lowering(AcceleratorWeights weights, ProgramMemory program) {
    LaunchMaker maker =
        new LaunchMaker(
            program.inputs(),
            (file, function, defines, arguments, grid, perOutput) ->
                new ClLaunch(
                    memory.queue(),
                    function,
                    programs.kernel(file, function, defines),
                    arguments,
                    grid,
                    perOutput));
    ClDevice device = memory.device();
    KernelShapes shapes = shapes(device);
    RoundedActivations rounded =
        new RoundedActivations(maker, program.rooms(), program.limits(), program.places());
    if (device.isPlain()) {
      return KernelLowering.plain(maker, weights, program, shapes, rounded.forPlainProducts(tuner));
    }
    CacheKernels cache = new CacheKernels(maker, weights, program, shapes);
    return new KernelLowering(
        maker,
        new RowKernels(maker, weights, program, shapes),
        cache,
        new Products(maker, weights, program, device, tuner, rounded),
        new AttentionLowering(maker, cache, program, device),
        program);
  }

  /** One item goes through a whole row on a processor, whose vectors are an item's own. */
  private static KernelShapes shapes(ClDevice device) {
    return device.isProcessor()
        ? new KernelShapes(1, 1, 1, 1, 8, Map.of("HALF_BY_SCALING", ""))
        : new KernelShapes(
            Math.min(128, device.largestGroup()),
            64,
            Math.min(256, Integer.highestOneBit(device.largestGroup())),
            1,
            4,
            Map.of());
  }

  @Override
  protected void release() {
    programs.close();
    memory.close();
  }
}
