// Which keys a query sees, from the graph's expressions, which the host compiles into macros:
//   SEES(query, key)                 whether the query at one position sees the key at another
//   FIRST_KEY(query), LAST_KEY(query)  of type long: no key before or after is seen by it. They may lie anywhere:
//                                    they are clamped here to the keys that exist.
//   SCORE(score, query, key, head)   what becomes of a scaled score; if not defined, the score itself
//   RELATIVE_BIAS                    defined where SCORE looks up `relative_bias`, by head and the key's position less the query's
//   SINKS                            defined where each head has a score of its own without a value: kernels take `sinks`
//   MASK_IS_INTERVAL                 defined where SEES holds for exactly the keys from FIRST_KEY to LAST_KEY
// The macros' arguments are longs (positions) and ints (heads).
// Invariant: pages that lie wholly before all windows may be gone, so no key outside of the bounds is touched.

#ifndef ATTENTION_MASK_H
#define ATTENTION_MASK_H

#include "dialect.h"

// The heads that share a KV head.
#define GROUP (HEADS / KV_HEADS)

#ifndef SCORE
#define SCORE(score, query, key, head) (score)
#endif

#ifdef SINKS
#define SINK_PARAMETER , GLOBAL const float *sinks
#else
#define SINK_PARAMETER
#endif

#ifdef RELATIVE_BIAS
#define BIAS_PARAMETER , GLOBAL const float *relative_bias
#define BIAS_ARGUMENT , relative_bias
#else
#define BIAS_PARAMETER
#define BIAS_ARGUMENT
#endif

// The weights of attention, which stand behind the result in each of its kernels.
#define ATTENTION_WEIGHTS SINK_PARAMETER BIAS_PARAMETER

// A head's sum of weights e^(score - most), with its sink's. Where the sink is far above all scores, it is infinite.
#ifdef SINKS
#define WITH_SINK(total, most, head) ((total) + exp(sinks[head] - (most)))
#else
#define WITH_SINK(total, most, head) (total)
#endif

// Keys from .x up to and including .y; none where .y is less.
static inline int2 keys_of(long query, int length) {
  long first = FIRST_KEY(query), last = LAST_KEY(query);
  return INT2((int)clamp(first, (long)0, (long)length), (int)clamp(last, (long)-1, (long)length - 1));
}

static inline bool sees(long query, long key) { return SEES(query, key); }

static inline float final_score(float score, long query, long key, int head BIAS_PARAMETER) {
  return SCORE(score, query, key, head);
}

#endif
