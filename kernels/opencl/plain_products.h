// A product with weights, plainly: what mat_vec and mat_mul are to compute.

#ifndef PLAIN_PRODUCTS_H
#define PLAIN_PRODUCTS_H

#include "weights.h"

static inline float plain_product(global const float *x, global const uchar *row) {
  float sum = 0;
  for (int c = 0; c < COLUMNS; c++) {
    sum += x[c] * weight_at(row, c);
  }
  return sum;
}

// One item per row and token.
kernel void product_plain(
    global const float *x,
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
        plain_product(x + (ulong)token * COLUMNS, w + at + (ulong)row * ROW_BYTES);
  }
}

#endif
