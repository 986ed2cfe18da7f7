package dev.kancil.engine.split;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.PagedState;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphCut;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.graph.op.Fused;
import dev.kancil.tensor.DataType;

/**
 * Two devices as one, for one model: the first layers run on one, the last and what follows them on
 * the other. Hidden states go through the host's memory, rows of a step at a time; each device
 * keeps the state of its own layers. Two steps can be in flight, so that both devices have work.
 */
public final class SplitDevice implements Device {
  private final Device first;
  private final Device second;
  private final int layers;
  private final StateLayout layout;
  private final GraphCut cut;

  /**
   * Divides a model.
   *
   * @param first runs the first layers; closed with this device, as is {@code second}
   * @param second runs the other layers
   * @param graph of the model, in primitives; what is compiled must have its layers
   * @param layers how many layers the first device runs: 1 to one less than there are
   */
  public SplitDevice(Device first, Device second, Graph graph, int layers) {
    if (layers < 1 || layers >= graph.layers()) {
      throw new IllegalArgumentException(layers + " of " + graph.layers() + " layers");
    }
    this.first = first;
    this.second = second;
    this.layers = layers;
    layout = graph.state();
    cut = cut(graph);
  }

  private GraphCut cut(Graph graph) {
    return GraphCut.behind(graph, Graph.layerOutput(layers - 1));
  }

  @Override
  public DeviceDescription description() {
    DeviceDescription one = first.description();
    DeviceDescription other = second.description();
    return new DeviceDescription(
        one.id() + "+" + other.id(),
        one.name() + ", " + other.name(),
        one.kernels() + "; " + other.kernels(),
        Math.addExact(one.memoryBytes(), other.memoryBytes()),
        null);
  }

  /** None: each device's part is fused for it when the whole is divided. */
  @Override
  public boolean takes(Fused fused) {
    return false;
  }

  @Override
  public boolean isGuarded() {
    return first.isGuarded() && second.isGuarded();
  }

  /** The coarser of the two. */
  @Override
  public ActivationRounding activationRounding(DataType weightType) {
    ActivationRounding one = first.activationRounding(weightType);
    ActivationRounding other = second.activationRounding(weightType);
    return one.variance(1) >= other.variance(1) ? one : other;
  }

  @Override
  public int stepTokens() {
    return Math.max(first.stepTokens(), second.stepTokens());
  }

  @Override
  public DeviceWeights weights(WeightSource source) {
    DeviceWeights one = first.weights(source);
    try {
      return new SplitWeights(one, second.weights(source));
    } catch (RuntimeException e) {
      one.close();
      throw e;
    }
  }

  @Override
  public Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
    if (!(weights instanceof SplitWeights(var firstWeights, var secondWeights))) {
      throw new IllegalArgumentException("weights of another device");
    }
    GraphCut parts = cut(graph);
    if (!parts.before().state().equals(cut.before().state())
        || !parts.after().state().equals(cut.after().state())) {
      throw new IllegalArgumentException("another model than the device was divided for");
    }
    // Nothing is chosen of the first part's rows.
    StepLimits rows = new StepLimits(limits.tokens(), limits.sequences(), 1);
    Program one = first.compile(fused(parts.before(), first), firstWeights, rows);
    try {
      Program other = second.compile(fused(parts.after(), second), secondWeights, limits);
      return new SplitProgram(graph, parts, one, other);
    } catch (RuntimeException e) {
      one.close();
      throw e;
    }
  }

  private static Graph fused(Graph graph, Device device) {
    return Fusion.fuse(graph, device::takes);
  }

  @Override
  public SequenceState createState(StateLayout wanted, int sequences, int tokens) {
    if (!wanted.equals(layout)) {
      throw new IllegalArgumentException("another model than the device was divided for");
    }
    PagedState one = paged(first.createState(cut.before().state(), sequences, tokens));
    try {
      return new SplitState(one, paged(second.createState(cut.after().state(), sequences, tokens)));
    } catch (RuntimeException e) {
      one.close();
      throw e;
    }
  }

  private static PagedState paged(SequenceState state) {
    if (state instanceof PagedState paged) {
      return paged;
    }
    state.close();
    throw new IllegalArgumentException("a state that is not paged");
  }

  @Override
  public void close() {
    try {
      second.close();
    } finally {
      first.close();
    }
  }
}
