package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Map;

/**
 * Nomic BERT and Nomic Embed without experts (Nussbaum et al. 2024): the form of BERT, with
 * rotations instead of positions, gated feed-forward parts, and no biases but those of norms.
 */
final class NomicBert implements Family {
  /** What GGUF files call it. */
  static final String GGUF = "nomic-bert";

  private static final String LAYER = "encoder.layers.{}.";
  private static final String FUSED = "blk.{}.attn_qkv.weight";
  private static final WeightNames NAMES =
      WeightNames.of(
          "nomic_bert.",
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, "embeddings.word_embeddings.weight"),
              entry(WeightName.TOKEN_TYPE_EMBEDDING, "embeddings.token_type_embeddings.weight"),
              entry(WeightName.EMBEDDING_NORM, "emb_ln.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "attn.out_proj.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "norm1.weight"),
              entry(WeightName.GATE, LAYER + "mlp.fc12.weight"),
              entry(WeightName.UP, LAYER + "mlp.fc11.weight"),
              entry(WeightName.DOWN, LAYER + "mlp.fc2.weight"),
              entry(WeightName.FEED_FORWARD_NORM, LAYER + "norm2.weight")));

  /** Settings of older configurations that mean another model where they are true. */
  private static final List<String> FLAGS =
      List.of(
          "prenorm",
          "use_rms_norm",
          "parallel_block",
          "causal",
          "is_decoder",
          "qkv_proj_bias",
          "mlp_fc1_bias",
          "mlp_fc2_bias",
          "rotary_emb_interleaved");

  /** The same where they are numbers. */
  private static final List<String> NUMBERS =
      List.of("rotary_scaling_factor", "rotary_emb_scale_base", "moe_every_n_layers");

  @Override
  public List<String> architectures() {
    return List.of("nomic_bert", GGUF);
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    requireKnown(settings);
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 1_000);
    int types =
        settings.isGguf()
            ? settings.rowsOf("token_types.weight").orElse(0)
            : settings.optional("type_vocab_size", 1 << 20).orElse(2);
    return Encoder.of(
            new Embeddings(settings.width(), 1, 0, norm, types, 0),
            settings.eachBlock(
                layer ->
                    Block.postNorm(
                        norm,
                        AttentionLayer.of(settings.headsOf(layer)).with(rotation).bothWays(),
                        FeedForward.gated(activation(settings), settings.feedForwardWidth(layer)))),
            Norm.NONE)
        .withPooledHeads(settings.isGguf() ? Bert.pooling(settings) : Pooling.MEAN, List.of());
  }

  private static void requireKnown(Hyperparameters settings) {
    for (String flag : FLAGS) {
      if (!settings.isGguf() && settings.flag(flag, false)) {
        throw settings.unsupported(flag, "is true");
      }
    }
    for (String number : NUMBERS) {
      if (settings.number(number).orElse(0.0) != 0) {
        throw settings.unsupported(number, "is " + settings.number(number).get());
      }
    }
  }

  /** Older configurations name what becomes of the gate together with the product. */
  private static Activation activation(Hyperparameters settings) {
    String key = "activation_function";
    String name = settings.isGguf() ? "" : settings.string(key).orElse("");
    return switch (name) {
      case "swiglu" -> Activation.SILU;
      case "geglu" -> Activation.GELU;
      case "" -> settings.activation(Activation.SILU);
      default -> throw settings.unsupported(key, "is " + name);
    };
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    if (settings.isGguf()) {
      return settings.hasTensor("blk.0.attn_q.weight")
          ? Bert.GGUF_NAMES
          : Bert.GGUF_NAMES.withFusedAttention(FUSED, heads);
    }
    return NAMES.withFusedAttention(LAYER + "attn.Wqkv.weight", heads);
  }
}
