package dev.kancil.graph.op;

import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import java.util.List;
import java.util.Optional;

/**
 * Grouped-query attention of each row over its own sequence's cached keys and values (Vaswani et
 * al. 2017; Ainslie et al. 2023): {@code y = softmax(score(scale · q·kᵀ), masked) · v} for each
 * head; head h reads KV head {@code h · kvHeads / heads}.
 *
 * <p>Inputs: q, F32 [rows × heads · keyWidth]; positions, I32 [rows × 1]; if it has sinks, they
 * [heads]; if the score has a {@link Score.RelativeBias}, its biases [buckets, heads]. Output: F32
 * [rows × heads · valueWidth]. A row that sees no key yields zeros.
 *
 * <p>A head's sink is a score that takes part in its softmax as that of a key would, but has no
 * value: it only adds {@code e^sink} to the sum that weights are divided by, so that a row may
 * attend to nothing (Xiao et al. 2023; OpenAI 2025, "gpt-oss"). It is neither scaled nor capped.
 *
 * @param slot where keys and values were written
 * @param scale what raw scores are multiplied by
 * @param mask which keys a query sees
 * @param score what becomes of the scaled score before the softmax
 * @param hasSinks whether there is a sink for each head
 */
public record Attention(
    StateSlot slot,
    int heads,
    int kvHeads,
    int keyWidth,
    int valueWidth,
    float scale,
    Mask mask,
    Score score,
    boolean hasSinks)
    implements Primitive {
  public Attention {
    if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0 || keyWidth < 1 || valueWidth < 1) {
      throw new IllegalArgumentException(
          heads + " heads on " + kvHeads + " KV heads, widths " + keyWidth + " and " + valueWidth);
    }
    if (Score.relativeBiases(score).size() > 1) {
      throw new IllegalArgumentException("a score with different relative biases");
    }
  }

  /** Without sinks. */
  public Attention(
      StateSlot slot,
      int heads,
      int kvHeads,
      int keyWidth,
      int valueWidth,
      float scale,
      Mask mask,
      Score score) {
    this(slot, heads, kvHeads, keyWidth, valueWidth, scale, mask, score, false);
  }

  /** The same over another layer's keys and values. */
  public Attention withSlot(StateSlot other) {
    return new Attention(other, heads, kvHeads, keyWidth, valueWidth, scale, mask, score, hasSinks);
  }

  /** The same with a sink for each head. */
  public Attention withSinks() {
    return new Attention(slot, heads, kvHeads, keyWidth, valueWidth, scale, mask, score, true);
  }

  /** How many weights it takes: they are the last inputs of its node, whatever it is fused with. */
  public int weights() {
    return (hasSinks ? 1 : 0) + Score.relativeBiases(score).size();
  }

  /** The biases of {@link Score.RelativeBias} among the inputs of its node, likewise. */
  public Optional<Weight> biases(Node node) {
    return Score.relativeBiases(score).isEmpty()
        ? Optional.empty()
        : Optional.of(node.weight(node.inputs().size() - 1));
  }

  /** The score's relative bias, if it has one. */
  public Optional<Score.RelativeBias> relativeBias() {
    return Score.relativeBiases(score).stream().findFirst();
  }

  /** The sinks among the inputs of its node, which may be a fused one. */
  public Optional<Weight> sinks(Node node) {
    return hasSinks ? Optional.of(node.weight(node.inputs().size() - weights())) : Optional.empty();
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2 + weights());
    ValueType q = floats(inputs, 0);
    require(q.columns() == heads * keyWidth, () -> "queries have " + q.columns() + " columns");
    requirePositions(inputs, 1, q.rows());
    if (hasSinks) {
      requireWeight(inputs, 2, heads);
    }
    relativeBias()
        .ifPresent(bias -> requireWeight(inputs, inputs.size() - 1, bias.buckets(), heads));
    return List.of(q.withColumns(heads * valueWidth));
  }
}
