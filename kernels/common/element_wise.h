// Functions of single elements.
// Items: one an element, in row order: coalesced; items beyond the last do nothing.
// Traffic: 4 bytes for each operand and result.

#include "dialect.h"
#include "activations.h"

int is_element(int columns, GLOBAL const int *counts, int which) {
  return get_global_id(0) < (size_t)counts[which] * columns;
}

kernel void add(GLOBAL const float *a, GLOBAL const float *b, GLOBAL float *y, int columns, GLOBAL const int *counts,
                int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = a[i] + b[i];
  }
}

// Items: dimension 0 one a column, dimension 1 one a row, so that none divides to find its column.
kernel void bias(GLOBAL const float *x, GLOBAL const float *b, GLOBAL float *y, int columns, GLOBAL const int *counts,
                 int which) {
  BEGIN_LAUNCH();
  int column = get_global_id(0), row = get_global_id(1);
  if (column < columns && row < counts[which]) {
    y[(size_t)row * columns + column] = x[(size_t)row * columns + column] + b[column];
  }
}

kernel void scale(GLOBAL const float *x, GLOBAL float *y, float factor, int columns, GLOBAL const int *counts,
                  int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = factor * x[i];
  }
}

kernel void clamp_both(GLOBAL const float *x, GLOBAL float *y, float limit, int columns, GLOBAL const int *counts,
                       int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = x[i] > limit ? limit : x[i] < -limit ? -limit : x[i];
  }
}

kernel void soft_cap(GLOBAL const float *x, GLOBAL float *y, float cap, int columns, GLOBAL const int *counts,
                     int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = cap * tanh(x[i] / cap);
  }
}

// y[i] = x[rows[i]]
kernel void select_rows(GLOBAL const float *x, GLOBAL const int *rows, GLOBAL float *y, int columns,
                        GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    size_t row = i / columns;
    y[i] = x[(size_t)rows[row] * columns + i % columns];
  }
}

// A token -1 - i stands for chosen[i]. Where that is none, since no logit was finite, 0 is as good as any.
kernel void feed_tokens(GLOBAL int *tokens, GLOBAL const int *chosen, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(1, counts, which) && tokens[i] < 0) {
    int token = chosen[-1 - tokens[i]];
    tokens[i] = token < 0 ? 0 : token;
  }
}

#ifdef HAS_ACTIVATION
kernel void activate(GLOBAL const float *x, GLOBAL float *y, int columns, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = activation(x[i]);
  }
}

// y = activation(min(gate, limit)) * (1 + up), up between -limit and limit.
kernel void clamped_glu(GLOBAL const float *gate, GLOBAL const float *up, GLOBAL float *y, float limit, int columns,
                        GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = activation(fmin(gate[i], limit)) * (1 + fmax(-limit, fmin(up[i], limit)));
  }
}

// y may be gate itself.
kernel void glu(GLOBAL const float *gate, GLOBAL const float *up, GLOBAL float *y, int columns,
                GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (is_element(columns, counts, which)) {
    y[i] = activation(gate[i]) * up[i];
  }
}
#endif
