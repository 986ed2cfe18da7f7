// round_rows: rows of activations as halves, for products of many tokens (mat_mul.h): each row times the power of two that brings its
// largest number to below 2^10, and the inverse of that beside it; or as bfloats, whose range needs none.
// Items: a block of LANES threads for each row. Traffic: 4 bytes a column in, twice, and 2 out.
// Invariants: rows are ROUNDED_COLUMNS wide in y, filled up with zeros; every thread reaches all barriers.
// Defines: COLUMNS, LANES, BFLOATS (optional).

#include "block_maximum.h"
#include "matrix_units.h"

#define ROUNDED_COLUMNS ((COLUMNS + 255) / 256 * 256)

kernel void round_rows(const float *x, ushort *y, float *inverses, const int *counts, int which) {
  BEGIN_LAUNCH();
  size_t row = blockIdx.x;
  if (row >= counts[which]) {
    return;
  }
  x += row * COLUMNS;
  uint *pairs = (uint *)(y + row * ROUNDED_COLUMNS);
  float factor = 1, inverse = 1;
#ifndef BFLOATS
  __shared__ float room[LANES / 32];
  float most = 0;
  for (int i = threadIdx.x; i < COLUMNS; i += LANES) {
    most = fmaxf(most, fabsf(x[i]));
  }
  factor = power_of_two_to(ACTIVATION_EXPONENT, block_max<LANES / 32>(most, room), inverse);
#endif
  for (int i = threadIdx.x; i < ROUNDED_COLUMNS / 2; i += LANES) {
    float a = 2 * i < COLUMNS ? x[2 * i] * factor : 0, b = 2 * i + 1 < COLUMNS ? x[2 * i + 1] * factor : 0;
#ifdef BFLOATS
    pairs[i] = bfloats_of(a, b);
#else
    pairs[i] = halves_of(a, b);
#endif
  }
  if (threadIdx.x == 0) {
    inverses[row] = inverse;
  }
}
