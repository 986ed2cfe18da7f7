package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import java.util.List;

/**
 * Llama 1 to 3 and all that share its form (Touvron et al. 2023; Llama Team 2024): Mistral with its
 * window, Ministral with one in some layers, Mixtral with its experts, SmolLM3, of which some
 * layers turn nothing, Arcee's AFM, whose feed-forward parts have no gate.
 */
final class Llama implements Family {
  private static final String ARCEE = "arcee";

  @Override
  public List<String> architectures() {
    return List.of("llama", "mistral", "ministral", "mixtral", "smollm3", ARCEE);
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.readReordered(settings, 10_000);
    AttentionLayer.Biases biases =
        new AttentionLayer.Biases(
            hasBias(settings, "attention_bias", "attn_q", "attn_qkv"),
            hasBias(settings, "attention_bias", "attn_output"));
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(biases)
                      .withWindow(window(settings, layer));
              return Block.preNorm(
                  norm,
                  turns(settings, layer) ? attention.with(rotation) : attention,
                  feedForward(settings, layer));
            }),
        norm,
        Decoder.Head.of(settings.isTied(settings.architecture().equals("smollm3"))));
  }

  /** Configurations of Ministral and SmolLM3 tell of each layer; others' layers are alike. */
  private static int window(Hyperparameters settings, int layer) {
    if (settings.isGguf()) {
      return settings.window();
    }
    List<String> types = settings.layerTypes();
    boolean seesAll = !types.isEmpty() && types.get(layer).equals("full_attention");
    return switch (settings.architecture()) {
      case "llama" -> 0;
      case "ministral" -> seesAll ? 0 : settings.windowIfUsed();
      case "smollm3" ->
          types.isEmpty()
              ? (turns(settings, layer) ? 0 : settings.window())
              : (seesAll ? 0 : settings.windowIfUsed());
      default -> settings.windowIfUsed();
    };
  }

  /** SmolLM3: every fourth layer does not, unless a configuration says otherwise. */
  private static boolean turns(Hyperparameters settings, int layer) {
    if (!settings.architecture().equals("smollm3")) {
      return true;
    }
    List<Long> named = settings.isGguf() ? List.of() : settings.layers("no_rope_layers");
    int every = settings.optional("no_rope_layer_interval", 1 << 16).orElse(4);
    return named.isEmpty() ? (layer + 1) % every != 0 : named.get(layer) != 0;
  }

  /** GGUF files of one of the architectures may have biases. */
  private static boolean hasBias(Hyperparameters settings, String flag, String... names) {
    boolean isPossible = settings.architecture().equals("llama");
    return settings.hasBias(flag, false, isPossible ? names : new String[0]);
  }

  private static FeedForward feedForward(Hyperparameters settings, int layer) {
    int width = settings.feedForwardWidth(layer);
    int experts = settings.optional("expert_count", 1 << 16).orElse(0);
    boolean hasBias = hasBias(settings, "mlp_bias", "ffn_up");
    if (settings.architecture().equals(ARCEE)) {
      Activation usual = Activation.RELU_SQUARED;
      return new FeedForward.Plain(settings.activation(usual), width, hasBias);
    }
    Activation activation = settings.activation(Activation.SILU);
    if (experts == 0) {
      return new FeedForward.Gated(activation, width, hasBias);
    }
    MoeRoute route =
        new MoeRoute(settings.required("expert_used_count"), MoeRoute.Scoring.SOFTMAX, true, 1);
    return new FeedForward.Experts(
        activation, experts, width, route, false, FeedForward.Shared.NONE);
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    if (!settings.architecture().equals("mixtral")) {
      return usual;
    }
    String gate = "model.layers.{}.block_sparse_moe.gate.weight";
    WeightNames separate =
        settings.hasTensor(gate.replace("{}", "0")) ? usual.with(WeightName.ROUTER, gate) : usual;
    return separate
        .withExperts("model.layers.{}.block_sparse_moe.experts.{e}.", "w1", "w3", "w2")
        .withExpertsInMemory(settings, "model.layers.{}.mlp", settings.feedForwardWidth(0));
  }
}
