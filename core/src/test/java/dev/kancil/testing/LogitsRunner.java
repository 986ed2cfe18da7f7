package dev.kancil.testing;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;
import dev.kancil.graph.fusion.Fusion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Runs steps of a model by hand and collects the logits of every row. */
public final class LogitsRunner implements AutoCloseable {
  private final DeviceWeights weights;
  private final Program program;
  private final SequenceState state;
  private final Batch batch;
  private final List<List<float[]>> rowsOf = new ArrayList<>();

  /**
   * @param fused whether the graph is fused for the device first
   * @param cacheTokens room for all sequences together
   */
  public LogitsRunner(
      Device device, LoadedModel.OfDecoder model, boolean fused, int mostRows, int cacheTokens) {
    Graph graph = fused ? Fusion.fuse(model.graph(), device::takes) : model.graph();
    StepLimits limits = new StepLimits(mostRows, Math.min(8, mostRows), mostRows);
    weights = device.weights(model.weights());
    program = device.compile(graph, weights, limits);
    state = device.createState(graph.state(), 1, cacheTokens);
    batch = new Batch(limits);
  }

  public SequenceState state() {
    return state;
  }

  public int open() {
    return state.open();
  }

  /** One step: these tokens are appended to each of the sequences. */
  public void step(int[] sequences, int[][] tokens) {
    batch.clear();
    for (int i = 0; i < sequences.length; i++) {
      batch.sequence(sequences[i], state.length(sequences[i]));
      for (int token : tokens[i]) {
        batch.token(token, true);
      }
    }
    try (Step step = program.enqueue(batch, state)) {
      MemorySegment logits = step.output("logits");
      int row = 0;
      for (int i = 0; i < sequences.length; i++) {
        while (rowsOf.size() <= sequences[i]) {
          rowsOf.add(new ArrayList<>());
        }
        for (int j = 0; j < tokens[i].length; j++) {
          float[] data = new float[TinyModels.VOCABULARY];
          long offset = 4L * TinyModels.VOCABULARY * row++;
          MemorySegment.copy(logits, ValueLayout.JAVA_FLOAT, offset, data, 0, data.length);
          rowsOf.get(sequences[i]).add(data);
        }
      }
    }
  }

  public void step(int sequence, int... tokens) {
    step(new int[] {sequence}, new int[][] {tokens});
  }

  /** All rows of a sequence that were computed under its number, in order. */
  public List<float[]> rows(int sequence) {
    return rowsOf.get(sequence);
  }

  @Override
  public void close() {
    program.close();
    state.close();
    weights.close();
  }
}
