package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2019): the form of BERT, with positions that
 * begin behind the id of padding and do not count it.
 */
final class Roberta implements Family {
  @Override
  public List<String> architectures() {
    return List.of("roberta", "xlm-roberta", "camembert");
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    int types = settings.optional("type_vocab_size", 1 << 20).orElse(1);
    Encoder encoder =
        PostNormEncoder.of(settings, settings.contextLength(), types, 0, UnaryOperator.identity());
    return withHeads(encoder, settings, names(settings));
  }

  /** The same with heads as RoBERTa and MPNet have them. */
  static Encoder withHeads(Encoder encoder, Hyperparameters settings, WeightNames names) {
    Encoder padded = encoder.withPadding(padding(settings));
    List<Head> pooled = EncoderHeads.pooler(settings, names);
    if (EncoderHeads.has(settings, names, WeightName.HEAD_DENSE) && !isClassifier(settings)) {
      return padded
          .withRowHeads(
              EncoderHeads.maskedTokens(
                  settings, names, EncoderHeads.LOGITS, Activation.GELU, settings.width()))
          .withPooledHeads(Pooling.FIRST, pooled);
    }
    if (isClassifier(settings)) {
      pooled.addAll(
          EncoderHeads.classes(
              settings,
              names,
              "",
              new Head.Linear(WeightName.HEAD_DENSE, settings.width(), true),
              new Head.Tanh()));
      return padded.withPooledHeads(Pooling.FIRST, pooled);
    }
    return padded
        .withRowHeads(EncoderHeads.classes(settings, names, ""))
        .withPooledHeads(Pooling.FIRST, pooled);
  }

  /** The id of padding, which may be 0. */
  private static int padding(Hyperparameters settings) {
    long id = settings.integers("pad_token_id").stream().findFirst().orElse(1L);
    if (id < 0 || id >= settings.contextLength() - 1) {
      throw settings.invalid("pad_token_id", "is " + id);
    }
    return (int) id;
  }

  private static boolean isClassifier(Hyperparameters settings) {
    return settings.hasTensor("classifier.out_proj.weight");
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return names("roberta.", settings);
  }

  /**
   * Names as RoBERTa and MPNet have them.
   *
   * @param prefix of all but heads
   */
  static WeightNames names(String prefix, Hyperparameters settings) {
    WeightNames plain =
        PostNormEncoder.names(prefix)
            .with(WeightName.HEAD_NORM, "lm_head.layer_norm.weight")
            .with(WeightName.OUTPUT, "lm_head.decoder.weight");
    WeightNames names =
        EncoderHeads.withOutputBias(plain, settings, "lm_head.bias", "lm_head.decoder.bias");
    if (isClassifier(settings)) {
      return names
          .with(WeightName.HEAD_DENSE, "classifier.dense.weight")
          .with(WeightName.CLASSIFIER, "classifier.out_proj.weight");
    }
    return EncoderHeads.withClassifier(
        names.with(WeightName.HEAD_DENSE, "lm_head.dense.weight"), settings);
  }
}
