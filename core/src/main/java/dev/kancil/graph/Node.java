package dev.kancil.graph;

import dev.kancil.graph.op.Op;
import java.util.List;

/**
 * One application of an operation.
 *
 * @param op what is computed
 * @param inputs in the order that the operation's Javadoc gives
 * @param outputs in the same order as {@link Op#infer} returns their types
 */
public record Node(Op op, List<Operand> inputs, List<Value> outputs) {
  public Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  public Value output() {
    return outputs.getFirst();
  }

  /** Input {@code index} as a value of the graph. */
  public Value value(int index) {
    return (Value) inputs.get(index);
  }

  /** Input {@code index} as a weight of the model. */
  public Weight weight(int index) {
    return (Weight) inputs.get(index);
  }
}
