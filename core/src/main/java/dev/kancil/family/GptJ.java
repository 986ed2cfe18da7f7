package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Map;

/**
 * GPT-J (Wang and Komatsuzaki 2021): both parts of a block beside each other after one layer norm,
 * rotation of neighbours in a part of each head, biases of the feed-forward part and the logits.
 * GGUF has a name for it, but nothing writes such files.
 */
final class GptJ implements Family {
  private static final String PREFIX = "transformer.";
  private static final String LAYER = PREFIX + "h.{}.";
  private static final WeightNames NAMES =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, PREFIX + "wte.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "ln_1.weight"),
              entry(WeightName.QUERY, LAYER + "attn.q_proj.weight"),
              entry(WeightName.KEY, LAYER + "attn.k_proj.weight"),
              entry(WeightName.VALUE, LAYER + "attn.v_proj.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "attn.out_proj.weight"),
              entry(WeightName.UP, LAYER + "mlp.fc_in.weight"),
              entry(WeightName.DOWN, LAYER + "mlp.fc_out.weight"),
              entry(WeightName.FINAL_NORM, PREFIX + "ln_f.weight"),
              entry(WeightName.OUTPUT, "lm_head.weight")));

  @Override
  public List<String> architectures() {
    return List.of("gptj");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.NEIGHBOURS, 10_000);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.parallel(
                    norm,
                    true,
                    AttentionLayer.of(settings.headsOf(layer)).with(rotation),
                    new FeedForward.Plain(
                        settings.activation(Activation.GELU_TANH),
                        settings.feedForwardWidthOrFourfold(layer),
                        true))),
        norm,
        new Decoder.Head(settings.isTied(false), true, 1, 0));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return settings.isGguf() ? WeightNames.usual(settings) : NAMES;
  }
}
