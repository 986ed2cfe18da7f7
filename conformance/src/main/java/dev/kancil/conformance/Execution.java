package dev.kancil.conformance;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Value;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs a scene on a device, event by event. */
final class Execution {
  // No device's pages are longer, so that this much more room than tokens always suffices.
  private static final int LONGEST_PAGE = 512;

  private final Scene scene;
  private final List<Event> events;
  private final Map<Integer, Integer> sequences = new LinkedHashMap<>();
  private final Map<String, List<float[]>> results = new LinkedHashMap<>();
  private int nextToken;
  private int nextOutput;

  private Execution(Scene scene, List<Event> events) {
    this.scene = scene;
    this.events = events;
  }

  /**
   * @return for each output its rows of all steps
   * @throws IllegalStateException if the device changed a weight or what lies around it
   */
  static Map<String, List<float[]>> run(Device device, Scene scene, List<Event> events) {
    return new Execution(scene, events).run(device);
  }

  private Map<String, List<float[]>> run(Device device) {
    Graph graph = scene.graph();
    StepLimits limits = limits();
    try (GuardedWeights source = new GuardedWeights(scene.tensors())) {
      try (DeviceWeights weights = device.weights(source);
          SequenceState state = device.createState(graph.state(), 1, capacity());
          Program program = device.compile(graph, weights, limits)) {
        Batch batch = new Batch(limits);
        for (Event event : events) {
          switch (event) {
            case Event.Rows rows -> step(graph, program, state, batch, rows);
            case Event.Fork(int from, int to, int length) ->
                sequences.put(to, state.fork(sequence(state, from), length));
            case Event.Truncate(int sequence, int length) ->
                state.truncate(sequence(state, sequence), length);
            case Event.Release(int sequence) -> {
              state.release(sequence(state, sequence));
              sequences.remove(sequence);
            }
          }
        }
      }
      String damaged = source.damaged();
      if (damaged != null) {
        throw new IllegalStateException("the weight " + damaged + " or its surroundings changed");
      }
    }
    return results;
  }

  private int sequence(SequenceState state, int number) {
    return sequences.computeIfAbsent(number, _ -> state.open());
  }

  private void step(
      Graph graph, Program program, SequenceState state, Batch batch, Event.Rows rows) {
    batch.clear();
    for (int i = 0; i < rows.perSequence().size(); i++) {
      int count = rows.perSequence().get(i);
      if (count > 0) {
        int sequence = sequence(state, i);
        batch.sequence(sequence, state.length(sequence));
        for (int row = 0; row < count; row++) {
          boolean isOutput = isOutput(row, count);
          batch.token(nextToken++ % scene.vocabulary(), isOutput);
          if (isOutput) {
            scene.describe(batch, nextOutput++);
          }
        }
      }
    }
    try (Step step = program.enqueue(batch, state)) {
      for (Value output : graph.outputs()) {
        long bytes = batch.rows(output.type().rows()) * output.type().rowBytes();
        MemorySegment data = step.output(output.name()).asSlice(0, bytes);
        results
            .computeIfAbsent(output.name(), _ -> new ArrayList<>())
            .add(numbers(output.type().type(), data));
      }
    }
  }

  /** Results as floats, which hold all ids exactly. */
  private static float[] numbers(DataType type, MemorySegment data) {
    if (type == DataType.F32) {
      return data.toArray(ValueLayout.JAVA_FLOAT);
    }
    int[] integers = data.toArray(ValueLayout.JAVA_INT);
    float[] numbers = new float[integers.length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = integers[i];
    }
    return numbers;
  }

  private static boolean isOutput(int row, int count) {
    return row == count - 1 || row % 5 == 1;
  }

  private StepLimits limits() {
    int tokens = 1;
    int mostSequences = 1;
    int outputs = 1;
    for (Event event : events) {
      if (event instanceof Event.Rows rows) {
        tokens = Math.max(tokens, rows.total());
        int stepSequences = 0;
        int stepOutputs = 0;
        for (int count : rows.perSequence()) {
          stepSequences += count > 0 ? 1 : 0;
          for (int row = 0; row < count; row++) {
            stepOutputs += isOutput(row, count) ? 1 : 0;
          }
        }
        mostSequences = Math.max(mostSequences, stepSequences);
        outputs = Math.max(outputs, stepOutputs);
      }
    }
    return new StepLimits(tokens, mostSequences, outputs, outputs * scene.mostChanges());
  }

  /** Exactly the tokens of a single sequence, so that the last page ends where the memory does. */
  private int capacity() {
    int tokens = 0;
    int most = 1;
    boolean plain = true;
    for (Event event : events) {
      if (event instanceof Event.Rows rows) {
        tokens += rows.total();
        most = Math.max(most, rows.perSequence().size());
      } else {
        plain = false;
        tokens += LONGEST_PAGE;
      }
    }
    return plain && most == 1 ? tokens : tokens + most * LONGEST_PAGE;
  }
}
