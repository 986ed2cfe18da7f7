package dev.kancil.engine;

import dev.kancil.DeviceException;

/**
 * Token ids by falling logit, as far as they are asked for: a binary heap over the whole vocabulary
 * is made in linear time, and only what is kept is taken off it; nothing is sorted where all is
 * kept. Equal logits go by id, so that the order is one and the same everywhere.
 */
final class Candidates {
  static final String NO_LOGIT = "the model computed no finite logit";

  private final int[] heap;
  private final int[] kept;
  private final double[] weights;
  private double totalKept;
  private float[] logits = {};

  Candidates(int vocabulary) {
    heap = new int[vocabulary];
    kept = new int[vocabulary];
    weights = new double[vocabulary];
  }

  /**
   * Keeps the candidates that top-k, top-p and min-p leave, likeliest first.
   *
   * @return how many; at least one
   */
  int select(float[] values, float temperature, int topK, float topP, float minP) {
    logits = values;
    float most = Float.NEGATIVE_INFINITY;
    for (float logit : values) {
      most = Math.max(most, logit);
    }
    // A weight is the probability as a share of the likeliest's; those of weight zero are no loss.
    int live = 0;
    double total = 0;
    for (int id = 0; id < heap.length; id++) {
      double weight = Math.exp(((double) values[id] - most) / temperature);
      if (weight > 0) {
        heap[live++] = id;
        total += weight;
      }
    }
    if (live == 0) {
      throw new DeviceException(NO_LOGIT);
    }
    int count;
    if (topK == 0 && topP == 1) {
      count = keepAll(values, most, temperature, live, minP);
    } else {
      int limit = topK == 0 ? live : Math.min(topK, live);
      count = keepLikeliest(values, most, temperature, live, limit, topK == 0 ? topP * total : 0);
      if (topK > 0) {
        count = keepShare(count, topP);
      }
      while (count > 1 && weights[count - 1] < minP) {
        count--;
      }
    }
    totalKept = sum(count);
    return count;
  }

  private int keepAll(float[] values, float most, float temperature, int live, float minP) {
    int count = 0;
    for (int i = 0; i < live; i++) {
      double weight = Math.exp(((double) values[heap[i]] - most) / temperature);
      if (weight >= minP) {
        kept[count] = heap[i];
        weights[count++] = weight;
      }
    }
    return count;
  }

  /** Keeps the likeliest until there are {@code limit} or, unless it is 0, their sum suffices. */
  private int keepLikeliest(
      float[] values, float most, float temperature, int live, int limit, double sumNeeded) {
    for (int i = live / 2 - 1; i >= 0; i--) {
      sink(i, live);
    }
    int count = 0;
    double sum = 0;
    while (count < limit && (count == 0 || sumNeeded == 0 || sum < sumNeeded)) {
      int id = heap[0];
      heap[0] = heap[--live];
      sink(0, live);
      kept[count] = id;
      weights[count] = Math.exp(((double) values[id] - most) / temperature);
      sum += weights[count++];
    }
    return count;
  }

  /** How many of the first {@code count} reach the share {@code topP} of their sum. */
  private int keepShare(int count, float topP) {
    double target = topP * sum(count);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
      if (sum >= target) {
        return i + 1;
      }
    }
    return count;
  }

  private double sum(int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
    }
    return sum;
  }

  /**
   * Draws one of the first {@code count} candidates.
   *
   * @param uniform in [0, 1)
   */
  int draw(int count, double uniform) {
    double target = uniform * totalKept;
    for (int i = 0; i < count; i++) {
      target -= weights[i];
      if (target < 0) {
        return kept[i];
      }
    }
    return kept[count - 1];
  }

  int kept(int index) {
    return kept[index];
  }

  private void sink(int at, int size) {
    int id = heap[at];
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && before(heap[child + 1], heap[child])) {
        child++;
      }
      if (!before(heap[child], id)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = id;
  }

  private boolean before(int a, int b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  }
}
