package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link RmsNorm} of whole rows, or {@link AddRmsNorm}, and the product that alone takes what it
 * yields.
 *
 * <p>Inputs: those of the norm; then those of the product but for its x. Outputs: the sum, if there
 * is one; then those of the product.
 *
 * @param isSum whether two values are added before
 * @param product {@link MatMul}, {@link ParallelMatMul} or {@link GluMatMul}
 */
public record NormedProduct(float epsilon, boolean isSum, Op product) implements Fused {
  public NormedProduct {
    if (!canHave(product)) {
      throw new IllegalArgumentException(product.name() + " is no product of rows");
    }
  }

  /** Whether it can be this product. */
  public static boolean canHave(Op product) {
    return product instanceof MatMul
        || product instanceof ParallelMatMul
        || product instanceof GluMatMul;
  }

  @Override
  public String name() {
    return (isSum ? "Add" : "") + "Norm" + product.name();
  }

  /** How many inputs are the norm's. */
  public int normInputs() {
    return isSum ? 3 : 2;
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    require(inputs.size() > normInputs(), () -> "takes more than " + inputs.size() + " inputs");
    ValueType x = floats(inputs, 0);
    List<ValueType> types = new ArrayList<>();
    if (isSum) {
      require(x.equals(floats(inputs, 1)), () -> "sizes differ");
      types.add(x);
    }
    requireWeight(inputs, normInputs() - 1, x.columns());
    // What is normed is of x's type.
    types.addAll(product.infer(productInputs(inputs.getFirst(), inputs)));
    return types;
  }

  private List<Operand> productInputs(Operand normed, List<Operand> inputs) {
    List<Operand> all = new ArrayList<>();
    all.add(normed);
    all.addAll(inputs.subList(normInputs(), inputs.size()));
    return all;
  }

  @Override
  public List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names) {
    List<Value> outputs = new ArrayList<>();
    Operand x = inputs.getFirst();
    if (isSum) {
      outputs.add(builder.add(names.getFirst(), new Add(), x, inputs.get(1)));
      x = outputs.getFirst();
    }
    RmsNorm norm = new RmsNorm(epsilon, floats(inputs, 0).columns());
    Value normed = builder.add(names.getLast() + ".normed", norm, x, inputs.get(normInputs() - 1));
    List<Operand> all = productInputs(normed, inputs);
    List<String> productNames = names.subList(outputs.size(), names.size());
    outputs.addAll(
        product instanceof Fused fused
            ? fused.decompose(builder, all, productNames)
            : builder.add(productNames, product, all));
    return outputs;
  }
}
