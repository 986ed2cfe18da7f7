package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y[r] = Σₛ weights[r, s] · x[r, s]}: what a row's experts say, weighted.
 *
 * <p>Inputs: x, F32 [rows × used · columns], slots beside each other; weights, F32 [rows × used].
 * Output: F32 [rows × columns]. Source: Shazeer et al. 2017, "Outrageously Large Neural Networks:
 * The Sparsely-Gated Mixture-of-Experts Layer", equation 1.
 */
public record MoeSum() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType x = floats(inputs, 0);
    ValueType weights = floats(inputs, 1);
    require(x.rows().equals(weights.rows()), () -> "weights of other rows");
    require(
        x.columns() % weights.columns() == 0,
        () -> weights.columns() + " weights for " + x.columns() + " columns");
    return List.of(x.withColumns(x.columns() / weights.columns()));
  }
}
