package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What GGUF files can say of encoders, which is how llama.cpp computes them. */
final class GgufEncoders {
  /** GGUF's number for classes that stand for a text. */
  static final int CLASSES = 4;

  private GgufEncoders() {}

  /** The same with heads that a file can hold: the pooler, and what gives a whole text classes. */
  static Encoder kept(Encoder encoder) {
    List<Head> heads = new ArrayList<>();
    boolean hasClasses = encoder.pooledHeads().stream().anyMatch(GgufEncoders::isOfItsOwn);
    for (Head head : encoder.pooledHeads()) {
      if (isOfItsOwn(head) || (!hasClasses && (isPooler(head) || isOfPooler(head)))) {
        heads.add(head);
      }
    }
    return encoder.withRowHeads(List.of()).withPooledHeads(encoder.pooling(), heads);
  }

  /** The same where all positions are some token's. */
  static Encoder withoutPadding(Encoder encoder, int contextLength) {
    if (encoder.padding().isEmpty()) {
      return encoder;
    }
    Embeddings from = encoder.embeddings();
    return new Encoder(
        new Embeddings(
            from.width(),
            from.scale(),
            encoder.positions(contextLength),
            from.norm(),
            from.tokenTypes(),
            from.inner(),
            from.features()),
        encoder.blocks(),
        encoder.finalNorm(),
        OptionalInt.empty(),
        encoder.rowHeads(),
        encoder.pooling(),
        encoder.pooledHeads());
  }

  private static boolean isProduct(Head.Step step, WeightName weight) {
    return step instanceof Head.Linear linear && linear.weight() == weight && linear.hasBias();
  }

  private static boolean isPooler(Head head) {
    return head.from().isEmpty()
        && head.steps().size() == 2
        && isProduct(head.steps().getFirst(), WeightName.POOLER)
        && head.steps().getLast() instanceof Head.Tanh;
  }

  /** Whether it is the product with what the pooler gives (BERT). */
  private static boolean isOfPooler(Head head) {
    return head.output().equals(EncoderHeads.LOGITS)
        && head.from().equals(EncoderHeads.POOLER_OUTPUT)
        && head.steps().size() == 1
        && isProduct(head.steps().getFirst(), WeightName.CLASSIFIER);
  }

  /** Whether it brings what the pooler would be (RoBERTa, ModernBERT). */
  private static boolean isOfItsOwn(Head head) {
    List<Head.Step> steps = head.steps();
    if (!head.from().isEmpty() || !isProduct(steps.getLast(), WeightName.CLASSIFIER)) {
      return false;
    }
    return switch (steps.size()) {
      case 3 ->
          isProduct(steps.getFirst(), WeightName.HEAD_DENSE) && steps.get(1) instanceof Head.Tanh;
      case 4 ->
          steps.getFirst() instanceof Head.Linear(WeightName weight, _, boolean hasBias)
              && weight == WeightName.HEAD_DENSE
              && !hasBias
              && steps.get(1).equals(new Head.Activated(Activation.GELU))
              && steps.get(2) instanceof Head.Normed(Norm.Layer norm, _)
              && !norm.hasBias();
      default -> false;
    };
  }

  /** How many classes a text can be of; 0: the encoder has no such head. */
  static int classes(Encoder kept) {
    return kept.pooledHeads().stream()
        .map(head -> head.steps().getLast())
        .filter(step -> isProduct(step, WeightName.CLASSIFIER))
        .mapToInt(step -> step instanceof Head.Linear linear ? linear.columns() : 0)
        .sum();
  }

  /** GGUF's number for what stands for a text. */
  static int poolingType(Pooling pooling) {
    return switch (pooling) {
      case MEAN -> 1;
      case FIRST -> 2;
      case LAST -> 3;
    };
  }
}
