package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Batch;
import java.util.BitSet;

/**
 * What a sequence brings to the choice of its next token: parameters, the bits that decide, and the
 * logits that its text and its options change. The choice itself is made on the device. A step
 * allocates nothing.
 */
final class Sampler {
  /** The most tokens that a bias may name, so that a step's changes are bounded. */
  static final int MOST_BIASES = 1024;

  private static final int[] NO_COUNTS = {};

  // Set in a count if the prompt holds the token.
  private static final int SEEN = 1 << 31;

  private final Sampling sampling;
  // Times that a token was generated, and SEEN.
  private final int[] counts;
  private final int[] biasedIds;
  private final float[] biases;
  // Ids that the text holds, or that have a bias.
  private final BitSet changed = new BitSet();

  /**
   * @throws InvalidRequestException if the bias names an id outside of the vocabulary, or too many
   */
  Sampler(Sampling sampling, int vocabulary) {
    this.sampling = sampling;
    this.counts = sampling.hasPenalties() ? new int[vocabulary] : NO_COUNTS;
    this.biasedIds = sampling.logitBias().keySet().stream().mapToInt(id -> id).sorted().toArray();
    this.biases = new float[biasedIds.length];
    if (biases.length > MOST_BIASES) {
      throw new InvalidRequestException(
          "logit bias names " + biases.length + " tokens, but at most " + MOST_BIASES + " can be");
    }
    for (int i = 0; i < biases.length; i++) {
      int id = biasedIds[i];
      biases[i] = sampling.logitBias().getOrDefault(id, 0f);
      if (id < 0 || id >= vocabulary) {
        throw new InvalidRequestException(
            "logit bias: token id " + id + " is not in the vocabulary of " + vocabulary);
      }
      changed.set(id);
    }
  }

  /** The most logits that a sequence changes whose text has up to {@code context} tokens. */
  static int mostChanges(int vocabulary, int context) {
    return Math.min(vocabulary, Math.addExact(context, MOST_BIASES));
  }

  /** Whether the next token can be chosen without knowing the one before. */
  boolean isIndependent() {
    return counts.length == 0;
  }

  /** Takes note of a token of the prompt. */
  void acceptPrompt(int token) {
    if (counts.length > 0) {
      counts[token] |= SEEN;
      changed.set(token);
    }
  }

  /** Takes note of a generated token. */
  void accept(int token) {
    if (counts.length > 0) {
      counts[token]++;
      changed.set(token);
    }
  }

  /**
   * Says how the token is chosen that follows the batch's last output row.
   *
   * @param position of the token that is chosen
   */
  void describe(Batch batch, int position) {
    batch.sample(
        sampling.temperature(),
        sampling.topK(),
        sampling.topP(),
        sampling.minP(),
        sampling.repetitionPenalty(),
        random(sampling.seed(), position));
    int nextBias = 0;
    for (int id = changed.nextSetBit(0); id >= 0; id = changed.nextSetBit(id + 1)) {
      boolean isBiased = nextBias < biases.length && biasedIds[nextBias] == id;
      float bias = isBiased ? biases[nextBias++] : 0;
      int count = counts.length > 0 ? counts[id] : 0;
      batch.change(id, count != 0, bias, penalty(count & ~SEEN));
    }
  }

  private float penalty(int generated) {
    return generated == 0
        ? 0
        : sampling.presencePenalty() + generated * sampling.frequencyPenalty();
  }

  /** 64 bits that depend on seed and position alone: SplitMix64 (Steele et al. 2014). */
  static long random(long seed, int position) {
    return mix(mix(seed) + 0x9e3779b97f4a7c15L * (position + 1L));
  }

  private static long mix(long bits) {
    bits = (bits ^ (bits >>> 30)) * 0xbf58476d1ce4e5b9L;
    bits = (bits ^ (bits >>> 27)) * 0x94d049bb133111ebL;
    return bits ^ (bits >>> 31);
  }
}
