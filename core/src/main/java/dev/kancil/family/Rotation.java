package dev.kancil.family;

import dev.kancil.graph.op.RotaryEmbedding;
import java.util.List;

/**
 * How positions turn queries and keys.
 *
 * @param embedding which columns, and how far
 * @param factors divisors of the frequencies, one for each pair; if empty those of {@code stored}
 * @param stored which weight holds such factors, if the checkpoint has it
 */
public record Rotation(RotaryEmbedding embedding, List<Float> factors, WeightName stored) {
  public Rotation {
    factors = List.copyOf(factors);
  }

  /** With factors of the family, or none. */
  public Rotation(RotaryEmbedding embedding, List<Float> factors) {
    this(embedding, factors, WeightName.ROPE_FACTORS);
  }

  /** Without factors of the family. */
  public Rotation(RotaryEmbedding embedding) {
    this(embedding, List.of());
  }

  /** The same with factors that another weight holds. */
  Rotation with(WeightName newStored) {
    return new Rotation(embedding, factors, newStored);
  }
}
