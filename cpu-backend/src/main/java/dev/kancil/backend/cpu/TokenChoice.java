package dev.kancil.backend.cpu;

import dev.kancil.graph.op.Sample;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Chooses a token from a row of logits as {@link Sample} says, without sorting: what top-k and
 * top-p keep is all logits above a threshold and the first so many equal to it, and the threshold
 * is found from the top, 11 bits at a time, by counts or by sums of weights of all logits that have
 * these bits.
 *
 * <p>Passes over the row: one for the largest logit, which is all that the likeliest token takes;
 * three for top-k and three for top-p; one for the sums from which is drawn.
 */
final class TokenChoice {
  private static final int BLOCK = 1024;
  private static final int BITS = 11;
  private static final int BINS = 1 << BITS;
  private static final int LANES = 4;

  /** Where the parts of a key begin: its first 10 bits, then 11, then 11. */
  private static final int FIRST_SHIFT = 22;

  private static final int[] SHIFTS = {FIRST_SHIFT, 11, 0};

  private final int vocabulary;
  private final RowKernels kernels;
  private final Floats logits;
  private final float[] x;
  private final long[] bins = new long[LANES * BINS];
  private final Longs blockWeights = Longs.of(BLOCK);
  private final long[] weights = blockWeights.array();
  private final int[] room = new int[BLOCK];
  private final float[] blockMost;
  private final long[] blockSums;
  private final int[] blockTies;
  // Of the row at hand.
  private float most;
  private float scale;
  private float threshold;
  // How many of those equal to the threshold are kept.
  private long ties;

  TokenChoice(int vocabulary, RowKernels kernels) {
    this.kernels = kernels;
    this.vocabulary = vocabulary;
    int blocks = Math.ceilDiv(vocabulary, BLOCK);
    logits = Floats.of(blocks * BLOCK);
    x = logits.array();
    blockMost = new float[blocks];
    blockSums = new long[blocks];
    blockTies = new int[blocks];
    // What lies behind the last logit is never chosen.
    Arrays.fill(x, Float.NEGATIVE_INFINITY);
  }

  void load(MemorySegment source, long offset) {
    MemorySegment.copy(source, ValueLayout.JAVA_FLOAT, offset, x, 0, vocabulary);
  }

  float logit(int id) {
    return x[id];
  }

  void change(int id, float logit) {
    x[id] = logit;
  }

  /**
   * @return the id, or -1 if no logit is above minus infinity
   */
  int choose(float newScale, int topK, int topP, long minWeight, long random) {
    most = Float.NEGATIVE_INFINITY;
    for (int block = 0; block < blockMost.length; block++) {
      blockMost[block] = kernels.largest(logits, block * BLOCK, BLOCK);
      most = Math.max(most, blockMost[block]);
    }
    if (most == Float.NEGATIVE_INFINITY) {
      return -1;
    }
    if (newScale == 0) {
      return firstOfMost();
    }
    scale = newScale;
    threshold = Float.NEGATIVE_INFINITY;
    ties = 0;
    if (topK != 0) {
      narrow(topK, false);
    }
    if (topP != 0) {
      narrow((long) topP << 32, true);
    }
    return draw(minWeight, random);
  }

  private int firstOfMost() {
    int id = 0;
    while (x[id] != most) {
      id++;
    }
    return id;
  }

  /**
   * Raises the threshold.
   *
   * @param wanted how many to keep, or what share of the sum of weights, in units of 2⁻⁶⁴
   */
  private void narrow(long wanted, boolean byWeight) {
    Arrays.fill(bins, 0);
    int left = (int) ties;
    for (int block = 0; block < blockMost.length; block++) {
      if (blockMost[block] >= threshold) {
        if (byWeight) {
          kernels.sampleWeights(logits, block * BLOCK, BLOCK, most, scale, room, blockWeights);
        }
        left = addFirst(block * BLOCK, byWeight ? 0 : 1, left);
      }
    }
    long total = joinLanes();
    if (!byWeight && total <= wanted) {
      return;
    }
    long target = byWeight ? Math.max(1, Math.unsignedMultiplyHigh(total, wanted)) : wanted;
    int prefix = 0;
    for (int shift : SHIFTS) {
      if (shift != FIRST_SHIFT) {
        Arrays.fill(bins, 0, BINS, 0);
        float least = logitOf(prefix << shift + BITS);
        float largest = logitOf((prefix + 1 << shift + BITS) - 1);
        left = (int) ties;
        for (int block = 0; block < blockMost.length; block++) {
          if (!(blockMost[block] < least)) {
            left = addNext(block * BLOCK, shift, prefix, least, largest, byWeight, left);
          }
        }
      }
      int bin = BINS - 1;
      while (bins[bin] < target) {
        target -= bins[bin--];
      }
      prefix = prefix << BITS | bin;
    }
    threshold = logitOf(prefix);
    ties = byWeight ? Math.ceilDiv(target, weight(threshold)) : target;
  }

