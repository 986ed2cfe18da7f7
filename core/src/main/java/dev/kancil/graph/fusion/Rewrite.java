package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A graph while nodes of it are being replaced. */
final class Rewrite {
  private final Graph graph;
  private final Map<Value, List<Node>> consumers;
  private final Map<Value, Node> producers = new HashMap<>();
  private final Set<Value> kept;
  private final Set<Node> removed = Collections.newSetFromMap(new IdentityHashMap<>());
  private final IdentityHashMap<Node, Node> replacements = new IdentityHashMap<>();

  Rewrite(Graph graph) {
    this.graph = graph;
    this.consumers = graph.consumers();
    this.kept = new HashSet<>(graph.outputs());
    for (Node node : graph.nodes()) {
      for (Value output : node.outputs()) {
        producers.put(output, node);
      }
    }
  }

  /** The node that computes {@code operand} with an {@code op}, if no rewrite has touched it. */
  <T extends Op> @Nullable Node producer(Operand operand, Class<T> op) {
    if (!(operand instanceof Value value)) {
      return null;
    }
    Node node = producers.get(value);
    return node != null && op.isInstance(node.op()) && isUntouched(node) ? node : null;
  }

  /** Whether {@code value} is read by one node only and is no output of the graph. */
  boolean isPrivate(Value value) {
    return consumers.getOrDefault(value, List.of()).size() == 1 && !kept.contains(value);
  }

  List<Node> consumers(Value value) {
    return consumers.getOrDefault(value, List.of());
  }

  boolean isUntouched(Node node) {
    return !removed.contains(node) && !replacements.containsKey(node);
  }

  void remove(Node node) {
    removed.add(node);
  }

  /** Puts {@code replacement} where {@code node} stands. */
  void replace(Node node, Node replacement) {
    replacements.put(node, replacement);
  }

  Graph result() {
    if (removed.isEmpty() && replacements.isEmpty()) {
      return graph;
    }
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (!removed.contains(node)) {
        nodes.add(replacements.getOrDefault(node, node));
      }
    }
    return graph.withNodes(nodes);
  }
}
