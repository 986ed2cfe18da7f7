package dev.kancil.backend.accelerator;

import dev.kancil.backend.Batch;
import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.Program;
import dev.kancil.backend.RowSource;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.DeviceMemory.Mark;
import dev.kancil.graph.Graph;
import dev.kancil.graph.MemoryPlan;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.HostCall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A graph whose nodes are bound to kernels and whose values have their place on the device.
 * Intermediate values share one planned buffer, since steps run one after the other.
 */
public final class AcceleratorProgram implements Program {
  private static final int OPEN_STEPS = 2;

  private final Graph graph;
  private final StepLimits limits;
  private final DeviceMemory memory;
  private final DeviceQueue queue;
  private final Arena arena = Arena.ofShared();
  private final @Nullable Guards guards;
  private final StepInputs inputs;
  private final Rooms rooms;
  private final Recordings recordings;
  private final Lowering lowering;
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final Map<Value, DeviceBuffer> values = new HashMap<>();
  private final List<Value> brought;
  private final List<Work> works = new ArrayList<>();
  private final ArrayBlockingQueue<AcceleratorStep> idle = new ArrayBlockingQueue<>(OPEN_STEPS);
  private final int vocabulary;
  private final int sampled;
  private final @Nullable Work feed;
  // Of the step enqueued last.
  private int chosen;
  private @Nullable AcceleratorState bound;
  private long activationBytes;
  private long bytes;
  private boolean closed;

  /**
   * Compiles a graph.
   *
   * @param guarded between zones that are looked at
   * @param backend what makes its nodes work, closed with the program
   */
  public AcceleratorProgram(
      Graph graph,
      StepLimits limits,
      DeviceMemory memory,
      DeviceQueue queue,
      boolean guarded,
      Function<ProgramMemory, Lowering> backend) {
    this.graph = graph;
    this.limits = limits;
    this.memory = memory;
    this.queue = queue;
    this.guards = guarded ? new Guards(memory) : null;
    this.brought = graph.broughtInputs();
    this.inputs = new StepInputs(memory, limits, graph.state());
    this.rooms = new Rooms(memory);
    boolean callsHost = graph.nodes().stream().anyMatch(node -> node.op() instanceof HostCall);
    this.recordings = new Recordings(memory, !callsHost);
    this.lowering =
        backend.apply(new ProgramMemory(inputs, rooms, limits, graph.state(), this::place));
    try {
      placeValues();
      for (Node node : graph.nodes()) {
        works.add(lowering.lower(node));
      }
      feed =
          graph.choosesTokens()
              ? lowering.feed(graph.value(Graph.TOKENS), graph.value(Graph.SAMPLED))
              : null;
      lowering.finish();
      memory.finishLoads();
      bytes = inputs.bytes() + rooms.bytes() + activationBytes;
      for (int i = 0; i < OPEN_STEPS; i++) {
        idle.add(
            new AcceleratorStep(
                this,
                limits,
                inputs.new Staging(arena, limits),
                hostRooms(brought),
                hostRooms(graph.outputs())));
      }
    } catch (RuntimeException e) {
      abandon(e);
      throw e;
    }
    vocabulary = graph.vocabulary();
    sampled = graph.sampledColumns();
  }