  /**
   * Adds a block to the bins of the first part, each as much as {@code each} or, if 0, its weight.
   */
  private int addFirst(int from, long each, int tiesLeft) {
    int left = tiesLeft;
    for (int i = 0; i < BLOCK; i++) {
      float logit = x[from + i];
      if (logit > threshold || (logit == threshold && left-- > 0)) {
        int bin = key(logit) >>> FIRST_SHIFT;
        // Neighbours often meet in a bin: each to a sum of its own, so that none waits.
        bins[(i & LANES - 1) * BINS + bin] += each == 0 ? weights[i] : each;
      }
    }
    return left;
  }

  /** Sums of the first part's bins over all lanes, in place, and of all bins. */
  private long joinLanes() {
    long total = 0;
    for (int bin = 0; bin < BINS; bin++) {
      for (int lane = 1; lane < LANES; lane++) {
        bins[bin] += bins[lane * BINS + bin];
      }
      total += bins[bin];
    }
    return total;
  }

  /**
   * Adds those of a block whose keys begin with {@code prefix} to the bins of the next part.
   *
   * @param least the least logit of these, or no number if it is none; {@code largest} likewise
   */
  private int addNext(
      int from, int shift, int prefix, float least, float largest, boolean byWeight, int tiesLeft) {
    int left = tiesLeft;
    for (int i = from; i < from + BLOCK; i++) {
      float logit = x[i];
      // Most are outside; the key decides about zeros.
      if (logit < least || logit > largest) {
        continue;
      }
      int key = key(logit);
      if (key >>> shift + BITS == prefix
          && (logit > threshold || (logit == threshold && left-- > 0))) {
        bins[key >>> shift & BINS - 1] += byWeight ? weight(logit) : 1;
      }
    }
    return left;
  }

  /** An unsigned number that rises with the logit. */
  private static int key(float logit) {
    // Adding 0 makes both zeros one.
    int bits = Float.floatToRawIntBits(logit + 0f);
    return bits ^ (bits >> 31 | Integer.MIN_VALUE);
  }

  private static float logitOf(int key) {
    return Float.intBitsToFloat(key < 0 ? key ^ Integer.MIN_VALUE : ~key);
  }

  private long weight(float logit) {
    return SampleWeights.of(logit, most, scale);
  }

  private int draw(long minWeight, long random) {
    // Rounding can make a logit that is a little less weigh a little more, but not so much.
    long leastOfBlock = minWeight - (minWeight >>> 16) - 1;
    long total = 0;
    int left = (int) ties;
    for (int block = 0; block < blockSums.length; block++) {
      int from = block * BLOCK;
      blockTies[block] = left;
      blockSums[block] = 0;
      if (blockMost[block] < threshold || weight(blockMost[block]) < leastOfBlock) {
        continue;
      }
      kernels.sampleWeights(logits, from, BLOCK, most, scale, room, blockWeights);
      long sum = 0;
      for (int i = 0; i < BLOCK; i++) {
        float logit = x[from + i];
        if ((logit > threshold || (logit == threshold && left-- > 0)) && weights[i] >= minWeight) {
          sum += weights[i];
        }
      }
      blockSums[block] = sum;
      total += sum;
    }
    long target = Math.unsignedMultiplyHigh(total, random);
    int block = 0;
    while (target >= blockSums[block]) {
      target -= blockSums[block++];
    }
    return draw(block, target, minWeight);
  }

  /** The token of a block into whose weight {@code target} falls. */
  private int draw(int block, long target, long minWeight) {
    int left = blockTies[block];
    long rest = target;
    for (int id = block * BLOCK; ; id++) {
      if (x[id] > threshold || (x[id] == threshold && left-- > 0)) {
        long weight = weight(x[id]);
        if (weight >= minWeight) {
          if (rest < weight) {
            return id;
          }
          rest -= weight;
        }
      }
    }
  }
}
