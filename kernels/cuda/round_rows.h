// round_rows: rows of activations as halves, for products of many tokens (mat_mul.h): each row times the power of two that brings its
// largest number to below 2^10, and what undoes that beside it; or as bfloats, whose range needs none. With NORM the row's norm first
// (held_row.h).
// Where a row of the step has several, as slots of experts do, they are PARTS rows beside each other.
// Items: a block of THREADS threads for each row. Traffic: 4 bytes a column in (8, and 4 out, for a sum), and 2 out.
// Invariants: rows are PADDED_COLUMNS wide in y, filled up with zeros; every thread reaches all barriers.
// Defines: PARTS, BFLOATS (optional), and held_row.h's.

#include "held_row.h"
#include "matrix_units.h"

kernel void __launch_bounds__(THREADS) round_rows(ROW_PARAMETERS, ushort *y, float *inverses, const int *counts, int which) {
  start_next_launch();
  row_arguments given = ROW_ARGUMENTS;
  held_row held;
  held.load_weights(given);
  await_last_launch();
  size_t row = blockIdx.x;
  if (row >= (size_t)counts[which] * PARTS) {
    return;
  }
  __shared__ float room[THREADS / 16];
  held.load(given, row, true, room);
  float scale = 1, inverse = 1;
#ifndef BFLOATS
  scale = power_of_two_to(ACTIVATION_EXPONENT, held.most, inverse);
#endif
#pragma unroll
  for (int i = 0; i < ROW_RUNS; i++) {
    int column = held_row::column(i);
    if (column < PADDED_COLUMNS) {
      float4 v = held.values[i];
#ifdef BFLOATS
      uint2 pairs = make_uint2(bfloats_of(v.x, v.y), bfloats_of(v.z, v.w));
#else
      uint2 pairs = make_uint2(halves_of(v.x * scale, v.y * scale), halves_of(v.z * scale, v.w * scale));
#endif
      *(uint2 *)(y + row * PADDED_COLUMNS + column) = pairs;
    }
  }
  if (threadIdx.x == 0) {
    inverses[row] = inverse * held.factor;
  }
}
