// Products with weights, plainly: what mat_vec and mat_mul are to compute, and moe_mat_vec and moe_mat_mul.
// Defines: WEIGHT_*, COLUMNS, INTEGER_DOT (optional; x_units.h).

#include "weights.h"
#include "x_units.h"

static inline float plain_product(global const x_unit *x, global const uchar *row) {
  float sum = 0;
  for (int c = 0; c < COLUMNS; c++) {
    sum += x_value(x, c) * weight_at(row, c);
  }
  return sum;
}

// One item per row and token.
kernel void product_plain(
    global const x_unit *x,
    global const uchar *w,
    ulong at,
    int first_row,
    int weight_rows,
    global float *y,
    int y_columns,
    global const int *counts,
    int which) {
  int row = (int)get_global_id(0);
  int token = (int)get_global_id(1);
  if (row < weight_rows && token < counts[which]) {
    y[(ulong)token * y_columns + first_row + row] =
        plain_product(x + (ulong)token * X_UNITS, w + at + (ulong)row * ROW_BYTES);
  }
}

// One item per row of a matrix and slot.
kernel void moe_product_plain(
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
  int row = (int)get_global_id(0);
  int slot = (int)get_global_id(1);
  if (row >= out || slot >= counts[which] * used) {
    return;
  }
  int expert = clamp(ids[slot], 0, all_experts - 1) - first_expert;
  if (expert >= 0 && expert < experts) {
    y[(ulong)slot * out + row] = plain_product(
        x + (ulong)(slot / slots_of_input) * X_UNITS, w + at + ((ulong)expert * out + row) * ROW_BYTES);
  }
}
