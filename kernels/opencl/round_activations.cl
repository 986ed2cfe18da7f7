// Rounds rows of activations for products of integers:
//   q = round(x / scale), scale = largest |x| / 127, in each block of 32 columns (rounded_activations.h)
// for rows t < counts[which].
//
// Items: one for each block. Traffic: 128 bytes in and 40 out.
//
// Invariants: an infinity or NaN among 32 columns makes all of them NaN, so that none is lost. x begins at a multiple of 16 bytes.
//
// global size: columns / 32, rows.

#define VECTOR 16
#include "rounded_activations.h"
#include "vectors.h"

static inline int sum_of(char16 q) {
  short8 eight = convert_short8(q.lo) + convert_short8(q.hi);
  short4 four = eight.lo + eight.hi;
  short2 two = four.lo + four.hi;
  return two.lo + two.hi;
}

kernel void round_activations(
    global const float *x, global rounded_block *y, int blocks, global const int *counts, int which) {
  int block = (int)get_global_id(0);
  int row = (int)get_global_id(1);
  if (block >= blocks || row >= counts[which]) {
    return;
  }
  ulong at = (ulong)row * blocks + block;
  float16 low = vload16(2 * at, x);
  float16 high = vload16(2 * at + 1, x);
  float largest = MOST(fmax(fabs(low), fabs(high)));
  float inverse = largest > 0 ? 127 / largest : 0;
  char16 q_low = convert_char16_sat_rte(low * inverse);
  char16 q_high = convert_char16_sat_rte(high * inverse);
  int is_lost = any(isnan(low - low)) || any(isnan(high - high));
  global rounded_block *to = y + at;
  to->scale = is_lost ? NAN : largest / 127;
  to->sums[0] = sum_of(q_low);
  to->sums[1] = sum_of(q_high);
  vstore4(as_int4(q_low), 0, to->q);
  vstore4(as_int4(q_high), 1, to->q);
}
