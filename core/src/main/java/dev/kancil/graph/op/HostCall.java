package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * A Java function that may read and replace a value in the middle of a step: a tap. The device
 * finishes all work before it, and starts what follows after it.
 *
 * <p>Input: x, F32. Output: as x.
 */
public record HostCall(TapFunction function) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1);
    return List.of(floats(inputs, 0));
  }
}
