// Where columns go, and what is added to them by number of a slot's expert.
// Items: as each kernel says, neighbors next to each other in a row: coalesced; items beyond the last do nothing.
// Traffic: 4 bytes for each operand and result.

#include "dialect.h"

// y[r][g] = (a[r][g], b[r][g]), of `first` and `second` columns in each group. Items: dimension 0 one a column, dimension 1 one a row.
kernel void concatenate(
    GLOBAL const float *a,
    GLOBAL const float *b,
    GLOBAL float *y,
    int first,
    int second,
    int columns,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  int column = (int)get_global_id(0);
  int row = (int)get_global_id(1);
  if (column >= columns || row >= counts[which]) {
    return;
  }
  int width = first + second;
  int groups = columns / width;
  size_t group = (size_t)row * groups + column / width;
  int i = column % width;
  y[(size_t)row * columns + column] = i < first ? a[group * first + i] : b[group * second + (i - first)];
}

// y[r][c] = x[r][from[c]]; numbers of columns are whole, as floats. Items: dimension 0 one a column, dimension 1 one a row.
kernel void select_columns(
    GLOBAL const float *x,
    GLOBAL const float *from,
    GLOBAL float *y,
    int x_columns,
    int columns,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  int column = (int)get_global_id(0);
  int row = (int)get_global_id(1);
  if (column >= columns || row >= counts[which]) {
    return;
  }
  y[(size_t)row * columns + column] = x[(size_t)row * x_columns + clamp((int)from[column], 0, x_columns - 1)];
}

// ids[r][s] = s. Items: one an id.
kernel void slot_ids(GLOBAL int *ids, int slots, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t i = get_global_id(0);
  if (i < (size_t)counts[which] * slots) {
    ids[i] = (int)(i % slots);
  }
}

// y[r][s] = x[r][s] + b[ids[r][s]]. Items: dimension 0 one a column of a slot, dimension 1 one a slot.
kernel void moe_bias(
    GLOBAL const float *x,
    GLOBAL const float *b,
    GLOBAL const int *ids,
    GLOBAL float *y,
    int experts,
    int used,
    int columns,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  int column = (int)get_global_id(0);
  int slot = (int)get_global_id(1);
  if (column >= columns || slot >= counts[which] * used) {
    return;
  }
  size_t expert = (size_t)clamp(ids[slot], 0, experts - 1);
  size_t i = (size_t)slot * columns + column;
  y[i] = x[i] + b[expert * columns + column];
}
