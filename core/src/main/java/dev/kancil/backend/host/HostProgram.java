package dev.kancil.backend.host;

import dev.kancil.backend.Batch;
import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.Program;
import dev.kancil.backend.RowSource;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Graph;
import dev.kancil.graph.MemoryPlan;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * A graph whose nodes are bound to kernels and whose values have their place. Intermediate values
 * share one planned arena, since steps run one after the other; inputs and outputs have memory of
 * their own in each of the two steps that may be open.
 */
final class HostProgram implements Program {
  private static final int OPEN_STEPS = 2;

  private final Arena arena = Arena.ofShared();
  private final DeviceQueue queue;
  private final StepLimits limits;
  private final Map<Value, HostValue> values = new HashMap<>();
  private final Map<String, HostValue> outputs = new HashMap<>();
  private final List<Value> brought;
  private final Kernel[] kernels;
  private final ArrayBlockingQueue<HostStep> idle = new ArrayBlockingQueue<>(OPEN_STEPS);
  private final Graph graph;
  private final @Nullable GuardZones zones;
  private final int vocabulary;
  private final int sampled;
  private final boolean feedsTokens;
  // Of the step enqueued last.
  private int chosen;
  // The device's thread's: that of the step run last, whose memory stays as it is until another is.
  private MemorySegment lastChosen = MemorySegment.NULL;
  private long bytes;
  private boolean closed;

