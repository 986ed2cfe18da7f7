// Weighted sums of a row's slots: y[r][c] = sum over s of weights[r][s] * x[r][s][c], in the order of slots.
// Items: one an element of y, in row order: coalesced; items beyond the last do nothing.
// Traffic: 4 bytes for each element of x and y.

#include "dialect.h"

kernel void moe_sum(
    GLOBAL const float *x,
    GLOBAL const float *weights,
    GLOBAL float *y,
    int used,
    int columns,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (i >= (size_t)counts[which] * columns) {
    return;
  }
  size_t row = i / columns;
  x += row * used * columns + i % columns;
  weights += row * used;
  float sum = 0;
  for (int s = 0; s < used; s++) {
    sum = fma(weights[s], x[(size_t)s * columns], sum);
  }
  y[i] = sum;
}
