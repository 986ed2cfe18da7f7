// layer_norm: y = w · (x - mean(x)) / sqrt(var(x) + epsilon) + b, over each group of columns on its own.
//                                                                                     Source: Ba, Kiros and Hinton 2016.
// Items: one work-group of LANES items for each group of columns; lane l reads columns l, l + LANES, …: coalesced.
// On a processor LANES is 1, and one item goes through a whole group, eight columns at a time.
// Traffic: 8 bytes a column (x once more twice, from the caches), w and b.
// The variance is that of differences from the mean, which is then mended by what they add up to: their squares, rather than those of x,
// lose nothing where the mean is large, and neither does the result.
// Invariants: LANES is a power of two; every item reaches all barriers; sums are in one order for one LANES.
// Defines: LANES, WEIGHTED and BIASED (optional) where there are w and b.

#include "dialect.h"

#ifndef LANES
#define LANES 1
#endif

#include "lanes.h"

// Of this item's columns: the sum of what they differ from `mean`, and of the squares of that.
static inline float2 differences(GLOBAL const float *x, int columns, float mean) {
  float sum = 0, squares = 0;
  int i = get_local_id(0);
#if LANES == 1
  float8 sums = 0, more = 0;
  for (; i + 8 <= columns; i += 8) {
    float8 d = vload8(0, x + i) - mean;
    sums += d;
    more = fma(d, d, more);
  }
  float4 s = sums.lo + sums.hi, m = more.lo + more.hi;
  sum = (s.x + s.y) + (s.z + s.w);
  squares = (m.x + m.y) + (m.z + m.w);
#endif
  for (; i < columns; i += LANES) {
    float d = x[i] - mean;
    sum += d;
    squares = fma(d, d, squares);
  }
  return FLOAT2(sum, squares);
}

kernel void layer_norm(GLOBAL const float *x,
#ifdef WEIGHTED
                       GLOBAL const float *w,
#endif
#ifdef BIASED
                       GLOBAL const float *b,
#endif
                       GLOBAL float *y, int group_columns, int groups_per_row, float epsilon, GLOBAL const int *counts,
                       int which) {
  BEGIN_LAUNCH();
  SHARED float lanes[LANES];
  long group = get_group_id(0);
  if (group >= (long)counts[which] * groups_per_row) {
    return;
  }
  x += group * group_columns;
  y += group * group_columns;
  int lane = get_local_id(0);
  float mean = sum_lanes(differences(x, group_columns, 0).x, lane, lanes) / group_columns;
  float2 of_lane = differences(x, group_columns, mean);
  float off = sum_lanes(of_lane.x, lane, lanes) / group_columns;
  float variance = sum_lanes(of_lane.y, lane, lanes) / group_columns - off * off;
  float factor = 1 / sqrt(fmax(variance, 0.0f) + epsilon);
  for (int i = lane; i < group_columns; i += LANES) {
    float normed = (x[i] - mean - off) * factor;
#ifdef WEIGHTED
    normed *= w[i];
#endif
#ifdef BIASED
    normed += b[i];
#endif
    y[i] = normed;
  }
}
