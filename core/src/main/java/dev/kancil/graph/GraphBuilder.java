package dev.kancil.graph;

import dev.kancil.graph.op.Op;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;

/** Builds a graph node by node; types are inferred and checked at each. */
public final class GraphBuilder {
  private final List<Value> inputs = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private int nextId;

  public GraphBuilder() {
    this(0);
  }

  /** A builder whose values are numbered from {@code firstId}, to join a graph that exists. */
  public GraphBuilder(int firstId) {
    this.nextId = firstId;
  }

  public Value input(String name, ValueType type) {
    Value value = new Value(nextId++, name, type);
    inputs.add(value);
    return value;
  }

  /** A one-column I32 input, as the batch's tokens, positions and output rows are. */
  public Value indexes(String name, Dimension rows) {
    return input(name, new ValueType(DataType.I32, rows, 1));
  }

  /** Adds a node with one output. */
  public Value add(String name, Op op, Operand... operands) {
    return add(List.of(name), op, List.of(operands)).getFirst();
  }

  /** Adds a node with as many outputs as names. */
  public List<Value> add(List<String> names, Op op, List<? extends Operand> operands) {
    List<Operand> read = List.copyOf(operands);
    List<ValueType> types = op.infer(read);
    if (types.size() != names.size()) {
      throw new IllegalArgumentException(op + " has " + types.size() + " outputs, not " + names);
    }
    List<Value> outputs = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      outputs.add(new Value(nextId++, names.get(i), types.get(i)));
    }
    nodes.add(new Node(op, read, outputs));
    return outputs;
  }

  public List<Node> nodes() {
    return List.copyOf(nodes);
  }

  public Graph build(List<Value> outputs, StateLayout state) {
    return new Graph(inputs, nodes, outputs, state);
  }
}