  /** Frees all once nothing is on its way any more. */
  private void abandon(RuntimeException failure) {
    try {
      memory.finishLoads();
      free();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void placeValues() {
    for (Value input : brought) {
      DeviceBuffer place = allocate(input);
      activationBytes += place.bytes();
      values.put(input, place);
    }
    for (Value input : graph.inputs()) {
      values.computeIfAbsent(
          input,
          _ ->
              switch (input.name()) {
                case Graph.TOKENS -> inputs.tokens();
                case Graph.POSITIONS -> inputs.positions();
                case Graph.OUTPUT_ROWS -> inputs.outputRows();
                case Graph.ADAPTERS -> inputs.adapters();
                case Graph.OUTPUT_ADAPTERS -> inputs.outputAdapters();
                case Graph.SAMPLING -> inputs.sampling();
                case Graph.CHANGES -> inputs.changes();
                default -> throw new IllegalArgumentException("an input " + input.name());
              });
    }
    MemoryPlan plan = MemoryPlan.of(graph, limits.tokens(), limits.outputs(), memory.alignment());
    DeviceBuffer shared = null;
    if (guards == null && !plan.offsets().isEmpty()) {
      shared = memory.allocate(plan.bytes(), "activations");
      activationBytes += shared.bytes();
    }
    for (Node node : graph.nodes()) {
      for (Value value : node.outputs()) {
        long size = limits.rows(value.type().rows()) * value.type().rowBytes();
        if (guards != null) {
          values.put(value, guards.allocate(size, value.name()));
        } else if (shared != null) {
          long offset = plan.offsets().getOrDefault(value, 0L);
          DeviceBuffer part = memory.part(shared, offset, size);
          buffers.add(part);
          values.put(value, part);
        }
      }
    }
    if (shared != null) {
      buffers.add(shared);
    }
  }

  private DeviceBuffer allocate(Value value) {
    long size = limits.rows(value.type().rows()) * value.type().rowBytes();
    if (guards != null) {
      return guards.allocate(size, value.name());
    }
    DeviceBuffer buffer = memory.allocate(size, "activations");
    buffers.add(buffer);
    return buffer;
  }

  private DeviceBuffer place(Value value) {
    DeviceBuffer place = values.get(value);
    if (place == null) {
      throw new IllegalArgumentException("the graph has no value " + value);
    }
    return place;
  }

  /** Host memory for each of some values, by its name. */
  private Map<String, MemorySegment> hostRooms(List<Value> held) {
    Map<String, MemorySegment> rooms = new LinkedHashMap<>();
    for (Value value : held) {
      rooms.put(value.name(), memory.hostMemory(arena, place(value).bytes()));
    }
    return rooms;
  }

  @Override
  public Step enqueue(Batch batch, SequenceState state, RowSource source) {
    if (closed) {
      throw new IllegalStateException("the program is closed");
    }
    if (!(state instanceof AcceleratorState ours)) {
      throw new IllegalArgumentException("a state of another device");
    }
    batch.requireWithin(limits, vocabulary, sampled, feed == null ? 0 : chosen);
    AcceleratorStep step = idle.poll();
    if (step == null) {
      throw new IllegalStateException("two steps are open; close one first");
    }
    try {
      ours.append(batch);
    } catch (RuntimeException e) {
      idle.add(step);
      throw e;
    }
    chosen = batch.outputs();
    step.prepare(batch, ours, source);
    if (brought.isEmpty()) {
      queue.addOrRun(step.task);
    } else {
      // It waits for what another device computes, which callers must not.
      queue.add(step.task);
    }
    ours.tables().dropBehindWindows(batch);
    return step;
  }

  /** On the device's thread: enqueues all of a step, and an event for its end. */
  Mark execute(AcceleratorStep step) {
    memory.throwIfLost();
    AcceleratorState state = step.state();
    if (bound != state) {
      recordings.clear();
      inputs.fit(state.tables());
      works.forEach(work -> work.bind(state, inputs));
      bound = state;
    }
    // Before anything is enqueued, since it may fail.
    for (Value input : brought) {
      step.fill(input.name(), size(input, step));
    }
    step.staging.enqueue();
    for (Value input : brought) {
      memory.enqueueWrite(place(input), step.brought(input.name()), size(input, step));
    }
    if (guards == null) {
      int tokens = step.batch().rows();
      int outputRows = step.batch().outputs();
      boolean isFed = step.batch().isFed();
      recordings.enqueue(tokens, outputRows, isFed, () -> enqueueWorks(tokens, outputRows, isFed));
    } else {
      enqueueFeed(step.batch().rows(), step.batch().outputs(), step.batch().isFed());
      for (int i = 0; i < works.size(); i++) {
        enqueueGuarded(guards, graph.nodes().get(i), works.get(i), step);
      }
    }
    for (Value output : graph.outputs()) {
      long size = size(output, step);
      if (size > 0) {
        memory.enqueueRead(place(output), step.room(output.name()), size);
      }
    }
    return memory.mark();
  }

  private void enqueueFeed(int tokens, int outputRows, boolean isFed) {
    if (isFed && feed != null) {
      feed.enqueue(tokens, outputRows);
    }
  }

  private void enqueueWorks(int tokens, int outputRows, boolean isFed) {
    enqueueFeed(tokens, outputRows, isFed);
    for (int i = 0; i < works.size(); i++) {
      works.get(i).enqueue(tokens, outputRows);
    }
  }

  /** Bytes of a value in a step. */
  private static long size(Value value, AcceleratorStep step) {
    return step.batch().rows(value.type().rows()) * value.type().rowBytes();
  }

  private void enqueueGuarded(Guards zones, Node node, Work work, AcceleratorStep step) {
    // oclgrind 21.10 mostly crashes when it is to write at once while other work is outstanding.
    memory.finish();
    for (Value output : node.outputs()) {
      zones.poison(place(output));
    }
    long[] before = checksums(node);
    work.enqueue(step.batch().rows(), step.batch().outputs());
    memory.finish();
    zones.check(node.op().name());
    step.state().checkGuards(node.op().name());
    long[] after = checksums(node);
    for (int i = 0; i < before.length; i++) {
      if (before[i] != after[i]) {
        throw new IllegalStateException(node.op().name() + " changed its input " + i);
      }
    }
  }

  private long[] checksums(Node node) {
    List<Long> checksums = new ArrayList<>();
    for (Operand operand : node.inputs()) {
      if (operand instanceof Value value) {
        DeviceBuffer buffer = place(value);
        try (Arena room = Arena.ofConfined()) {
          MemorySegment data = room.allocate(buffer.bytes());
          memory.read(buffer, 0, data);
          CRC32 checksum = new CRC32();
          checksum.update(data.asByteBuffer());
          checksums.add(checksum.getValue());
        }
      }
    }
    return checksums.stream().mapToLong(Long::longValue).toArray();
  }

  void giveBack(AcceleratorStep step) {
    idle.add(step);
  }

  @Override
  public StepLimits limits() {
    return limits;
  }

  @Override
  public boolean feedsTokens() {
    return feed != null;
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
      try {
        memory.finish();
      } finally {
        free();
      }
    }
  }

  private void free() {
    recordings.close();
    lowering.close();
    buffers.forEach(DeviceBuffer::close);
    rooms.close();
    inputs.close();
    if (guards != null) {
      guards.close();
    }
    arena.close();
  }
}
