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
// ROW_ITEMS is 1 then), INTEGER_DOT (optional; x is rounded to bytes then, x_units.h), ACTIVATION_* (activations.h) for glu_mat_vec.
//
// global size: LANES, ceil(weight_rows / (ROW_ITEMS * ROWS_PER_ITEM)) * ROW_ITEMS, ceil(tokens / TOKENS).

#include "activations.h"
#include "lane_products.h"

kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void mat_vec(
    global const x_unit *x,
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
  global const x_unit *x_rows[TOKENS];
#pragma unroll
  for (int t = 0; t < TOKENS; t++) {
    x_rows[t] = x + (ulong)min(token + t, tokens - 1) * X_UNITS;
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

#ifdef HAS_ACTIVATION
kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void glu_mat_vec(
    global const x_unit *x,
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
  global const x_unit *x_rows[TOKENS];
#pragma unroll
  for (int t = 0; t < TOKENS; t++) {
    x_rows[t] = x + (ulong)min(token + t, tokens - 1) * X_UNITS;
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