  HostProgram(
      Graph graph,
      Lowering lowering,
      HostWeights weights,
      StepLimits limits,
      DeviceQueue queue,
      boolean guarded) {
    this.graph = graph;
    this.zones = guarded ? new GuardZones() : null;
    this.queue = queue;
    this.limits = limits;
    for (Value input : graph.inputs()) {
      add(input);
    }
    for (Node node : graph.nodes()) {
      node.outputs().forEach(this::add);
    }
    for (Value output : graph.outputs()) {
      outputs.put(output.name(), place(output));
    }
    brought = graph.broughtInputs();
    MemoryPlan plan = MemoryPlan.of(graph, limits.tokens(), limits.outputs());
    kernels = new Kernel[graph.nodes().size()];
    try {
      Lowering.Operands operands = new Bound(weights);
      for (int i = 0; i < kernels.length; i++) {
        Node node = graph.nodes().get(i);
        kernels[i] = watch(node, lowering.lower(node, operands));
      }
      MemorySegment shared = allocate(plan.bytes());
      for (int i = 0; i < OPEN_STEPS; i++) {
        HostStep step =
            new HostStep(this, limits, graph.state().groups().size(), segments(plan, shared));
        idle.add(step);
      }
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
    vocabulary = graph.vocabulary();
    sampled = graph.sampledColumns();
    feedsTokens = graph.choosesTokens();
  }

  private Kernel watch(Node node, Kernel kernel) {
    if (zones == null) {
      return kernel;
    }
    List<HostValue> inputs = new ArrayList<>();
    for (Operand operand : node.inputs()) {
      if (operand instanceof Value value) {
        inputs.add(place(value));
      }
    }
    return new GuardedKernel(
        node, kernel, inputs, node.outputs().stream().map(this::place).toList(), zones);
  }

  private final class Bound implements Lowering.Operands {
    private final HostWeights weights;

    Bound(HostWeights weights) {
      this.weights = weights;
    }

    @Override
    public HostValue value(Value value) {
      return place(value);
    }

    @Override
    public Tensor weight(Weight weight) {
      return weights.tensor(weight);
    }

    @Override
    public MemorySegment packed(Weight weight, Packing packing) {
      return weights.packed(weight, packing);
    }

    @Override
    public StateGroup cache(StateSlot slot) {
      return graph.state().groups().get(slot.group());
    }

    @Override
    public StepLimits limits() {
      return limits;
    }
  }

  private void add(Value value) {
    values.put(value, new HostValue(values.size(), value.type()));
  }

  private HostValue place(Value value) {
    HostValue place = values.get(value);
    if (place == null) {
      throw new IllegalArgumentException("the graph has no value " + value);
    }
    return place;
  }

  private MemorySegment[] segments(MemoryPlan plan, MemorySegment shared) {
    MemorySegment[] segments = new MemorySegment[values.size()];
    List<Value> own = new ArrayList<>(graph.inputs());
    own.addAll(graph.outputs());
    values.forEach(
        (value, place) -> {
          long size = limits.rows(value.type().rows()) * value.type().rowBytes();
          Long offset = plan.offsets().get(value);
          if (zones != null) {
            // No sharing: a neighbour in the arena would overwrite the zones.
            segments[place.index()] = zones.allocate(size, arena, value.name());
          } else if (offset == null || own.contains(value)) {
            segments[place.index()] = allocate(size);
          } else {
            segments[place.index()] = shared.asSlice(offset, size);
          }
        });
    return segments;
  }

  private MemorySegment allocate(long size) {
    bytes += size;
    return NativeMemory.allocate(size, arena, "activations");
  }

  @Override
  public Step enqueue(Batch batch, SequenceState state, RowSource source) {
    if (closed) {
      throw new IllegalStateException("the program is closed");
    }
    if (!(state instanceof HostState hostState)) {
      throw new IllegalArgumentException("a state of another device");
    }
    batch.requireWithin(limits, vocabulary, sampled, feedsTokens ? chosen : 0);
    HostStep step = takeIdle();
    try {
      hostState.append(batch);
    } catch (RuntimeException e) {
      idle.add(step);
      throw e;
    }
    chosen = batch.outputs();
    step.prepare(batch, hostState, source);
    fillInputs(step);
    queue.add(step.task);
    hostState.tables().dropBehindWindows(batch);
    return step;
  }

  private HostStep takeIdle() {
    HostStep step = idle.poll();
    if (step == null) {
      throw new IllegalStateException("two steps are open; close one first");
    }
    return step;
  }

  private void fillInputs(HostStep step) {
    Batch batch = step.batch();
    for (Value input : graph.inputs()) {
      MemorySegment data = place(input).data(step);
      switch (input.name()) {
        case Graph.TOKENS -> {
          for (int i = 0; i < batch.rows(); i++) {
            data.setAtIndex(ValueLayout.JAVA_INT, i, batch.token(i));
          }
        }
        case Graph.POSITIONS -> {
          for (int i = 0; i < batch.rows(); i++) {
            data.setAtIndex(ValueLayout.JAVA_INT, i, batch.position(i));
          }
        }
        case Graph.OUTPUT_ROWS -> {
          for (int i = 0; i < batch.outputs(); i++) {
            data.setAtIndex(ValueLayout.JAVA_INT, i, batch.outputRow(i));
          }
        }
        case Graph.SAMPLING -> batch.copySampling(data, 0);
        case Graph.CHANGES -> batch.copyChanges(data);
        // On the device's thread, which waits for them.
        default -> {}
      }
    }
  }

  private void fillBrought(HostStep step) {
    for (int i = 0; i < brought.size(); i++) {
      HostValue place = place(brought.get(i));
      long bytes = place.rows(step) * place.type().rowBytes();
      step.source().fill(brought.get(i).name(), place.data(step).asSlice(0, bytes));
    }
  }

  /** Puts tokens that the step before chose in the place of those that stand for them. */
  private void feed(HostStep step) {
    MemorySegment tokens = place(graph.value(Graph.TOKENS)).data(step);
    for (int row = 0; row < step.batch().rows(); row++) {
      int token = step.batch().token(row);
      if (token < 0) {
        int fed = Math.max(0, lastChosen.getAtIndex(ValueLayout.JAVA_INT, -1 - token));
        tokens.setAtIndex(ValueLayout.JAVA_INT, row, fed);
      }
    }
  }

  void execute(HostStep step) {
    Throwable failure = null;
    try {
      if (step.batch().isFed()) {
        feed(step);
      }
      fillBrought(step);
      for (Kernel kernel : kernels) {
        kernel.run(step);
      }
    } catch (Throwable e) {
      failure = e;
    }
    if (feedsTokens) {
      lastChosen = output(Graph.SAMPLED).data(step);
    }
    step.finish(failure);
  }

  HostValue output(String name) {
    HostValue output = outputs.get(name);
    if (output == null) {
      throw new IllegalArgumentException(name + " is no output of the program");
    }
    return output;
  }

  void giveBack(HostStep step) {
    idle.add(step);
  }

  @Override
  public StepLimits limits() {
    return limits;
  }

  @Override
  public boolean feedsTokens() {
    return feedsTokens;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      queue.drain();
      arena.close();
    }
  }
}
