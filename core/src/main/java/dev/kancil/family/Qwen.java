package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Optional;

/**
 * Qwen 2, 2.5 and 3 (Qwen Team 2024, 2025): the form of Llama, with biases of queries, keys and
 * values (2, 2.5) or with norms of each head (3), and with experts, beside which Qwen 2 has one
 * that all rows use, as far as a gate of its own says. GGUF files of those that see images hold the
 * part that reads text, to which positions in a picture are as those in a text.
 */
final class Qwen implements Family {
  private static final String EXPERT_WIDTH = "expert_feed_forward_length";

  @Override
  public List<String> architectures() {
    return List.of(
        "qwen2",
        "qwen3",
        "qwen2_moe",
        "qwen2moe",
        "qwen3_moe",
        "qwen3moe",
        "qwen2vl",
        "qwen3vl",
        "qwen3vlmoe");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 1_000_000);
    boolean isThird = settings.architecture().startsWith("qwen3");
    boolean hasBias = settings.hasBias("attention_bias", false);
    boolean hasInputBias = isThird ? hasBias : settings.isGguf() || settings.flag("qkv_bias", true);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(hasInputBias, isThird && hasBias))
                        .with(
                            isThird
                                ? AttentionLayer.QueryKeyNorm.ofHeads(norm)
                                : AttentionLayer.QueryKeyNorm.NONE)
                        .withWindow(isWindowed(settings, layer) ? settings.window() : 0),
                    feedForward(settings, layer))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  /** Layers from a number on, or with experts all, unless each says for itself. */
  private static boolean isWindowed(Hyperparameters settings, int layer) {
    if (settings.isGguf()) {
      return false;
    }
    // Transformers does not ask for what configurations of Qwen 3 with experts say of each.
    if (settings.architecture().equals("qwen3_moe")) {
      return true;
    }
    List<String> types = settings.layerTypes();
    if (!types.isEmpty()) {
      return types.get(layer).equals("sliding_attention");
    }
    return settings.architecture().equals("qwen2_moe")
        || layer >= settings.integers("max_window_layers").stream().findFirst().orElse(0L);
  }

  private static FeedForward feedForward(Hyperparameters settings, int layer) {
    Activation activation = settings.activation(Activation.SILU);
    int experts = settings.optional("expert_count", 1 << 16).orElse(0);
    if (experts == 0 || isDense(settings, layer)) {
      return FeedForward.gated(activation, settings.feedForwardWidth(layer));
    }
    boolean isSecond = settings.architecture().startsWith("qwen2");
    MoeRoute route =
        new MoeRoute(
            settings.required("expert_used_count"),
            MoeRoute.Scoring.SOFTMAX,
            settings.isGguf() ? !isSecond : settings.flag("norm_topk_prob", false),
            1);
    return new FeedForward.Experts(
        activation,
        experts,
        expertWidth(settings, layer),
        route,
        false,
        isSecond
            ? new FeedForward.Shared(sharedWidth(settings, layer), true)
            : FeedForward.Shared.NONE);
  }

  /** Files of the first Qwen with experts have no such setting. */
  private static int expertWidth(Hyperparameters settings, int layer) {
    Optional<Integer> width = settings.optional(EXPERT_WIDTH, 1 << 20);
    return width.isEmpty() && settings.architecture().equals("qwen2moe")
        ? settings.feedForwardWidth(layer) / settings.required("expert_used_count")
        : width.orElseGet(() -> settings.required(EXPERT_WIDTH));
  }

  private static int sharedWidth(Hyperparameters settings, int layer) {
    return settings
        .optional("expert_shared_feed_forward_length", 1 << 20)
        .orElseGet(() -> settings.feedForwardWidth(layer));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    if (settings.isGguf()) {
      return usual;
    }
    String shared = "model.layers.{}.mlp.shared_expert";
    return usual
        .with(WeightName.SHARED_GATE, shared + ".gate_proj.weight")
        .with(WeightName.SHARED_UP, shared + ".up_proj.weight")
        .with(WeightName.SHARED_DOWN, shared + ".down_proj.weight")
        .with(WeightName.SHARED_SWITCH, shared + "_gate.weight")
        .withExpertsInMemory(
            settings, "model.layers.{}.mlp", settings.optional(EXPERT_WIDTH, 1 << 20).orElse(0));
  }

  private static boolean isDense(Hyperparameters settings, int layer) {
    if (settings.isGguf()) {
      return false;
    }
    int every = settings.optional("decoder_sparse_step", 1 << 16).orElse(1);
    return settings.integers("mlp_only_layers").contains((long) layer) || (layer + 1) % every != 0;
  }
}
