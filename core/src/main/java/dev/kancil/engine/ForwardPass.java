package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Value;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.SequencedMap;

/** One pass over a sequence that reads every output of the graph at every position. */
public final class ForwardPass {
  private ForwardPass() {}

  /**
   * Runs {@code tokens} from an empty state, in chunks.
   *
   * @param graph as the family built it, taps applied; fused here for the device
   * @param chunk the most rows of one step
   * @return for each output of the graph its rows, one for each token
   * @throws InvalidRequestException if there are no tokens, or an id is not in the vocabulary
   */
  public static SequencedMap<String, float[][]> run(
      Device device, Graph graph, DeviceWeights weights, int[] tokens, int chunk) {
    if (tokens.length == 0) {
      throw new InvalidRequestException("there are no tokens to compute");
    }
    Graph fused = Fusion.fuse(graph, device::takes);
    SequencedMap<String, float[][]> results = new LinkedHashMap<>();
    for (Value output : graph.outputs()) {
      if (output.type().rows() instanceof Dimension.Fixed) {
        throw new InvalidRequestException(output.name() + " has no row for each token");
      }
      results.put(output.name(), new float[tokens.length][output.type().columns()]);
    }
    int rows = Math.min(chunk, tokens.length);
    StepLimits limits = new StepLimits(rows, 1, rows);
    try (SequenceState state = device.createState(graph.state(), 1, tokens.length);
        Program program = device.compile(fused, weights, limits)) {
      Batch batch = new Batch(limits);
      int sequence = state.open();
      for (int start = 0; start < tokens.length; start += rows) {
        batch.clear();
        batch.sequence(sequence, start);
        int end = Math.min(tokens.length, start + rows);
        for (int i = start; i < end; i++) {
          batch.token(tokens[i], true);
        }
        try (Step step = program.enqueue(batch, state)) {
          for (Value output : graph.outputs()) {
            float[][] rowsOfOutput = Objects.requireNonNull(results.get(output.name()));
            copy(step.output(output.name()), output.type().type(), rowsOfOutput, start, end);
          }
        }
      }
    }
    return results;
  }

  /** Copies rows; whole numbers, as the ids of experts are, become floats of the same value. */
  private static void copy(
      MemorySegment data, DataType type, float[][] target, int start, int end) {
    for (int row = start; row < end; row++) {
      int columns = target[row].length;
      long first = (long) (row - start) * columns;
      if (type == DataType.I32) {
        for (int i = 0; i < columns; i++) {
          target[row][i] = data.getAtIndex(ValueLayout.JAVA_INT, first + i);
        }
      } else {
        MemorySegment.copy(
            data, ValueLayout.JAVA_FLOAT, first * Float.BYTES, target[row], 0, columns);
      }
    }
  }
}
