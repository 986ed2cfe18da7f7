// Products of a few tokens (generation) with a matrix of weights:
//   y[t * y_columns + first_row + r] = sum over c of x[t * COLUMNS + c] * w[r][c]
// for r < weight_rows and t < counts[which]; w begins at byte `at` of its buffer. glu_mat_vec makes two products,
// gate and up, of the same type and shape, and writes activation(gate) * up.
//
// Such products are bound by reading the weights, once: 2 flops per element and token. So each weight is decoded once
// for TOKENS tokens, and each x loaded once for ROWS_PER_ITEM rows; x itself stays in caches.
//
// Items: work-groups are LANES x ROW_ITEMS. The LANES items of dimension 0 share ROWS_PER_ITEM rows: lane l takes the
// pairs of 16 columns (weights.h) l, l + LANES, ... so that neighbors read neighboring bytes. Dimension 1 goes over rows,
// dimension 2 over groups of TOKENS tokens (so any number of tokens is right, but mat_mul is quicker where there
// are many). The lanes' sums meet in local memory or in sub-groups (lanes.h). On a CPU LANES is 1, and an item
// decodes whole blocks.
//
// Invariants: a token or row beyond the count is computed again from the last one and not written, so that
// all items reach every barrier and nothing is read outside. x begins at a multiple of 16 bytes.
//
// Defines: WEIGHT_*, COLUMNS, TOKENS (1 to 8), LANES (a power of two), ROW_ITEMS, ROWS_PER_ITEM, SUB_GROUPS (optional;
// ROW_ITEMS is 1 then),
// ACTIVATION_* (activations.h) for glu_mat_vec.
//
// global size: LANES, ceil(weight_rows / (ROW_ITEMS * ROWS_PER_ITEM)) * ROW_ITEMS, ceil(tokens / TOKENS).

#if LANES == 1
#define WHOLE_BLOCKS
#endif
#include "activations.h"
#include "lanes.h"
#include "plain_products.h"
#include "weights.h"

// A lane alone keeps 16 sums, the width of what it decodes; many lanes would run out of registers.
#if LANES == 1
#define PAIRS_PER_STEP PAIRS_PER_BLOCK
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
#define PAIRS_PER_STEP 1
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

// Steps of a row: a lane takes one after another.
#define STEPS (PAIRS / PAIRS_PER_STEP)
#define STEPS_PER_BLOCK (PAIRS_PER_BLOCK / PAIRS_PER_STEP)

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
    global const float *const *x, global const uchar *const *rows, int lane, float (*sums)[TOKENS]) {
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

static inline void rows_of(global const uchar *w, int row, int weight_rows, global const uchar **rows) {
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    rows[r] = w + (ulong)min(row + r, weight_rows - 1) * ROW_BYTES;
  }
}

// Nothing waits for this barrier. Without it PoCL 3.1 drops the condition of a kernel's last store, and items write beside
// what they should.
static inline void end_of_stores(void) {
#if LANES > 1
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void mat_vec(
    global const float *x,
    global const uchar *w,
    ulong at,
    int first_row,
    int weight_rows,
    global float *y,
    int y_columns,
    global const int *counts,
    int which) {
  local float shared[ROW_ITEMS][LANES];
  int lane = (int)get_local_id(0);
  int row = (int)get_global_id(1) * ROWS_PER_ITEM;
  int token = (int)get_global_id(2) * TOKENS;
  int tokens = counts[which];
  if (token >= tokens) {
    return;
  }
  global const float *x_rows[TOKENS];
#pragma unroll
  for (int t = 0; t < TOKENS; t++) {
    x_rows[t] = x + (ulong)min(token + t, tokens - 1) * COLUMNS;
  }
  global const uchar *rows[ROWS_PER_ITEM];
  rows_of(w + at, row, weight_rows, rows);
  float sums[ROWS_PER_ITEM][TOKENS];
  partial_products(x_rows, rows, lane, sums);
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
      float sum = sum_lanes(sums[r][t], lane, shared[get_local_id(1)]);
      if (lane == 0 && row + r < weight_rows && token + t < tokens) {
        y[(ulong)(token + t) * y_columns + first_row + row + r] = sum;
      }
    }
  }
  end_of_stores();
}

#if defined(ACTIVATION_SILU) || defined(ACTIVATION_GELU_TANH)
kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void glu_mat_vec(
    global const float *x,
    global const uchar *gate,
    ulong gate_at,
    global const uchar *up,
    ulong up_at,
    int first_row,
    int weight_rows,
    global float *y,
    int y_columns,
    global const int *counts,
    int which) {
  local float shared[ROW_ITEMS][LANES];
  int lane = (int)get_local_id(0);
  int row = (int)get_global_id(1) * ROWS_PER_ITEM;
  int token = (int)get_global_id(2) * TOKENS;
  int tokens = counts[which];
  if (token >= tokens) {
    return;
  }
  global const float *x_rows[TOKENS];
#pragma unroll
  for (int t = 0; t < TOKENS; t++) {
    x_rows[t] = x + (ulong)min(token + t, tokens - 1) * COLUMNS;
  }
  global const uchar *rows[ROWS_PER_ITEM];
  float gates[ROWS_PER_ITEM][TOKENS];
  float ups[ROWS_PER_ITEM][TOKENS];
  rows_of(gate + gate_at, row, weight_rows, rows);
  partial_products(x_rows, rows, lane, gates);
  rows_of(up + up_at, row, weight_rows, rows);
  partial_products(x_rows, rows, lane, ups);
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
#pragma unroll
    for (int t = 0; t < TOKENS; t++) {
      float gate_sum = sum_lanes(gates[r][t], lane, shared[get_local_id(1)]);
      float up_sum = sum_lanes(ups[r][t], lane, shared[get_local_id(1)]);
      if (lane == 0 && row + r < weight_rows && token + t < tokens) {
        y[(ulong)(token + t) * y_columns + first_row + row + r] = activation(gate_sum) * up_sum;
      }
    }
  }
  end_of_stores();
}
#endif
