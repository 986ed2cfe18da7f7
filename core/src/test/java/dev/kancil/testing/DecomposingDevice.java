package dev.kancil.testing;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Fused;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A device that takes every fused operation, and runs what defines it. */
public record DecomposingDevice(Device device) implements Device {
  /** The graph with each fused operation replaced by its definition. */
  public static Graph decompose(Graph graph) {
    int nextId = 0;
    for (Value input : graph.inputs()) {
      nextId = Math.max(nextId, input.id() + 1);
    }
    for (Node node : graph.nodes()) {
      for (Value output : node.outputs()) {
        nextId = Math.max(nextId, output.id() + 1);
      }
    }
    GraphBuilder builder = new GraphBuilder(nextId);
    Map<Value, Value> renamed = new HashMap<>();
    for (Node node : graph.nodes()) {
      List<Operand> inputs = new ArrayList<>();
      for (Operand operand : node.inputs()) {
        inputs.add(operand instanceof Value value ? renamed.getOrDefault(value, value) : operand);
      }
      List<String> names = node.outputs().stream().map(Value::name).toList();
      List<Value> outputs =
          node.op() instanceof Fused fused
              ? fused.decompose(builder, inputs, names)
              : builder.add(names, node.op(), inputs);
      for (int i = 0; i < outputs.size(); i++) {
        renamed.put(node.outputs().get(i), outputs.get(i));
      }
    }
    List<Value> outputs = graph.outputs().stream().map(v -> renamed.getOrDefault(v, v)).toList();
    return new Graph(graph.inputs(), builder.nodes(), outputs, graph.state());
  }

  @Override
  public DeviceDescription description() {
    return device.description();
  }

  @Override
  public boolean takes(Fused fused) {
    return true;
  }

  @Override
  public DeviceWeights weights(WeightSource source) {
    return device.weights(source);
  }

  @Override
  public Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
    return device.compile(decompose(graph), weights, limits);
  }

  @Override
  public SequenceState createState(StateLayout layout, int sequences, int tokens) {
    return device.createState(layout, sequences, tokens);
  }

  @Override
  public void close() {
    device.close();
  }
}
