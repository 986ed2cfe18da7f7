package dev.kancil.engine;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Value;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * Runs a graph on whole sequences, each in one step, and reads outputs at some rows or at all: what
 * encoders need, of which each row sees all others. One thread at a time.
 */
public final class SequencePass implements AutoCloseable {
  /** Sequences of a step. */
  static final int SEQUENCES = 32;

  private static final int ROWS = 256;

  private final Graph graph;
  private final SequenceState state;
  private final Program program;
  private final Batch batch;

  /**
   * Compiles a graph.
   *
   * @param graph as the family built it, taps applied; fused here for the device
   * @param longest the most tokens of a sequence
   * @param state where sequences are, which the caller opens and closes
   */
  public SequencePass(
      Device device, Graph graph, DeviceWeights weights, int longest, SequenceState state) {
    this.graph = graph;
    this.state = state;
    int rows = rows(device, longest);
    StepLimits limits = new StepLimits(rows, Math.min(rows, SEQUENCES), rows);
    program = device.compile(Fusion.fuse(graph, device::takes), weights, limits);
    batch = new Batch(limits);
  }

  /** Rows of a step, which short sequences share. */
  static int rows(Device device, int longest) {
    return Math.max(longest, Math.min(device.stepTokens(), ROWS));
  }

  /** How many sequences from the first on fit in one step, at least one. */
  int fitting(List<int[]> sequences) {
    int count = 0;
    int rows = 0;
    while (count < Math.min(sequences.size(), program.limits().sequences())
        && (count == 0 || rows + sequences.get(count).length <= program.limits().tokens())) {
      rows += sequences.get(count++).length;
    }
    return count;
  }

  /**
   * A sequence.
   *
   * @param sequence its id in the state, where it has no tokens yet
   * @param source the id of its source; its own if it has none
   * @param tokens ids
   * @param brought what else the graph takes, by name: rows in C order, elements in native order
   * @param from the first row at which outputs are read
   * @param to the row behind the last of them; no row where both are the same
   */
  public record Input(
      int sequence,
      int source,
      int[] tokens,
      Map<String, MemorySegment> brought,
      int from,
      int to) {
    /** One whose outputs are read at each row. */
    public Input(int sequence, int source, int[] tokens, Map<String, MemorySegment> brought) {
      this(sequence, source, tokens, brought, 0, tokens.length);
    }
  }

  /**
   * Computes sequences in one step.
   *
   * @return for each its outputs, with the rows that are read
   * @throws dev.kancil.InvalidRequestException if an id is out of range, or they don't fit
   */
  public List<SequencedMap<String, float[][]>> run(List<Input> inputs) {
    batch.clear();
    for (Input input : inputs) {
      batch.sequence(input.sequence, 0);
      batch.readsFrom(input.source);
      for (int i = 0; i < input.tokens.length; i++) {
        batch.token(input.tokens[i], i >= input.from && i < input.to);
      }
    }
    List<SequencedMap<String, float[][]>> results = new ArrayList<>();
    try (Step step = program.enqueue(batch, state, (name, target) -> fill(inputs, name, target))) {
      step.await();
      int token = 0;
      int read = 0;
      for (Input input : inputs) {
        int count = input.to - input.from;
        SequencedMap<String, float[][]> outputs = new LinkedHashMap<>();
        for (Value output : graph.outputs()) {
          boolean isOfRead = output.type().rows() == Symbolic.OUTPUTS;
          int first = isOfRead ? read : token + input.from;
          outputs.put(output.name(), rows(step.output(output.name()), output, first, count));
        }
        results.add(outputs);
        token += input.tokens.length;
        read += count;
      }
    }
    return results;
  }

  private static void fill(List<Input> inputs, String name, MemorySegment target) {
    long at = 0;
    for (Input input : inputs) {
      MemorySegment rows =
          Objects.requireNonNull(input.brought.get(name), () -> "nothing brings the input " + name);
      MemorySegment.copy(rows, 0, target, at, rows.byteSize());
      at += rows.byteSize();
    }
  }

  /** Some rows of an output; whole numbers become floats of the same value. */
  static float[][] rows(MemorySegment data, Value output, int first, int count) {
    int columns = output.type().columns();
    float[][] rows = new float[count][columns];
    for (int row = 0; row < count; row++) {
      long at = (long) (first + row) * columns;
      if (output.type().type() == DataType.I32) {
        for (int i = 0; i < columns; i++) {
          rows[row][i] = data.getAtIndex(ValueLayout.JAVA_INT, at + i);
        }
      } else {
        MemorySegment.copy(data, ValueLayout.JAVA_FLOAT, at * Float.BYTES, rows[row], 0, columns);
      }
    }
    return rows;
  }

  @Override
  public void close() {
    program.close();
  }
}
