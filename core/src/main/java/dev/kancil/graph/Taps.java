package dev.kancil.graph;

import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.TapFunction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Looks at and edits intermediate values. Taps are rewrites of the unfused graph: a fusion that
 * would hide a tapped value then no longer matches, and nothing else changes. Without taps the
 * graph is the very same object.
 */
public final class Taps {
  private Taps() {}

  /**
   * Keeps values for reading after each step.
   *
   * @param pattern a value's name, in which {@code *} stands for any characters
   * @throws IllegalArgumentException if nothing matches
   */
  public static Graph capture(Graph graph, String pattern) {
    List<Value> found = matching(graph, pattern);
    if (found.isEmpty()) {
      throw new IllegalArgumentException("the graph has no value that matches " + pattern);
    }
    return graph.withOutputs(found);
  }

  /** Calls {@code function} on the value each step; what it leaves there is what follows reads. */
  public static Graph call(Graph graph, String name, TapFunction function) {
    return edit(graph, name, new HostCall(function));
  }

  /**
   * Puts {@code op} behind the value called {@code name}: all that read the value read the op's
   * result instead, under the same name.
   *
   * @param op one input and one output of the same type, or more inputs given in {@code more}
   */
  public static Graph edit(Graph graph, String name, Op op, Operand... more) {
    Value original = graph.value(name);
    List<Operand> inputs = new ArrayList<>();
    Value before = new Value(graph.nextId(), name + ".before", original.type());
    inputs.add(before);
    inputs.addAll(List.of(more));
    Map<Value, Value> renamed = new HashMap<>();
    renamed.put(original, before);
    List<Node> nodes = new ArrayList<>();
    if (graph.inputs().contains(original)) {
      throw new IllegalArgumentException(name + " is an input of the graph");
    }
    for (Node node : graph.nodes()) {
      if (node.outputs().contains(original)) {
        List<Value> outputs = new ArrayList<>(node.outputs());
        outputs.replaceAll(value -> renamed.getOrDefault(value, value));
        nodes.add(new Node(node.op(), node.inputs(), outputs));
        nodes.add(new Node(op, inputs, List.of(original)));
      } else {
        nodes.add(node);
      }
    }
    return graph.withNodes(nodes);
  }

  private static List<Value> matching(Graph graph, String pattern) {
    List<Value> found = new ArrayList<>();
    for (Node node : graph.nodes()) {
      for (Value value : node.outputs()) {
        if (matches(value.name(), pattern)) {
          found.add(value);
        }
      }
    }
    return found;
  }

  /** Whether a name is of a pattern, in which {@code *} stands for any characters. */
  public static boolean matches(String name, String pattern) {
    String[] literals = pattern.split("\\*", -1);
    if (literals.length == 1) {
      return name.equals(literals[0]);
    }
    String last = literals[literals.length - 1];
    if (!name.startsWith(literals[0])) {
      return false;
    }
    int at = literals[0].length();
    for (int i = 1; i < literals.length - 1; i++) {
      int found = name.indexOf(literals[i], at);
      if (found < 0) {
        return false;
      }
      at = found + literals[i].length();
    }
    return name.length() - at >= last.length() && name.endsWith(last);
  }
}
