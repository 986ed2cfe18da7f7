package dev.kancil.backend.accelerator;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.LoadMeter;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import dev.kancil.graph.MemoryPlan;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.NormedProduct;
import java.util.OptionalLong;

/**
 * An open device with memory of its own. Who asks for a step enqueues it, if nobody enqueues
 * anything else; a thread of ours does what comes meanwhile.
 */
public abstract class AcceleratorDevice implements Device {
  private final DeviceDescription description;
  private final DeviceOptions options;
  private final DeviceMemory memory;
  private final DeviceQueue queue;
  private boolean closed;

  /** Starts the device's thread. */
  protected AcceleratorDevice(
      DeviceDescription description, DeviceOptions options, DeviceMemory memory) {
    this.description = description;
    this.options = options;
    this.memory = memory;
    queue = new DeviceQueue("kancil-" + description.id());
  }

  /** Kernels for a program. */
  protected abstract Lowering lowering(AcceleratorWeights weights, ProgramMemory program);

  /** How matrices lie. */
  protected MatrixLayout layout() {
    return MatrixLayout.AS_STORED;
  }

  /** Gives back what the driver has given, once, when no work is left. */
  protected abstract void release();

  @Override
  public final DeviceDescription description() {
    return description;
  }

  /** All but norms within products, which few kernels compute. */
  @Override
  public boolean takes(Fused fused) {
    return !(fused instanceof NormedProduct);
  }

  @Override
  public final boolean isGuarded() {
    return options.guarded();
  }

  @Override
  public final DeviceWeights weights(WeightSource source) {
    return new AcceleratorWeights(memory, source, layout());
  }

  @Override
  public final OptionalLong freeBytes() {
    return memory.freeBytes();
  }

  @Override
  public final long bytesFor(Graph graph, StepLimits limits, int sequences, int tokens) {
    MemoryPlan plan = MemoryPlan.of(graph, limits.tokens(), limits.outputs(), memory.alignment());
    long values = plan.bytes();
    for (Value input : graph.broughtInputs()) {
      values += limits.rows(input.type().rows()) * input.type().rowBytes();
    }
    // What kernels need for themselves, such as rounded activations, is about as large again.
    return AcceleratorWeights.bytes(graph, layout())
        + AcceleratorState.bytes(graph.state(), sequences, tokens)
        + 2 * values;
  }

  @Override
  public final Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
    if (!(weights instanceof AcceleratorWeights ours)) {
      throw new IllegalArgumentException("weights of another device");
    }
    LoadMeter meter =
        new LoadMeter(
            options.progress(),
            "bringing weights and kernels to " + memory.deviceName(),
            ours.missingBytes(graph));
    ours.onLoaded(meter);
    Program program =
        new AcceleratorProgram(
            graph, limits, memory, queue, options.guarded(), made -> lowering(ours, made));
    meter.end();
    return program;
  }

  @Override
  public final SequenceState createState(StateLayout layout, int sequences, int tokens) {
    return new AcceleratorState(memory, queue, layout, sequences, tokens, options.guarded());
  }

  @Override
  public final void close() {
    if (!closed) {
      closed = true;
      queue.close();
      release();
    }
  }
}
