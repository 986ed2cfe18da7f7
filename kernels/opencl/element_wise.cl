// Functions of single elements.
// Items: one an element, in row order: coalesced; items beyond the last do nothing.
// Traffic: 4 bytes for each operand and result.

#include "activations.h"

int is_element(int columns, global const int *counts, int which) {
  return get_global_id(0) < (size_t)counts[which] * columns;
}

kernel void add(global const float *a, global const float *b, global float *y, int columns, global const int *counts,
                int which) {
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = a[i] + b[i];
  }
}

kernel void scale(global const float *x, global float *y, float factor, int columns, global const int *counts,
                  int which) {
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = factor * x[i];
  }
}

kernel void soft_cap(global const float *x, global float *y, float cap, int columns, global const int *counts,
                     int which) {
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = cap * tanh(x[i] / cap);
  }
}

// y[i] = x[rows[i]]
kernel void select_rows(global const float *x, global const int *rows, global float *y, int columns,
                        global const int *counts, int which) {
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    size_t row = i / columns;
    y[i] = x[(size_t)rows[row] * columns + i % columns];
  }
}

#if defined(ACTIVATION_SILU) || defined(ACTIVATION_GELU_TANH)
// y may be gate itself.
kernel void glu(global const float *gate, global const float *up, global float *y, int columns,
                global const int *counts, int which) {
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = activation(gate[i]) * up[i];
  }
}
#endif
