// What attention kernels of this folder know of a row; and weights that are powers of two apart.
//
// Scores are in units of log2(e), and a softmax's base is a whole number, not less than the largest score: so what was summed up with one
// base becomes what another would have made of it by a power of two, which rounds nothing. Sums then don't depend on which base was
// known when, only on the order in which they are added.

#ifndef ATTENTION_ROW_H
#define ATTENTION_ROW_H

#include "attention_mask.h"
#include "cache_elements.h"
#include "eight_bit_halves.h"

// The base where nothing was seen.
#define NOTHING (-3e38f)

// Weights are at most this, in log2: the small ones of halves are then far below what counts.
#define WEIGHT_BITS 10

// What a row sees.
struct sight {
  long position;
  // Keys that it may see, from .x up to and including .y.
  int2 range;
#ifdef RELATIVE_BIAS
  const float *relative_bias;
#endif

  inline bool is_seen(int key) const {
#ifdef MASK_IS_INTERVAL
    return key >= range.x && key <= range.y;
#else
    return key >= range.x && key <= range.y && sees(position, key);
#endif
  }

  // Of a key that it sees.
  inline float seen_score(float dot_product, int key, int head) const {
#ifdef RELATIVE_BIAS
    // Fragments have places for more heads than there are, whose scores nobody reads.
    head = head < HEADS ? head : HEADS - 1;
#endif
    return final_score(dot_product * SCALE, position, key, head BIAS_ARGUMENT) * 1.44269504f;
  }

  // -INFINITY where the key is hidden.
  inline float score(float dot_product, int key, int head) const {
    return is_seen(key) ? seen_score(dot_product, key, head) : -INFINITY;
  }
};

// A row's cache, and which of its heads and columns of values a block has.
struct attention_row : sight {
  const uchar *keys, *values;
  const int *pages;
  int kv_head, first_head, heads, first_column;

  inline const uchar *key_row(int page, int key) const {
    return keys + ((size_t)page * PAGE_TOKENS + key % PAGE_TOKENS) * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH);
  }

  inline const uchar *value_row(int page, int key) const {
    return values + ((size_t)page * PAGE_TOKENS + key % PAGE_TOKENS) * VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH);
  }
};

static inline float base_of(float score) { return fmaxf(ceilf(score), NOTHING); }

static inline float weight_of(float score, float base) { return exp2f(score - base + WEIGHT_BITS); }

// A head's sum of weights, with its sink's. Where the sink is far above all scores, it is infinite.
static inline float with_sink(float total, float base, const float *sinks, int head) {
#ifdef SINKS
  return total + weight_of(sinks[head] * 1.44269504f, base);
#else
  return total;
#endif
}

// 2^(from - to) for bases of which `to` is not the smaller.
static inline float factor_between(float from, float to) {
  float steps = from - to;
  return steps < -126 ? 0 : as_float((uint)(127 + (int)steps) << 23);
}

#endif
