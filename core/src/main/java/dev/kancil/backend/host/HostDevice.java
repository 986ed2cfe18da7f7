package dev.kancil.backend.host;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.LoadMeter;
import dev.kancil.backend.LoadProgress;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.op.Fused;
import dev.kancil.tensor.DataType;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** A device that computes in host memory with the kernels of a {@link Lowering}. */
public final class HostDevice implements Device {
  private final DeviceDescription description;
  private final boolean guarded;
  private final LoadProgress progress;
  private final Supplier<Lowering> lowerings;
  private final Predicate<Fused> takes;
  private final Function<DataType, ActivationRounding> rounding;
  private final Runnable onClose;
  private final Supplier<OptionalDouble> readSpeed;
  private final DeviceQueue queue;
  private boolean closed;

  /**
   * @param options of which {@link DeviceOptions#guarded} and {@link DeviceOptions#progress} are
   *     heeded here
   * @param lowerings a fresh lowering for each program; it sees the program's nodes in running
   *     order
   * @param takes which fused operations the lowering has kernels for
   * @param rounding how products with a type of weights round activations
   * @param onClose frees what the kernels hold, once no step runs
   */
  public HostDevice(
      DeviceDescription description,
      DeviceOptions options,
      Supplier<Lowering> lowerings,
      Predicate<Fused> takes,
      Function<DataType, ActivationRounding> rounding,
      Runnable onClose) {
    this(description, options, lowerings, takes, rounding, onClose, OptionalDouble::empty);
  }

  /**
   * @param readSpeed answers {@link #readBytesPerSecond}
   */
  public HostDevice(
      DeviceDescription description,
      DeviceOptions options,
      Supplier<Lowering> lowerings,
      Predicate<Fused> takes,
      Function<DataType, ActivationRounding> rounding,
      Runnable onClose,
      Supplier<OptionalDouble> readSpeed) {
    this.description = description;
    this.guarded = options.guarded();
    this.progress = options.progress();
    this.lowerings = lowerings;
    this.takes = takes;
    this.rounding = rounding;
    this.onClose = onClose;
    this.readSpeed = readSpeed;
    this.queue = new DeviceQueue("kancil-" + description.id());
  }

  @Override
  public DeviceDescription description() {
    return description;
  }

  @Override
  public boolean takes(Fused fused) {
    return takes.test(fused);
  }

  @Override
  public ActivationRounding activationRounding(DataType weightType) {
    return rounding.apply(weightType);
  }

  @Override
  public boolean isGuarded() {
    return guarded;
  }

  @Override
  public OptionalDouble readBytesPerSecond() {
    return readSpeed.get();
  }

  @Override
  public DeviceWeights weights(WeightSource source) {
    return new HostWeights(source);
  }

  @Override
  public Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
    if (!(weights instanceof HostWeights hostWeights)) {
      throw new IllegalArgumentException("weights of another device");
    }
    LoadMeter meter =
        new LoadMeter(progress, "laying weights anew", hostWeights.missingBytes(graph));
    hostWeights.onLaid(meter);
    Program program = new HostProgram(graph, lowerings.get(), hostWeights, limits, queue, guarded);
    meter.end();
    return program;
  }

  @Override
  public SequenceState createState(StateLayout layout, int sequences, int tokens) {
    return new HostState(layout, sequences, tokens, queue, guarded);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      queue.close();
      onClose.run();
    }
  }
}
