// One element of a product with weights, plainly: what mat_vec and mat_mul are to compute.

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

#endif
