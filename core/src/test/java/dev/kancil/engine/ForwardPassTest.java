package dev.kancil.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeRoute.Scoring;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ForwardPassTest {
  @Test
  void whichExpertsRowsUseIsReadAsNumbers() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Weight table = new Weight("table", DataType.F32, Shape.of(2, 3));
    Value logits = builder.add("logits", new Embedding(), tokens, table);
    List<Value> routed =
        builder.add(
            List.of("ids", "weights"), new MoeRoute(2, Scoring.SOFTMAX, true, 1), List.of(logits));
    Graph graph = builder.build(routed, new StateLayout(List.of()));
    MemorySegment data = MemorySegment.ofArray(new float[] {0, 9, 5, 7, 1, 7});
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
        DeviceWeights weights =
            device.weights(_ -> new Tensor(DataType.F32, table.shape(), data))) {
      Map<String, float[][]> outputs =
          ForwardPass.run(device, graph, weights, new int[] {1, 0, 1}, 2);
      assertThat(outputs.get("ids")).isDeepEqualTo(new float[][] {{0, 2}, {1, 2}, {0, 2}});
      assertThat(outputs.get("weights"))
          .hasDimensions(3, 2)
          .satisfies(rows -> assertThat(rows[0]).containsExactly(0.5f, 0.5f));
    }
  }
}
