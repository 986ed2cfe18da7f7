package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y[r, g] = (a[r, g], b[r, g])}: columns of two values beside each other, group by group.
 *
 * <p>Inputs: a, F32 [rows × groups · m]; b, F32 [rows × groups · n]. Output: F32 [rows × groups ·
 * (m + n)].
 *
 * @param groups into how many groups the columns of each row are divided: 1, or heads
 */
public record Concatenate(int groups) implements Primitive {
  public Concatenate {
    if (groups < 1) {
      throw new IllegalArgumentException(groups + " groups of columns");
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType a = floats(inputs, 0);
    ValueType b = floats(inputs, 1);
    require(a.rows().equals(b.rows()), () -> "different rows");
    require(
        a.columns() % groups == 0 && b.columns() % groups == 0,
        () -> groups + " groups of " + a.columns() + " and " + b.columns() + " columns");
    return List.of(a.withColumns(Math.addExact(a.columns(), b.columns())));
  }
}
