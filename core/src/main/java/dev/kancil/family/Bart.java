package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * BART (Lewis et al. 2019), and mBART (Liu et al. 2020), which norms before each part and once more
 * at last: learned positions, of which the table has two that are never used, normed embeddings,
 * biases everywhere. Pegasus (Zhang et al. 2020) is as mBART is, and Marian (Junczys-Dowmunt et al.
 * 2018) as BART, but embeddings are not normed, and positions are sinusoids.
 */
final class Bart implements Family {
  private static final String PREFIX = "model.";
  private static final String MULTILINGUAL = "mbart";
  private static final String PEGASUS = "pegasus";
  private static final String MARIAN = "marian";
  private static final String SHARED = PREFIX + "shared.weight";
  private static final int UNUSED_POSITIONS = 2;
  private static final float EPSILON = 1e-5f;

  @Override
  public List<String> architectures() {
    return List.of("bart", MULTILINGUAL, PEGASUS, MARIAN);
  }

  @Override
  public EncoderDecoder transformer(Hyperparameters settings) {
    int width = settings.width();
    Norm norm = Norm.layer(EPSILON);
    float scale = settings.flag("scale_embedding", false) ? (float) Math.sqrt(width) : 1;
    Embeddings embeddings =
        new Embeddings(
            width, scale, settings.contextLength(), isSinusoidal(settings) ? Norm.NONE : norm);
    boolean isPreNorm = List.of(MULTILINGUAL, PEGASUS).contains(settings.architecture());
    Norm last = isPreNorm ? norm : Norm.NONE;
    Encoder encoder =
        Encoder.of(
            embeddings,
            settings.eachBlock(
                settings.required("encoder_layers"), blocks(settings, norm, isPreNorm, "encoder_")),
            last);
    AttentionLayer cross = attention(settings, "decoder_");
    IntFunction<Block> blocks = blocks(settings, norm, isPreNorm, "decoder_");
    Decoder decoder =
        new Decoder(
            embeddings,
            settings.eachBlock(
                settings.required("decoder_layers"), layer -> blocks.apply(layer).withCross(cross)),
            last,
            new Decoder.Head(settings.isTied(true), true, 1, 0));
    return new EncoderDecoder(encoder, names(settings, "encoder."), decoder, T5.start(settings));
  }

  private static boolean isSinusoidal(Hyperparameters settings) {
    return List.of(PEGASUS, MARIAN).contains(settings.architecture());
  }

  private static AttentionLayer attention(Hyperparameters settings, String stack) {
    String key = stack + "attention_heads";
    int heads = settings.required(key);
    if (settings.width() % heads != 0) {
      throw settings.invalid(key, "does not divide the width");
    }
    int columns = settings.width() / heads;
    return AttentionLayer.of(new Heads(heads, heads, columns, columns))
        .with(new AttentionLayer.Biases(true, true));
  }

  private static IntFunction<Block> blocks(
      Hyperparameters settings, Norm norm, boolean isPreNorm, String stack) {
    AttentionLayer attention = attention(settings, stack);
    AttentionLayer own = stack.equals("encoder_") ? attention.bothWays() : attention;
    FeedForward feedForward =
        new FeedForward.Plain(
            settings.activation(Activation.GELU), settings.required(stack + "ffn_dim"), true);
    return _ ->
        isPreNorm ? Block.preNorm(norm, own, feedForward) : Block.postNorm(norm, own, feedForward);
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return names(settings, "decoder.");
  }

  private static WeightNames names(Hyperparameters settings, String stack) {
    String part = PREFIX + stack;
    String layer = part + "layers.{}.";
    String self = layer + "self_attn.";
    String cross = layer + "encoder_attn.";
    return WeightNames.of(
            PREFIX,
            Map.ofEntries(
                entry(WeightName.TOKEN_EMBEDDING, embeddings(settings, part)),
                entry(WeightName.EMBEDDING_NORM, part + "layernorm_embedding.weight"),
                entry(WeightName.ATTENTION_NORM, layer + "self_attn_layer_norm.weight"),
                entry(WeightName.QUERY, self + "q_proj.weight"),
                entry(WeightName.KEY, self + "k_proj.weight"),
                entry(WeightName.VALUE, self + "v_proj.weight"),
                entry(WeightName.ATTENTION_OUTPUT, self + "out_proj.weight"),
                entry(WeightName.CROSS_NORM, layer + "encoder_attn_layer_norm.weight"),
                entry(WeightName.CROSS_QUERY, cross + "q_proj.weight"),
                entry(WeightName.CROSS_KEY, cross + "k_proj.weight"),
                entry(WeightName.CROSS_VALUE, cross + "v_proj.weight"),
                entry(WeightName.CROSS_OUTPUT, cross + "out_proj.weight"),
                entry(WeightName.FEED_FORWARD_NORM, layer + "final_layer_norm.weight"),
                entry(WeightName.UP, layer + "fc1.weight"),
                entry(WeightName.DOWN, layer + "fc2.weight"),
                entry(WeightName.FINAL_NORM, part + "layer_norm.weight"),
                entry(WeightName.OUTPUT, "lm_head.weight"),
                entry(WeightName.OUTPUT_BIAS, "final_logits_bias")))
        .with(WeightName.POSITION_EMBEDDING, positions(settings, part + "embed_positions.weight"))
        .ignoring(
            SHARED, PREFIX + "encoder.embed_tokens.weight", PREFIX + "decoder.embed_tokens.weight");
  }

  /** Both stacks share a table, unless the checkpoint has others and nothing is tied. */
  private static String embeddings(Hyperparameters settings, String part) {
    String own = part + "embed_tokens.weight";
    boolean isShared = settings.isTied(true) || !settings.hasTensor(own);
    return isShared && settings.hasTensor(SHARED) ? SHARED : own;
  }

  private static WeightPlace positions(Hyperparameters settings, String name) {
    if (!isSinusoidal(settings)) {
      return WeightPlace.named(name)
          .rows(UNUSED_POSITIONS, (long) settings.contextLength() + UNUSED_POSITIONS);
    }
    return settings.hasTensor(name) ? WeightPlace.named(name) : new WeightPlace.Sinusoids();
  }
}
