// partial_products (lane_products.h) of weights with activations as they are, in float32.

#ifndef FLOAT_PRODUCTS_H
#define FLOAT_PRODUCTS_H

// A lane alone keeps 16 sums, the width of what it decodes; many lanes would run out of registers.
#if LANES == 1
typedef float16 partial_sum;
static inline partial_sum accumulate(float16 w, float16 x, partial_sum sum) {
  return fma(w, x, sum);
}
static inline float total(partial_sum sum) {
  float8 eight = sum.lo + sum.hi;
  float4 four = eight.lo + eight.hi;
  float2 two = four.lo + four.hi;
  return two.lo + two.hi;
}
#else
typedef float4 partial_sum;
static inline partial_sum accumulate(float16 w, float16 x, partial_sum sum) {
  sum = fma(w.s0123, x.s0123, sum);
  sum = fma(w.s4567, x.s4567, sum);
  sum = fma(w.s89ab, x.s89ab, sum);
  return fma(w.scdef, x.scdef, sum);
}
static inline float total(partial_sum sum) {
  return sum.x + sum.y + (sum.z + sum.w);
}
#endif

// Few sums would be chains of additions, each of which waits for the one before: then each run of a pair has its own.
#define SUMS (LANES == 1 && ROWS_PER_ITEM * TOKENS <= 4 ? 2 : 1)

static inline float16 x_at(global const float *x) {
#if COLUMNS % 4 == 0
  global const float4 *four = (global const float4 *)x;
  return (float16)(four[0], four[1], four[2], four[3]);
#else
  return vload16(0, x);
#endif
}

// Products of this lane's columns of ROWS_PER_ITEM rows with TOKENS tokens.
static inline void partial_products(
    global const x_unit *const *x, global const uchar *const *rows, int lane, float (*sums)[TOKENS]) {
  partial_sum partial[ROWS_PER_ITEM][TOKENS][SUMS];
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
      partial[r][t][0] = (partial_sum)(0);
      partial[r][t][SUMS - 1] = (partial_sum)(0);
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
#pragma unroll
    for (int i = 0; i < PAIRS_PER_STEP; i++) {
      int column = block * BLOCK + pair_column(first_pair + i);
      float16 low[ROWS_PER_ITEM];
      float16 high[ROWS_PER_ITEM];
#pragma unroll
      for (int r = 0; r < ROWS_PER_ITEM; r++) {
        decode_pair(rows[r] + block_at, shared[r], first_pair + i, &low[r], &high[r]);
      }
#pragma unroll
      for (int t = 0; t < TOKENS; t++) {
        float16 x_low = x_at(x[t] + column);
        float16 x_high = x_at(x[t] + column + PAIR_DISTANCE);
#pragma unroll
        for (int r = 0; r < ROWS_PER_ITEM; r++) {
          partial[r][t][0] = accumulate(low[r], x_low, partial[r][t][0]);
          partial[r][t][SUMS - 1] = accumulate(high[r], x_high, partial[r][t][SUMS - 1]);
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
      float sum = total(SUMS == 1 ? partial[r][t][0] : partial[r][t][0] + partial[r][t][SUMS - 1]);
#if BLOCK_COLUMNS < COLUMNS
      for (int c = BLOCK_COLUMNS + lane; c < COLUMNS; c += LANES) {
        sum = fma(weight_at(rows[r], c), x[t][c], sum);
      }
#endif
      sums[r][t] = sum;
    }
  }
}

#endif
