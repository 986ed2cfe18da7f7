// The small integers of weights in blocks (weights.h), for products of integers: a run of 16 columns is scale * q + minimum, and
// q has a byte for each column. A pair's two runs have one scale and minimum where they are of the same 32 columns (ONE_SCALE).
// Types without MINIMA have none: their zero is taken off the bytes.
// Defines: WEIGHT_Q4_0, _Q4_1, _Q5_0, _Q5_1, _Q8_0, _IQ4_NL, _MXFP4, _Q2_K, _Q3_K, _Q4_K, _Q5_K, _Q6_K, _IQ4_XS or one of those with
// codebooks.

#ifndef WEIGHT_RUNS_H
#define WEIGHT_RUNS_H

#include "weights.h"

#if PAIR_DISTANCE == 16
#define ONE_SCALE
#endif
#if defined(WEIGHT_Q4_1) || defined(WEIGHT_Q5_1) || defined(WEIGHT_Q2_K) || defined(WEIGHT_Q4_K) || defined(WEIGHT_Q5_K)
#define MINIMA
#endif

// Columns that share a scale.
#ifdef CODEBOOK
#define RUN_COLUMNS SCALE_COLUMNS
#elif defined(WEIGHT_Q2_K) || defined(WEIGHT_Q3_K) || defined(WEIGHT_Q6_K)
#define RUN_COLUMNS 16
#else
#define RUN_COLUMNS 32
#endif

typedef struct {
  int4 q;
  float scale;
  float minimum;
} weight_run;

#if defined(WEIGHT_Q4_0) || defined(WEIGHT_Q4_1) || defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1)

#ifdef FIFTHS
// Bits 0 to 15 of `bits`, each as the 16 of a byte.
static inline uchar16 fifths_16(uint bits) {
  uchar16 places = (uchar16)(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
  uchar16 spread = (uchar16)((uchar8)((uchar)bits), (uchar8)((uchar)(bits >> 8)));
  return as_uchar16((spread & places) != (uchar16)(0)) & (uchar16)(16);
}
#endif

static inline void runs_of_pair(
    global const uchar *block, block_shared shared, int pair, weight_run *low, weight_run *high) {
  uchar16 bytes = bytes_at(block + HEADER);
  uchar16 q_low = low_halves(bytes);
  uchar16 q_high = high_halves(bytes);
#ifdef FIFTHS
  q_low |= fifths_16(shared.fifths);
  q_high |= fifths_16(shared.fifths >> 16);
#endif
#ifdef ZERO
  q_low -= (uchar16)(ZERO);
  q_high -= (uchar16)(ZERO);
#endif
  low->q = as_int4(q_low);
  low->scale = shared.scale;
  low->minimum = shared.minimum;
  high->q = as_int4(q_high);
}

#elif defined(WEIGHT_Q8_0)

static inline void runs_of_pair(
    global const uchar *block, block_shared scale, int pair, weight_run *low, weight_run *high) {
  low->q = as_int4(bytes_at(block + 2));
  low->scale = scale;
  high->q = as_int4(bytes_at(block + 18));
}

#elif defined(LEVELS)

static inline int4 level_bytes(uchar16 q) {
#ifdef WEIGHT_MXFP4
  return as_int4(convert_char16(levels_of(q)));
#else
  // A level is what the last bits of a float as large are.
  return as_int4(convert_uchar16(as_int16(large_levels_of(q))));
#endif
}

static inline void runs_of_pair(
    global const uchar *block, block_shared shared, int pair, weight_run *low, weight_run *high) {
  uchar16 bytes = bytes_at(block + HEADER + 16 * pair);
  low->q = level_bytes(low_halves(bytes));
  low->scale = scale_of(shared, pair);
  high->q = level_bytes(high_halves(bytes));
}

#elif defined(BY_SIXTEENS)

static inline weight_run run_of(global const uchar *block, block_shared shared, int i) {
#ifdef CODEBOOK
  weight_run run = {as_int4(convert_char16(quants_of(block, i))), scale_of(block, shared, i / 16), 0};
#else
  weight_run run = {as_int4(quants_of(block, i)), scale_of(block, shared, i / 16), 0};
#ifdef MINIMA
  run.minimum = minimum_of(block, shared, i / 16);
#else
  run.q = as_int4(as_uchar16(run.q) - (uchar16)(ZERO));
#endif
#endif
  return run;
}

static inline void runs_of_pair(
    global const uchar *block, block_shared shared, int pair, weight_run *low, weight_run *high) {
  int i = pair_column(pair);
  *low = run_of(block, shared, i);
  *high = run_of(block, shared, i + PAIR_DISTANCE);
}

#elif defined(WEIGHT_Q4_K) || defined(WEIGHT_Q5_K)

static inline void runs_of_pair(
    global const uchar *block, block_shared shared, int pair, weight_run *low, weight_run *high) {
  int sub = pair / 2 * 2;
  uchar16 bytes = bytes_at(block + HEADER + 16 * pair);
  uchar16 q_low = low_halves(bytes);
  uchar16 q_high = high_halves(bytes);
#ifdef FIFTHS
  uchar16 fifths = bytes_at(block + 16 + pair % 2 * 16) >> (uchar16)(sub);
  q_low |= (fifths & (uchar16)(1)) << (uchar16)(4);
  q_high |= (fifths & (uchar16)(2)) << (uchar16)(3);
#endif
  low->q = as_int4(q_low);
  low->scale = scale_of(shared, sub);
  low->minimum = minimum_of(shared, sub);
  high->q = as_int4(q_high);
  high->scale = scale_of(shared, sub + 1);
  high->minimum = minimum_of(shared, sub + 1);
}

#else

static inline void runs_of_pair(
    global const uchar *block, block_shared d, int pair, weight_run *low, weight_run *high) {
  int part = pair / 4;
  int quarter = pair % 4;
  uchar16 bytes = bytes_at(block + 16 * pair);
  uchar16 bits = bytes_at(block + 128 + 32 * part + quarter % 2 * 16) >> (uchar16)(quarter / 2 * 2);
  global const uchar *sub_scales = block + 192 + 8 * part + quarter;
  low->q = as_int4((low_halves(bytes) | (bits & (uchar16)(3)) << (uchar16)(4)) - (uchar16)(32));
  low->scale = d * (char)sub_scales[0];
  high->q = as_int4((high_halves(bytes) | bits & (uchar16)(48)) - (uchar16)(32));
  high->scale = d * (char)sub_scales[4];
}

#endif

#endif
