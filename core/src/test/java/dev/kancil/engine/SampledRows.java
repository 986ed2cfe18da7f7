package dev.kancil.engine;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** A model on the reference device that gives every token the same logits. */
final class SampledRows implements AutoCloseable {
  private static final int ROWS = 1000;

  private final Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
  private final DeviceWeights weights;
  private final Program program;
  private final SequenceState state;
  private final Batch batch;
  private final int sequence;

  SampledRows(float... logits) {
    int vocabulary = logits.length;
    Weight table = new Weight("table", DataType.F32, Shape.of(1, vocabulary));
    weights =
        device.weights(_ -> new Tensor(DataType.F32, table.shape(), MemorySegment.ofArray(logits)));
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value rows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
    Value all = builder.add("all", new Embedding(), tokens, table);
    Value some = builder.add(Engine.LOGITS, new SelectRows(), all, rows);
    Graph graph = builder.build(List.of(some), new StateLayout(List.of())).sampled(Engine.LOGITS);
    StepLimits limits = new StepLimits(ROWS, 1, ROWS, ROWS * vocabulary);
    program = device.compile(graph, weights, limits);
    state = device.createState(graph.state(), 1, ROWS);
    batch = new Batch(limits);
    sequence = state.open();
  }

  /** The token at a position. */
  int sample(Sampler sampler, int position) {
    return sample(sampler, position, 1)[0];
  }

  /** Tokens at {@code count} positions; the sampler hears of none. */
  int[] sample(Sampler sampler, int position, int count) {
    int[] chosen = new int[count];
    for (int done = 0; done < count; done += ROWS) {
      int rows = Math.min(ROWS, count - done);
      batch.clear();
      batch.sequence(sequence, 0);
      for (int i = 0; i < rows; i++) {
        batch.token(0, true);
        sampler.describe(batch, position + done + i);
      }
      try (Step step = program.enqueue(batch, state)) {
        MemorySegment.copy(step.output(Graph.SAMPLED), ValueLayout.JAVA_INT, 0, chosen, done, rows);
      }
      state.truncate(sequence, 0);
    }
    return chosen;
  }

  @Override
  public void close() {
    program.close();
    state.close();
    weights.close();
    device.close();
  }
}
