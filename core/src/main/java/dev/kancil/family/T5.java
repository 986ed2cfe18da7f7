package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Score;
import java.util.List;
import java.util.Set;

/**
 * T5 (Raffel et al. 2019), and v1.1, Flan and mT5, whose feed-forward parts are gated: relative
 * biases that all layers of a stack share, scores without a scale, RMS norms. Each layer of UMT5
 * (Chung et al. 2023) has biases of its own. The encoder's GGUF names begin with {@code enc}, the
 * decoder's with {@code dec}.
 */
final class T5 implements Family {
  private static final String GATED = "gated-";
  private static final String SCALED = "scale_decoder_outputs";
  private static final String SHARED = "shared.weight";
  private static final String ENCODER = "enc.";
  private static final String DECODER = "dec.";
  private static final String SECOND_BIAS = "blk.1.attn_rel_b.weight";

  @Override
  public List<String> architectures() {
    return List.of("t5", "mt5", "umt5", "t5encoder");
  }

  @Override
  public int usualContext() {
    // Nothing but relative positions, of which all far ones are alike.
    return 1 << 15;
  }

  @Override
  public Transformer transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Embeddings embeddings = Embeddings.of(settings.width());
    Encoder encoder =
        Encoder.of(
            embeddings,
            settings.eachBlock(
                layer -> Block.preNorm(norm, attention(settings, true), fed(settings))),
            norm);
    if (isEncoderAlone(settings)) {
      return encoder;
    }
    boolean isTied = isTied(settings);
    boolean isScaled =
        settings.isGguf()
            ? !settings.hasTensor("output.weight")
            : settings.flag(SCALED, isTied && !neverScales(settings));
    Decoder decoder =
        new Decoder(
            embeddings,
            settings.eachBlock(
                settings.optional("decoder_block_count", 1 << 12).orElseGet(settings::blocks),
                layer ->
                    Block.preNorm(norm, attention(settings, false), fed(settings))
                        .withCross(AttentionLayer.of(heads(settings)).withScale(1))),
            norm,
            new Decoder.Head(
                isTied, false, isScaled ? (float) (1 / Math.sqrt(settings.width())) : 1, 0));
    return new EncoderDecoder(encoder, names(settings, true), decoder, start(settings));
  }

  /** Configurations of transformers 5 call untied matrices tied, too. */
  private static boolean isTied(Hyperparameters settings) {
    boolean isMultilingual = settings.architecture().equals("mt5");
    boolean mayBeWrong = isMultilingual || settings.hasFlag(SCALED);
    return settings.isTied(!isMultilingual)
        && !(mayBeWrong && settings.hasTensor("lm_head.weight"));
  }

  /** The mT5 of transformers 5. */
  private static boolean neverScales(Hyperparameters settings) {
    return settings.architecture().equals("mt5")
        && settings.string("transformers_version").orElse("").startsWith("5.");
  }

  private static boolean isEncoderAlone(Hyperparameters settings) {
    return settings.architecture().equals("t5encoder") || settings.isClass("EncoderModel");
  }

  private static Heads heads(Hyperparameters settings) {
    int heads = settings.heads(0);
    return new Heads(heads, heads, settings.keyWidth(), settings.keyWidth());
  }

  private static AttentionLayer attention(Hyperparameters settings, boolean isBothWays) {
    int buckets = settings.optional("attention.relative_buckets_count", 1 << 12).orElse(32);
    int most =
        settings
            .optional("relative_attention_max_distance", Score.RelativeBias.MOST_DISTANCE)
            .orElse(128);
    Score bias = new Score.RelativeBias(buckets, most, isBothWays);
    AttentionLayer layer =
        AttentionLayer.of(heads(settings))
            .withScale(1)
            .withScore(new Score.Plus(Score.PLAIN, bias));
    return isBothWays ? layer.bothWays() : layer;
  }

  private static boolean isGated(Hyperparameters settings) {
    return settings.isGguf()
        ? settings.hasTensor("enc.blk.0.ffn_gate.weight")
        : projection(settings).startsWith(GATED);
  }

  private static String projection(Hyperparameters settings) {
    return settings
        .string("feed_forward_proj")
        .orElse(settings.architecture().equals("t5") ? "relu" : GATED + "gelu");
  }

  private static FeedForward fed(Hyperparameters settings) {
    int width = settings.feedForwardWidth(0);
    if (isGated(settings)) {
      return FeedForward.gated(activation(settings, Activation.GELU_TANH), width);
    }
    return new FeedForward.Plain(activation(settings, Activation.RELU), width, false);
  }

  private static Activation activation(Hyperparameters settings, Activation usual) {
    if (settings.isGguf()) {
      return usual;
    }
    String projection = projection(settings);
    // What v1.1 calls gelu is the approximation by tanh.
    String name = projection.equals(GATED + "gelu") ? "gelu_new" : projection.replace(GATED, "");
    return Hyperparameters.activationOf(name)
        .orElseThrow(() -> settings.unsupported("feed_forward_proj", "is " + projection));
  }

  /** The id that the decoder begins with, which is that of padding in most checkpoints. */
  static int start(Hyperparameters settings) {
    long start =
        settings.integers("decoder_start_token_id").stream()
            .findFirst()
            .or(() -> settings.integers("pad_token_id").stream().findFirst())
            .orElse(0L);
    if (start < 0 || start > Integer.MAX_VALUE) {
      throw settings.invalid("decoder_start_token_id", "is " + start);
    }
    return (int) start;
  }

  private static boolean hasBiasInEachLayer(Hyperparameters settings) {
    return settings.architecture().equals("umt5");
  }

  @Override
  public Set<String> ggufMarks(Hyperparameters settings) {
    return hasBiasInEachLayer(settings)
        ? Set.of(ENCODER + SECOND_BIAS, DECODER + SECOND_BIAS)
        : Set.of();
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return names(settings, isEncoderAlone(settings));
  }

  private static WeightNames names(Hyperparameters settings, boolean isEncoder) {
    if (settings.isGguf()) {
      String stack = isEncoder ? ENCODER : DECODER;
      return T5Names.ofGguf(stack, settings.hasTensor(stack + SECOND_BIAS));
    }
    String stack = isEncoder ? "encoder." : "decoder.";
    String table = settings.hasTensor(SHARED) ? SHARED : "encoder.embed_tokens.weight";
    String withBias = hasBiasInEachLayer(settings) ? "{}" : "0";
    return T5Names.of(stack, isEncoder, isGated(settings))
        .with(WeightName.TOKEN_EMBEDDING, table)
        .with(
            WeightName.RELATIVE_BIAS,
            stack + "block." + withBias + ".layer.0.SelfAttention.relative_attention_bias.weight")
        .ignoring(
            "encoder.embed_tokens.weight",
            "decoder.embed_tokens.weight",
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight");
  }
}
