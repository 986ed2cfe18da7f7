package dev.kancil.backend.opencl;

import dev.kancil.backend.ActivationRounding;
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
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.graph.Graph;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.op.Fused;
import dev.kancil.tensor.DataType;
import org.jocl.CL;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;

/**
 * An open OpenCL device: a context, and a queue that works in order. A thread of ours enqueues, so
 * that callers never wait for a driver.
 */
final class OpenClDevice implements Device {
  private final DeviceDescription description;
  private final DeviceOptions options;
  private final cl_context context;
  private final cl_command_queue commands;
  private final DeviceQueue queue;
  private final Memory memory;
  private final Programs programs;
  private final ProductTuner tuner;
  private boolean closed;

  OpenClDevice(ClDevice device, DeviceDescription description, DeviceOptions options) {
    this(device, description, options, Long.MAX_VALUE);
  }

  /**
   * @param largestAllocation the most bytes of a buffer, where that is less than the device's own
   *     limit: for tests
   */
  // What later versions deprecate is all that 1.2 has.
  @SuppressWarnings("deprecation")
  OpenClDevice(
      ClDevice device,
      DeviceDescription description,
      DeviceOptions options,
      long largestAllocation) {
    this.description = description;
    this.options = options;
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(CL.CL_CONTEXT_PLATFORM, device.platform());
    int[] status = new int[1];
    context =
        CL.clCreateContext(properties, 1, new cl_device_id[] {device.id()}, null, null, status);
    OpenCl.check(status[0], "open " + device.name());
    commands = CL.clCreateCommandQueue(context, device.id(), 0, status);
    if (status[0] != CL.CL_SUCCESS) {
      CL.clReleaseContext(context);
      throw OpenCl.failure(status[0], "make a queue on " + device.name());
    }
    Handles.made();
    memory = new Memory(device, context, commands, largestAllocation);
    BinaryCache cache =
        new BinaryCache(
            UserCache.folder(System::getenv).resolve("opencl"),
            String.join("\n", device.name(), device.version(), device.driver()));
    programs = new Programs(device, context, cache);
    tuner = new ProductTuner(programs, memory, options.progress(), !options.guarded());
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
  public ActivationRounding activationRounding(DataType weightType) {
    return tuner.roundsActivations(weightType)
        ? RoundedActivations.ROUNDING
        : ActivationRounding.NONE;
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

  private OpenClLowering lowering(AcceleratorWeights weights, ProgramMemory program) {
    LaunchMaker maker = new ClLaunchMaker(commands, programs, program.inputs());
    return new OpenClLowering(maker, memory.device(), weights, tuner, program);
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
      programs.close();
      CL.clReleaseCommandQueue(commands);
      CL.clReleaseContext(context);
      Handles.released();
    }
  }
}
