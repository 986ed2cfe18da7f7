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
// Defines: WEIGHT_*, COLUMNS, LANES (a power of two), ROW_ITEMS, ROWS_PER_ITEM, ACTIVATION_* (activations.h) for
// moe_glu_mat_vec.
//
// global size: LANES, ceil(out / (ROW_ITEMS * ROWS_PER_ITEM)) * ROW_ITEMS, slots.

#if LANES == 1
#define WHOLE_BLOCKS
#endif
#include "activations.h"
#include "lanes.h"
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

// Products of this lane's columns of ROWS_PER_ITEM rows with x; a pair's two runs have sums of their own.
static inline void partial_products(
    global const float *x, global const uchar *const *rows, int lane, float *sums) {
  partial_sum low_sums[ROWS_PER_ITEM];
  partial_sum high_sums[ROWS_PER_ITEM];
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    low_sums[r] = (partial_sum)(0);
    high_sums[r] = (partial_sum)(0);
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
      float16 x_low = x_at(x + column);
      float16 x_high = x_at(x + column + PAIR_DISTANCE);
#pragma unroll
      for (int r = 0; r < ROWS_PER_ITEM; r++) {
        float16 low;
        float16 high;
        decode_pair(rows[r] + block_at, shared[r], first_pair + i, &low, &high);
        low_sums[r] = accumulate(low, x_low, low_sums[r]);
        high_sums[r] = accumulate(high, x_high, high_sums[r]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    float sum = total(low_sums[r] + high_sums[r]);
#if BLOCK_COLUMNS < COLUMNS
    for (int c = BLOCK_COLUMNS + lane; c < COLUMNS; c += LANES) {
      sum = fma(weight_at(rows[r], c), x[c], sum);
    }
#endif
    sums[r] = sum;
  }
}

static inline void rows_of(global const uchar *w, int expert, int row, int out, global const uchar **rows) {
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    rows[r] = w + ((ulong)expert * out + min(row + r, out - 1)) * ROW_BYTES;
  }
}

// Nothing waits for this barrier; see mat_mul.cl.
static inline void end_of_stores(void) {
#if LANES > 1
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void moe_mat_vec(
    global const float *x,
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
  rows_of(w + at, expert, row, out, rows);
  float sums[ROWS_PER_ITEM];
  partial_products(x + (ulong)(slot / slots_of_input) * COLUMNS, rows, lane, sums);
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    float sum = sum_lanes(sums[r], lane, shared[get_local_id(1)]);
    if (lane == 0 && row + r < out) {
      y[(ulong)slot * out + row + r] = sum;
    }
  }
  end_of_stores();
}

#if defined(ACTIVATION_SILU) || defined(ACTIVATION_GELU_TANH)
// All experts' matrices lie in one buffer each.
kernel __attribute__((reqd_work_group_size(LANES, ROW_ITEMS, 1))) void moe_glu_mat_vec(
    global const float *x,
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
  global const float *x_row = x + (ulong)(slot / slots_of_input) * COLUMNS;
  global const uchar *rows[ROWS_PER_ITEM];
  float gates[ROWS_PER_ITEM];
  float ups[ROWS_PER_ITEM];
  rows_of(gate + gate_at, expert, row, out, rows);
  partial_products(x_row, rows, lane, gates);
  rows_of(up + up_at, expert, row, out, rows);
  partial_products(x_row, rows, lane, ups);
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    float gate_sum = sum_lanes(gates[r], lane, shared[get_local_id(1)]);
    float up_sum = sum_lanes(ups[r], lane, shared[get_local_id(1)]);
    if (lane == 0 && row + r < out) {
      y[(ulong)slot * out + row + r] = activation(gate_sum) * up_sum;
    }
  }
  end_of_stores();
}
#endif

// moe_mat_vec and moe_mat_mul, plainly; one item per row of a matrix and slot.
kernel void moe_product_plain(
    global const float *x,
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
  int row = (int)get_global_id(0);
  int slot = (int)get_global_id(1);
  if (row >= out || slot >= counts[which] * used) {
    return;
  }
  int expert = clamp(ids[slot], 0, all_experts - 1) - first_expert;
  if (expert >= 0 && expert < experts) {
    global const float *x_row = x + (ulong)(slot / slots_of_input) * COLUMNS;
    global const uchar *w_row = w + at + ((ulong)expert * out + row) * ROW_BYTES;
    float sum = 0;
    for (int c = 0; c < COLUMNS; c++) {
      sum += x_row[c] * weight_at(w_row, c);
    }
    y[(ulong)slot * out + row] = sum;
  }
}
