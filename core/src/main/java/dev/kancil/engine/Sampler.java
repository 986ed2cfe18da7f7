package dev.kancil.engine;

import dev.kancil.DeviceException;
import dev.kancil.InvalidRequestException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Chooses the tokens of one sequence. Sampling allocates nothing: what it needs is made once for
 * the size of the vocabulary, and only if the parameters need it.
 */
final class Sampler {
  private static final int[] NO_IDS = {};
  private static final float[] NO_VALUES = {};

  // Set in a count if the prompt holds the token.
  private static final int SEEN = 1 << 31;

  private final Sampling sampling;
  private final int vocabulary;
  private final float[] logits;
  // Times that a token was generated, and SEEN.
  private final int[] counts;
  private final int[] biasedIds;
  private final float[] biases;
  private final Candidates candidates;

  /**
   * @throws InvalidRequestException if the bias names an id outside of the vocabulary
   */
  Sampler(Sampling sampling, int vocabulary) {
    this.sampling = sampling;
    this.vocabulary = vocabulary;
    this.counts = sampling.hasPenalties() ? new int[vocabulary] : NO_IDS;
    this.biasedIds = sampling.logitBias().keySet().stream().mapToInt(id -> id).sorted().toArray();
    this.biases = new float[biasedIds.length];
    for (int i = 0; i < biases.length; i++) {
      int id = biasedIds[i];
      biases[i] = sampling.logitBias().getOrDefault(id, 0f);
      if (id < 0 || id >= vocabulary) {
        throw new InvalidRequestException(
            "logit bias: token id " + id + " is not in the vocabulary of " + vocabulary);
      }
    }
    boolean readsOnly = sampling.isGreedy() && !sampling.hasPenalties() && biases.length == 0;
    this.logits = readsOnly ? NO_VALUES : new float[vocabulary];
    this.candidates = new Candidates(sampling.isGreedy() ? 0 : vocabulary);
  }

  /** Takes note of a token of the prompt. */
  void acceptPrompt(int token) {
    if (counts.length > 0) {
      counts[token] |= SEEN;
    }
  }

  /** Takes note of a generated token. */
  void accept(int token) {
    if (counts.length > 0) {
      counts[token]++;
    }
  }

  /**
   * Chooses the token for a position.
   *
   * @param row float32 logits in native order, one for each id of the vocabulary
   * @param position of the token that is chosen
   */
  int sample(MemorySegment row, int position) {
    if (logits.length == 0) {
      return likeliest(row);
    }
    MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, logits, 0, vocabulary);
    for (int i = 0; i < biasedIds.length; i++) {
      logits[biasedIds[i]] += biases[i];
    }
    penalise();
    if (sampling.isGreedy()) {
      return likeliest(logits);
    }
    int kept =
        candidates.select(
            logits, sampling.temperature(), sampling.topK(), sampling.topP(), sampling.minP());
    return candidates.draw(kept, uniform(sampling.seed(), position));
  }

  private void penalise() {
    for (int id = 0; id < counts.length; id++) {
      int count = counts[id];
      if (count != 0) {
        float logit = logits[id];
        logit =
            logit > 0 ? logit / sampling.repetitionPenalty() : logit * sampling.repetitionPenalty();
        int generated = count & ~SEEN;
        if (generated > 0) {
          logit -= sampling.presencePenalty() + generated * sampling.frequencyPenalty();
        }
        logits[id] = logit;
      }
    }
  }

  private int likeliest(MemorySegment row) {
    int best = -1;
    float most = Float.NEGATIVE_INFINITY;
    for (int id = 0; id < vocabulary; id++) {
      float logit = row.getAtIndex(ValueLayout.JAVA_FLOAT, id);
      if (logit > most) {
        most = logit;
        best = id;
      }
    }
    return requireFound(best);
  }

  private static int likeliest(float[] logits) {
    int best = -1;
    float most = Float.NEGATIVE_INFINITY;
    for (int id = 0; id < logits.length; id++) {
      if (logits[id] > most) {
        most = logits[id];
        best = id;
      }
    }
    return requireFound(best);
  }

  /** Without a logit above minus infinity there is no choice, only a broken model or device. */
  private static int requireFound(int best) {
    if (best < 0) {
      throw new DeviceException(Candidates.NO_LOGIT);
    }
    return best;
  }

  /**
   * A number in [0, 1) that depends on seed and position alone: SplitMix64 (Steele et al. 2014).
   */
  static double uniform(long seed, int position) {
    long bits = mix(mix(seed) + 0x9e3779b97f4a7c15L * (position + 1L));
    return (bits >>> 11) * 0x1.0p-53;
  }

  private static long mix(long bits) {
    bits = (bits ^ (bits >>> 30)) * 0xbf58476d1ce4e5b9L;
    bits = (bits ^ (bits >>> 27)) * 0x94d049bb133111ebL;
    return bits ^ (bits >>> 31);
  }
}
