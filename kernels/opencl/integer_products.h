// partial_products (lane_products.h) of weights with activations that are rounded to bytes (rounded_activations.h). Sums of 16
// or 32 columns are whole numbers and exact; they are scaled and added in float32.

#ifndef INTEGER_PRODUCTS_H
#define INTEGER_PRODUCTS_H

#include "byte_dots.h"
#include "weight_runs.h"

// The product of a pair's two runs, the second of which begins PAIR_DISTANCE behind `column`.
static inline float pair_product(weight_run low, weight_run high, global const x_unit *x, int column) {
  global const x_unit *first = x + column / 32;
#ifdef ONE_SCALE
  int dot = dot_16(high.q, vload4(1, first->q), dot_16(low.q, vload4(0, first->q), 0));
  float product = low.scale * dot;
#ifdef MINIMA
  product = fma(low.minimum, (float)(first->sums[0] + first->sums[1]), product);
#endif
  return product * first->scale;
#else
  global const x_unit *second = x + (column + PAIR_DISTANCE) / 32;
  int run = column / 16 % 2;
  float product = low.scale * dot_16(low.q, vload4(run, first->q), 0);
  float other = high.scale * dot_16(high.q, vload4(run, second->q), 0);
#ifdef MINIMA
  product = fma(low.minimum, (float)first->sums[run], product);
  other = fma(high.minimum, (float)second->sums[run], other);
#endif
  return fma(product, first->scale, other * second->scale);
#endif
}

// Products of this lane's columns of ROWS_PER_ITEM rows with TOKENS tokens.
static inline void partial_products(
    global const x_unit *const *x, global const uchar *const *rows, int lane, float (*sums)[TOKENS]) {
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
      sums[r][t] = 0;
    }
  }
  for (int step = lane; step < STEPS; step += LANES) {
    int block = step / STEPS_PER_BLOCK;
    ulong block_at = (ulong)block * BLOCK_BYTES;
    int first_pair = step % STEPS_PER_BLOCK * PAIRS_PER_STEP;
    block_shared shared[ROWS_PER_ITEM];
#pragma unroll
    for (int r = 0; r < ROWS_PER_ITEM; r++) {
      shared[r] = shared_of(rows[r] + block_at);
    }
    // Unrolled, where dots are functions of many instructions, this would cost the compiler minutes.
#pragma unroll 1
    for (int i = 0; i < PAIRS_PER_STEP; i++) {
      int column = block * BLOCK + pair_column(first_pair + i);
      weight_run low[ROWS_PER_ITEM];
      weight_run high[ROWS_PER_ITEM];
#pragma unroll
      for (int r = 0; r < ROWS_PER_ITEM; r++) {
        runs_of_pair(rows[r] + block_at, shared[r], first_pair + i, &low[r], &high[r]);
      }
#pragma unroll
      for (int t = 0; t < TOKENS; t++) {
#pragma unroll
        for (int r = 0; r < ROWS_PER_ITEM; r++) {
          sums[r][t] += pair_product(low[r], high[r], x[t], column);
        }
      }
    }
  }
}

#endif
