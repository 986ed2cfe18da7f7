package dev.kancil.graph;

import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.RopeAttention;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A graph of primitives in two parts, which compute the same one after the other. Each keeps the
 * state of its own layers, in groups of its own.
 *
 * @param before up to the value that is carried over, which is its first output; other outputs of
 *     the whole that it computes follow
 * @param after the rest, whose last input is the value that is carried over
 * @param carried the one computed value that the second part reads of the first
 */
public record GraphCut(Graph before, Graph after, Value carried) {
  /**
   * Cuts a graph behind the node that computes a value.
   *
   * @throws IllegalArgumentException if there is none of that name, or another value or a layer's
   *     state would have to be carried over, too
   */
  public static GraphCut behind(Graph graph, String name) {
    Value carried = graph.value(name);
    int end = 0;
    while (end < graph.nodes().size() && !graph.nodes().get(end).outputs().contains(carried)) {
      end++;
    }
    if (end == graph.nodes().size()) {
      throw new IllegalArgumentException("the graph does not compute " + name);
    }
    List<Node> first = graph.nodes().subList(0, end + 1);
    List<Node> second = graph.nodes().subList(end + 1, graph.nodes().size());
    requireNothingElse(first, second, carried);
    Set<Value> computed = computed(first);
    List<Value> firstOutputs = new ArrayList<>(List.of(carried));
    List<Value> secondOutputs = new ArrayList<>();
    for (Value output : graph.outputs()) {
      if (!output.equals(carried)) {
        (computed.contains(output) ? firstOutputs : secondOutputs).add(output);
      }
    }
    List<Value> secondInputs = read(graph.inputs(), second);
    secondInputs.add(carried);
    return new GraphCut(
        part(read(graph.inputs(), first), first, firstOutputs, graph.state()),
        part(secondInputs, second, secondOutputs, graph.state()),
        carried);
  }

  private static void requireNothingElse(List<Node> first, List<Node> second, Value carried) {
    Set<Value> computed = computed(first);
    Set<StateSlot> kept = new HashSet<>();
    first.forEach(node -> kept.addAll(slots(node.op())));
    for (Node node : second) {
      for (Operand operand : node.inputs()) {
        if (operand instanceof Value value && computed.contains(value) && !value.equals(carried)) {
          throw new IllegalArgumentException(
              "behind " + carried.name() + " " + value.name() + " is still read");
        }
      }
      for (StateSlot slot : slots(node.op())) {
        if (kept.contains(slot)) {
          throw new IllegalArgumentException("behind " + carried.name() + " " + slot + " is used");
        }
      }
    }
  }

  private static Set<Value> computed(List<Node> nodes) {
    Set<Value> computed = new HashSet<>();
    nodes.forEach(node -> computed.addAll(node.outputs()));
    return computed;
  }

  /** Those inputs that some nodes read. */
  private static List<Value> read(List<Value> inputs, List<Node> nodes) {
    Set<Operand> operands = new HashSet<>();
    nodes.forEach(node -> operands.addAll(node.inputs()));
    return new ArrayList<>(inputs.stream().filter(operands::contains).toList());
  }

  private static Graph part(
      List<Value> inputs, List<Node> nodes, List<Value> outputs, StateLayout whole) {
    Map<Integer, TreeSet<Integer>> layers = new LinkedHashMap<>();
    for (int group = 0; group < whole.groups().size(); group++) {
      layers.put(group, new TreeSet<>());
    }
    for (Node node : nodes) {
      for (StateSlot slot : slots(node.op())) {
        layers.getOrDefault(slot.group(), new TreeSet<>()).add(slot.layer());
      }
    }
    List<StateGroup> groups = new ArrayList<>();
    Map<StateSlot, StateSlot> moved = new HashMap<>();
    layers.forEach(
        (group, used) -> {
          if (!used.isEmpty()) {
            int layer = 0;
            for (int old : used) {
              moved.put(new StateSlot(group, old), new StateSlot(groups.size(), layer++));
            }
            groups.add(whole.groups().get(group).withLayers(used.size()));
          }
        });
    List<Node> renumbered = new ArrayList<>();
    for (Node node : nodes) {
      renumbered.add(new Node(moved(node.op(), moved), node.inputs(), node.outputs()));
    }
    return new Graph(inputs, renumbered, outputs, new StateLayout(groups));
  }

  private static List<StateSlot> slots(Op op) {
    return switch (op) {
      case CacheWrite(var slot) -> List.of(slot);
      case Attention attention -> List.of(attention.slot());
      case RopeAttention _ -> throw new IllegalArgumentException("a graph that is fused already");
      default -> List.of();
    };
  }

  private static Op moved(Op op, Map<StateSlot, StateSlot> moved) {
    return switch (op) {
      case CacheWrite(var slot) -> new CacheWrite(moved.getOrDefault(slot, slot));
      case Attention attention ->
          attention.withSlot(moved.getOrDefault(attention.slot(), attention.slot()));
      default -> op;
    };
  }
}
