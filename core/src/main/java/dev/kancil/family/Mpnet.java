package dev.kancil.family;

import dev.kancil.graph.op.Score;
import java.util.List;

/**
 * MPNet (Song et al. 2020): the form of RoBERTa without kinds of tokens, and with relative biases
 * of scores that all layers share.
 */
final class Mpnet implements Family {
  private static final String PREFIX = "mpnet.";
  private static final String LAYER = PREFIX + "encoder.layer.{}.attention.";
  private static final int BUCKETS = 32;
  private static final int MAX_DISTANCE = 128;

  @Override
  public List<String> architectures() {
    return List.of("mpnet");
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    String key = "attention.relative_buckets_count";
    int buckets = settings.optional(key, 1 << 16).orElse(BUCKETS);
    if (buckets != BUCKETS) {
      throw settings.unsupported(key, "is " + buckets + ", not " + BUCKETS);
    }
    Score score = new Score.Plus(Score.PLAIN, new Score.RelativeBias(BUCKETS, MAX_DISTANCE, true));
    Encoder encoder =
        PostNormEncoder.of(
            settings, settings.contextLength(), 0, 0, attention -> attention.withScore(score));
    return Roberta.withHeads(encoder, settings, names(settings));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return Roberta.names(PREFIX, settings)
        .with(WeightName.QUERY, LAYER + "attn.q.weight")
        .with(WeightName.KEY, LAYER + "attn.k.weight")
        .with(WeightName.VALUE, LAYER + "attn.v.weight")
        .with(WeightName.ATTENTION_OUTPUT, LAYER + "attn.o.weight")
        .with(WeightName.ATTENTION_NORM, LAYER + "LayerNorm.weight")
        .with(WeightName.RELATIVE_BIAS, PREFIX + "encoder.relative_attention_bias.weight");
  }
}
