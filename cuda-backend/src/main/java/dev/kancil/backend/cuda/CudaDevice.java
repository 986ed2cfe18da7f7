package dev.kancil.backend.cuda;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.UserCache;
import dev.kancil.backend.WeightSource;
import dev.kancil.backend.accelerator.AcceleratorProgram;
import dev.kancil.backend.accelerator.AcceleratorState;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.KernelShapes;
import dev.kancil.backend.accelerator.Lowering;
import dev.kancil.backend.accelerator.PlainLowering;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.graph.Graph;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.op.Fused;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An open NVIDIA device: its primary context, and a stream on which all its work runs. */
final class CudaDevice implements Device {
  /** A block's threads for a row, in warps; vectors of one, since a warp's accesses are joined. */
  private static final KernelShapes SHAPES = new KernelShapes(128, 32, 256, 1, Map.of());

  private final DeviceDescription description;
  private final DeviceOptions options;
  private final DeviceQueue queue;
  private final CudaMemory memory;
  private final CudaKernels kernels;
  private boolean closed;

  CudaDevice(
      CudaDriver driver,
      int index,
      DeviceDescription description,
      DeviceOptions options,
      @Nullable Nvrtc compiler,
      String architecture) {
    this.description = description;
    this.options = options;
    memory = new CudaMemory(driver, index, description);
    // What a kernel becomes depends on the compiler and the device's architecture alone.
    BinaryCache cache =
        new BinaryCache(
            UserCache.folder(System::getenv).resolve("cuda"),
            (compiler == null ? "" : "NVRTC " + compiler.version()) + "\n" + architecture);
    PreparedKernels prepared = PreparedKernels.ofProperties(architecture);
    kernels = new CudaKernels(memory, compiler, architecture, cache, prepared);
    queue = new DeviceQueue("kancil-" + description.id());
  }

  @Override
  public DeviceDescription description() {
    return description;
  }

  @Override
  public boolean takes(Fused fused) {
    return true;
  }

  @Override
  public boolean isGuarded() {
    return options.guarded();
  }

  @Override
  public DeviceWeights weights(WeightSource source) {
    return new AcceleratorWeights(memory, source);
  }

  @Override
  public Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
    if (!(weights instanceof AcceleratorWeights ours)) {
      throw new IllegalArgumentException("weights of another device");
    }
    return new AcceleratorProgram(
        graph, limits, memory, queue, options, program -> lowering(ours, program));
  }

  private Lowering lowering(AcceleratorWeights weights, ProgramMemory program) {
    return new PlainLowering(
        new CudaLaunchMaker(memory, kernels, program.inputs()), weights, program, SHAPES);
  }

  @Override
  public SequenceState createState(StateLayout layout, int sequences, int tokens) {
    return new AcceleratorState(memory, queue, layout, sequences, tokens, options.guarded());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      queue.close();
      kernels.close();
      memory.close();
    }
  }
}
