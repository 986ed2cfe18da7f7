// Products with weights, and rows of them, plainly: what fast kernels of the same are to compute.
// Defines: WEIGHT_*, COLUMNS, INTEGER_DOT (optional; x_units.h).

#include "weight_elements.h"
#include "x_units.h"

static inline float plain_product(GLOBAL const x_unit *x, GLOBAL const uchar *row) {
  float sum = 0;
  for (int c = 0; c < COLUMNS; c++) {
    sum += x_value(x, c) * weight_at(row, c);
  }
  return sum;
}

// One item per row and token.
kernel void product_plain(
    GLOBAL const x_unit *x,
    GLOBAL const uchar *w,
    ulong at,
    int first_row,
    int weight_rows,
    GLOBAL float *y,
    int y_columns,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  int row = (int)get_global_id(0);
  int token = (int)get_global_id(1);
  if (row < weight_rows && token < counts[which]) {
    y[(ulong)token * y_columns + first_row + row] =
        plain_product(x + (ulong)token * X_UNITS, w + at + (ulong)row * ROW_BYTES);
  }
}

// One item per row of a matrix and slot.
kernel void moe_product_plain(
    GLOBAL const x_unit *x,
    GLOBAL const int *ids,
    GLOBAL const uchar *w,
    ulong at,
    int first_expert,
    int experts,
    int all_experts,
    GLOBAL float *y,
    int out,
    int used,
    int slots_of_input,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
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

// Rows of a table: y[i] = table[ids[i]]; ids of other buffers' rows are left to them. One item per column and id.
kernel void embedding_plain(
    GLOBAL const int *ids,
    GLOBAL const uchar *table,
    ulong at,
    int first_row,
    int table_rows,
    GLOBAL float *y,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  int column = (int)get_global_id(0);
  int i = (int)get_global_id(1);
  if (i >= counts[which] || column >= COLUMNS) {
    return;
  }
  int row = ids[i] - first_row;
  if (row >= 0 && row < table_rows) {
    y[(ulong)i * COLUMNS + column] = weight_at(table + at + (ulong)row * ROW_BYTES, column);
  }
}
