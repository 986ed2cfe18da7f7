// rms_norm: y = w · x / sqrt(mean(x²) + epsilon), over each group of columns on its own.
// add_rms_norm: sum = a + b, y = rms_norm(sum), in one pass.                 Source: Zhang and Sennrich 2019.
// Items: one work-group of LANES items for each group of columns; lane l reads columns l, l + LANES, …: coalesced.
// On a processor LANES is 1, and one item goes through a whole group.
// Traffic: 8 bytes a column and w; add_rms_norm 16.
// Invariants: LANES is a power of two; every item reaches all barriers; sums are in one order for one LANES.

#include "dialect.h"

#ifndef LANES
#define LANES 1
#endif

#include "lanes.h"

// Sums of squares of sixteen columns at a time, where one item has them all: a processor's vectors.
float squares(GLOBAL const float *x, int columns) {
  float sum = 0;
#if LANES > 1
  for (int i = get_local_id(0); i < columns; i += LANES) {
    sum = fma(x[i], x[i], sum);
  }
#else
  float16 sums = 0;
  int i = 0;
  for (; i + 16 <= columns; i += 16) {
    float16 v = vload16(0, x + i);
    sums = fma(v, v, sums);
  }
  float8 eight = sums.lo + sums.hi;
  float4 four = eight.lo + eight.hi;
  sum = (four.x + four.y) + (four.z + four.w);
  for (; i < columns; i++) {
    sum = fma(x[i], x[i], sum);
  }
#endif
  return sum;
}

kernel void rms_norm(GLOBAL const float *x, GLOBAL const float *w, GLOBAL float *y, int group_columns,
                     int groups_per_row, float epsilon, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  SHARED float lanes[LANES];
  long group = get_group_id(0);
  if (group >= (long)counts[which] * groups_per_row) {
    return;
  }
  x += group * group_columns;
  y += group * group_columns;
  float factor = 1 / sqrt(sum_lanes(squares(x, group_columns), get_local_id(0), lanes) / group_columns + epsilon);
  for (int i = get_local_id(0); i < group_columns; i += LANES) {
    y[i] = x[i] * factor * w[i];
  }
}

kernel void add_rms_norm(GLOBAL const float *a, GLOBAL const float *b, GLOBAL const float *w, GLOBAL float *sum,
                         GLOBAL float *y, int columns, float epsilon, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  SHARED float lanes[LANES];
  long row = get_group_id(0);
  if (row >= counts[which]) {
    return;
  }
  a += row * columns;
  b += row * columns;
  sum += row * columns;
  y += row * columns;
  for (int i = get_local_id(0); i < columns; i += LANES) {
    sum[i] = a[i] + b[i];
  }
  // Each lane reads back only what it wrote itself.
  float factor = 1 / sqrt(sum_lanes(squares(sum, columns), get_local_id(0), lanes) / columns + epsilon);
  for (int i = get_local_id(0); i < columns; i += LANES) {
    y[i] = sum[i] * factor * w[i];
  }
}
