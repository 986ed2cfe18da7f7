package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link Rope} of queries and keys, {@link CacheWrite} and {@link Attention} in one.
 *
 * <p>Inputs: q, k, v, F32; positions, I32; optionally the divisors of {@link Rope}; the attention's
 * weights. Output: as the attention.
 */
public record RopeAttention(RotaryEmbedding rotary, Attention attention) implements Fused {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    int weights = attention.weights();
    if (inputs.size() == 5 + weights) {
      requireWeight(inputs, 4, rotary.rotaryWidth() / 2);
    } else {
      requireInputs(inputs, 4 + weights);
    }
    ValueType k = floats(inputs, 1);
    ValueType v = floats(inputs, 2);
    require(rotary.headWidth() == attention.keyWidth(), () -> "heads of different width");
    require(k.columns() == attention.kvHeads() * attention.keyWidth(), () -> "keys are " + k);
    require(v.columns() == attention.kvHeads() * attention.valueWidth(), () -> "values are " + v);
    return attention.infer(List.of(attentionInputs(inputs.get(0), inputs)));
  }

  /** The divisors of the rotation among the inputs, if there are any. */
  public List<Operand> factors(List<Operand> inputs) {
    return List.copyOf(inputs.subList(4, inputs.size() - attention.weights()));
  }

  @Override
  public List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names) {
    String name = names.getFirst();
    List<Operand> turn = new ArrayList<>();
    turn.add(inputs.get(3));
    turn.addAll(factors(inputs));
    Rope rope = new Rope(rotary);
    Value q = builder.add(name + ".query", rope, prepend(inputs.get(0), turn));
    Value k = builder.add(name + ".key", rope, prepend(inputs.get(1), turn));
    builder.add(List.of(), new CacheWrite(attention.slot()), List.of(k, inputs.get(2)));
    return List.of(builder.add(name, attention, attentionInputs(q, inputs)));
  }

  private Operand[] attentionInputs(Operand q, List<Operand> inputs) {
    List<Operand> rest = new ArrayList<>();
    rest.add(inputs.get(3));
    rest.addAll(inputs.subList(inputs.size() - attention.weights(), inputs.size()));
    return prepend(q, rest);
  }

  private static Operand[] prepend(Operand first, List<Operand> rest) {
    Operand[] all = new Operand[rest.size() + 1];
    all[0] = first;
    for (int i = 0; i < rest.size(); i++) {
      all[i + 1] = rest.get(i);
    }
    return all;
  }
}
