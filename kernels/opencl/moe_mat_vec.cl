// Products of each slot of a few rows with its expert's matrix:
//   y[s * out + r] = sum over c of x[s / slots_of_input * COLUMNS + c] * w[e][r][c],  e = ids[s]
// for s < counts[which] * used. The buffer has the matrices of experts first_expert .. first_expert + experts - 1 of
// all_experts, one behind the other from byte `at` on; slots of others are left to other launches. moe_glu_mat_vec makes two
// products, gate and up, of the same type and shape, and writes activation(gate) * up.
//
// Such products are bound by reading the weights: of each slot's expert, once.
//
// Items: work-groups are LANES x ROW_ITEMS. The LANES items of dimension 0 share ROWS_PER_ITEM rows: lane l takes the
// pairs of 16 columns (weights.h) l, l + LANES, ... so that neighbors read neighboring bytes. Dimension 1 goes over the rows
// of a matrix, dimension 2 over slots. The lanes' sums meet in local memory. On a CPU LANES is 1, and an item decodes whole
// blocks. (mat_vec.cl does the same for all rows of x with one matrix.)
//
// Invariants: an id that is no expert's stands for the nearest that is, so nothing outside of the weights is read. A row
// beyond the count is computed again from the last one and not written; work-groups return as one, so that all items reach
// every barrier. x begins at a multiple of 16 bytes.
//
// Defines: WEIGHT_*, COLUMNS, LANES (a power of two), ROW_ITEMS, ROWS_PER_ITEM, INTEGER_DOT (optional; x is rounded to bytes then,
// x_units.h), ACTIVATION_* (activations.h) for moe_glu_mat_vec.
//
// global size: LANES, ceil(out / (ROW_ITEMS * ROWS_PER_ITEM)) * ROW_ITEMS, slots.

#define TOKENS 1
#include "activations.h"
#include "lane_products.h"

kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void moe_mat_vec(
    global const x_unit *x,
    global const int *ids,
    global const uchar *w,
    ulong at,
    int first_expert,
    int experts,
    int all_experts,
    global float *y,
    int out,
    int used,
    int slots_of_input,
    global const int *counts,
    int which) {
  local float shared[ROW_ITEMS][LANES];
  int lane = (int)get_local_id(0);
  int row = (int)get_global_id(1) * ROWS_PER_ITEM;
  int slot = (int)get_global_id(2);
  if (slot >= counts[which] * used) {
    return;
  }
  int expert = clamp(ids[slot], 0, all_experts - 1) - first_expert;
  if (expert < 0 || expert >= experts) {
    return;
  }
  global const uchar *rows[ROWS_PER_ITEM];
  rows_of(w + at + (ulong)expert * out * ROW_BYTES, row, out, rows);
  global const x_unit *x_row = x + (ulong)(slot / slots_of_input) * X_UNITS;
  float sums[ROWS_PER_ITEM][TOKENS];
  partial_products(&x_row, rows, lane, sums);
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    float sum = sum_lanes(sums[r][0], lane, shared[get_local_id(1)]);
    if (lane == 0 && row + r < out) {
      y[(ulong)slot * out + row + r] = sum;
    }
  }
  end_of_stores();
}

#ifdef HAS_ACTIVATION
// All experts' matrices lie in one buffer each.
kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void moe_glu_mat_vec(
    global const x_unit *x,
    global const int *ids,
    global const uchar *gate,
    ulong gate_at,
    global const uchar *up,
    ulong up_at,
    int all_experts,
    global float *y,
    int out,
    int used,
    int slots_of_input,
    global const int *counts,
    int which) {
  local float shared[ROW_ITEMS][LANES];
  int lane = (int)get_local_id(0);
  int row = (int)get_global_id(1) * ROWS_PER_ITEM;
  int slot = (int)get_global_id(2);
  if (slot >= counts[which] * used) {
    return;
  }
  int expert = clamp(ids[slot], 0, all_experts - 1);
  global const x_unit *x_row = x + (ulong)(slot / slots_of_input) * X_UNITS;
  global const uchar *rows[ROWS_PER_ITEM];
  float gates[ROWS_PER_ITEM][TOKENS];
  float ups[ROWS_PER_ITEM][TOKENS];
  ulong expert_at = (ulong)expert * out * ROW_BYTES;
  rows_of(gate + gate_at + expert_at, row, out, rows);
  partial_products(&x_row, rows, lane, gates);
  rows_of(up + up_at + expert_at, row, out, rows);
  partial_products(&x_row, rows, lane, ups);
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    float gate_sum = sum_lanes(gates[r][0], lane, shared[get_local_id(1)]);
    float up_sum = sum_lanes(ups[r][0], lane, shared[get_local_id(1)]);
    if (lane == 0 && row + r < out) {
      y[(ulong)slot * out + row + r] = activation(gate_sum) * up_sum;
    }
  }
  end_of_stores();
}
#endif
