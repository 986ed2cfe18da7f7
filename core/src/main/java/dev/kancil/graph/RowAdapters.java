package dev.kancil.graph;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeBias;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectColumns;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Products to which each row adds what its adapter has learnt: {@code W·x + Uₐ·(Dₐ·x)}, where
 * {@code a} is the row's number in {@link Graph#ADAPTERS}. To devices adapters are experts, of
 * which each row uses one; the first is zeros, for rows that have none (Hu et al. 2021, "LoRA";
 * Sheng et al. 2023, "S-LoRA").
 */
public final class RowAdapters {
  private RowAdapters() {}

  /**
   * Of a matrix [out, in] what adapters add to it.
   *
   * @param down [adapters + 1, rank, in]
   * @param up [adapters + 1, out, rank]
   * @param scales what the sums are multiplied by, none negative, [adapters + 1, out]; empty: 1
   */
  public record Factors(Weight down, Weight up, Optional<Weight> scales) {}

  /**
   * The same computation with adapters, under the same names.
   *
   * @param graph of primitives
   * @param factors by the names of weights, which only products read
   */
  public static Graph add(Graph graph, Map<String, Factors> factors) {
    GraphBuilder added = new GraphBuilder(graph.nextId());
    Value ofRows = added.indexes(Graph.ADAPTERS, Dimension.Symbolic.TOKENS);
    Value ofOutputs = added.indexes(Graph.OUTPUT_ADAPTERS, Dimension.Symbolic.OUTPUTS);
    Map<Value, Value> inOwnOrder = new HashMap<>();
    List<Node> nodes = new ArrayList<>();
    int taken = 0;
    for (Node node : graph.nodes()) {
      if (node.op() instanceof SelectColumns) {
        inOwnOrder.put(node.output(), node.value(0));
      }
      Factors found = node.op() instanceof MatMul ? factors.get(node.weight(1).name()) : null;
      if (found == null) {
        nodes.add(node);
        continue;
      }
      String name = node.output().name();
      // Matrices may have their columns in another order; adapters have not.
      Value x = inOwnOrder.getOrDefault(node.value(0), node.value(0));
      Value ids = x.type().rows() == Dimension.Symbolic.OUTPUTS ? ofOutputs : ofRows;
      Value base = added.add(name + ".base", node.op(), node.inputs().toArray(Operand[]::new));
      Value inner = added.add(name + ".adapter.down", new MoeMatMul(), x, found.down, ids);
      Value change = added.add(name + ".adapter", new MoeMatMul(), inner, found.up, ids);
      Value sum = added.add(name + ".adapted", new Add(), base, change);
      found.scales.ifPresent(scales -> scale(added, name, sum, scales, ids));
      List<Node> together = new ArrayList<>(added.nodes().subList(taken, added.nodes().size()));
      taken += together.size();
      Node last = together.removeLast();
      together.add(new Node(last.op(), last.inputs(), node.outputs()));
      nodes.addAll(together);
    }
    List<Value> inputs = new ArrayList<>(graph.inputs());
    inputs.add(ofRows);
    inputs.add(ofOutputs);
    return new Graph(inputs, nodes, graph.outputs(), graph.state());
  }

  /** How many adapters the rows of such a graph choose among. */
  public static int count(Graph graph) {
    return graph.nodes().stream()
        .filter(node -> node.op() instanceof MoeMatMul)
        .filter(node -> isOfAdapters(node.value(2)))
        .mapToInt(node -> Math.toIntExact(node.weight(1).shape().dimension(0)) - 1)
        .findFirst()
        .orElse(0);
  }

  private static boolean isOfAdapters(Value ids) {
    return ids.name().equals(Graph.ADAPTERS) || ids.name().equals(Graph.OUTPUT_ADAPTERS);
  }

  /** Columns times what the row's adapter has for each: relu gates what is not negative. */
  private static void scale(GraphBuilder added, String name, Value x, Weight scales, Value ids) {
    Value zeros = added.add(name + ".adapter.zeros", new Scale(0), x);
    Value factors = added.add(name + ".adapter.scales", new MoeBias(), zeros, scales, ids);
    added.add(name + ".adapter.scaled", new Glu(Activation.RELU), factors, x);
  }
}
