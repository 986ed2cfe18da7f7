package dev.kancil.family;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * BERT (Devlin et al. 2018), with the heads that its classes have. GGUF files of this architecture
 * may hold RoBERTa, XLM-R or DistilBERT, too, whose positions lie there as BERT's do.
 */
final class Bert implements Family {
  private static final WeightNames NAMES =
      PostNormEncoder.names("bert.")
          .with(WeightName.HEAD_DENSE, "cls.predictions.transform.dense.weight")
          .with(WeightName.HEAD_NORM, "cls.predictions.transform.LayerNorm.weight")
          .with(WeightName.OUTPUT, "cls.predictions.decoder.weight");
  private static final String NEXT_SENTENCE = "cls.seq_relationship.weight";

  /** What GGUF files call weights of BERT and those that share its form. */
  static final WeightNames GGUF_NAMES =
      WeightNames.GGUF
          .with(WeightName.TOKEN_TYPE_EMBEDDING, "token_types.weight")
          .with(WeightName.ATTENTION_NORM, "blk.{}.attn_output_norm.weight")
          .with(WeightName.FEED_FORWARD_NORM, "blk.{}.layer_output_norm.weight")
          .with(WeightName.POOLER, "cls.weight")
          .with(WeightName.CLASSIFIER, "cls.output.weight");

  @Override
  public List<String> architectures() {
    return List.of("bert");
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    WeightNames names = names(settings);
    int types =
        settings.isGguf()
            ? settings.rowsOf("token_types.weight").orElse(0)
            : settings.optional("type_vocab_size", 1 << 20).orElse(2);
    Encoder encoder =
        PostNormEncoder.of(settings, settings.contextLength(), types, 0, UnaryOperator.identity());
    if (!settings.isGguf()) {
      return EncoderHeads.withHeads(
          encoder, settings, names, sentences(settings), settings.width());
    }
    List<Head> pooled = EncoderHeads.pooler(settings, names);
    String from = pooled.isEmpty() ? "" : EncoderHeads.POOLER_OUTPUT;
    pooled.addAll(EncoderHeads.classes(settings, names, from));
    return encoder.withPooledHeads(pooling(settings), pooled);
  }

  /** What logits about two sentences are called; empty if there are none. */
  private static String sentences(Hyperparameters settings) {
    if (!settings.hasTensor(NEXT_SENTENCE)) {
      return "";
    }
    return settings.isClass("ForNextSentencePrediction")
        ? EncoderHeads.LOGITS
        : "seq_relationship_logits";
  }

  /** What GGUF files say of pooling, by number. */
  static Pooling pooling(Hyperparameters settings) {
    return pooling(settings, "pooling_type");
  }

  /** The same under another key. */
  static Pooling pooling(Hyperparameters settings, String key) {
    long kind = settings.integers(key).stream().findFirst().orElse(1L);
    return switch ((int) kind) {
      case 0, 1 -> Pooling.MEAN;
      case 2, GgufEncoders.CLASSES -> Pooling.FIRST;
      case 3 -> Pooling.LAST;
      default -> throw settings.unsupported(key, "is " + kind);
    };
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    if (settings.isGguf()) {
      return settings.hasTensor("blk.0.attn_qkv.weight")
          ? GGUF_NAMES.withFusedAttention("blk.{}.attn_qkv.weight", settings.headsOf(0))
          : GGUF_NAMES;
    }
    WeightNames names =
        EncoderHeads.withOutputBias(
            NAMES, settings, "cls.predictions.bias", "cls.predictions.decoder.bias");
    return settings.hasTensor(NEXT_SENTENCE)
        ? names.with(WeightName.CLASSIFIER, NEXT_SENTENCE)
        : EncoderHeads.withClassifier(names, settings);
  }
}
