package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = activation(min(gate, limit)) · (1 + max(-limit, min(up, limit)))}, element by element.
 *
 * <p>Inputs: gate, up, F32 of the same size. Output: the same. Source: OpenAI 2025, "gpt-oss", with
 * {@link Activation#QUICK_GELU} and 7.
 *
 * @param limit how large the gate, and up either way, can be
 */
public record ClampedGlu(Activation activation, float limit) implements Primitive {
  public ClampedGlu {
    if (!(limit > 0 && limit <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("a limit of " + limit);
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType gate = floats(inputs, 0);
    require(gate.equals(floats(inputs, 1)), () -> "sizes differ");
    return List.of(gate);
  }

  /** One element, in double precision: the definition that fast versions are held to. */
  public double apply(double gate, double up) {
    return activation.apply(Math.min(gate, limit)) * (1 + Math.max(-limit, Math.min(up, limit)));
  }
}
