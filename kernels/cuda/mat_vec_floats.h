// mat_vec_floats: y = x · Wᵀ for float32 weights as they are stored.
// A warp has a row; its lanes go through the columns, four at a time where rows begin at multiples of 16 bytes.
// Traffic: the weights once for each token; x from L1.
// Defines: COLUMNS, WARPS.

#include "dialect.h"

extern "C" __global__ void __launch_bounds__(32 * WARPS) mat_vec_floats(
    const float *x, const float *w, ulong at, int first_row, int rows, float *y, int y_columns, const int *counts, int which) {
  BEGIN_LAUNCH();
  int row = (int)(blockIdx.x * WARPS + threadIdx.x / 32), lane = threadIdx.x % 32;
  if (row >= rows || blockIdx.y >= counts[which]) {
    return;
  }
  x += (size_t)blockIdx.y * COLUMNS;
  w = (const float *)((const uchar *)w + at) + (size_t)row * COLUMNS;
  float sum = 0;
#if COLUMNS % 4 == 0
  for (int column = 4 * lane; column < COLUMNS; column += 128) {
    float4 a = *(const float4 *)(x + column), b = *(const float4 *)(w + column);
    sum = fma(a.x, b.x, fma(a.y, b.y, fma(a.z, b.z, fma(a.w, b.w, sum))));
  }
#else
  for (int column = lane; column < COLUMNS; column += 32) {
    sum = fma(x[column], w[column], sum);
  }
#endif
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(0xffffffff, sum, distance);
  }
  if (lane == 0) {
    y[(size_t)blockIdx.y * y_columns + first_row + row] = sum;
  }
}
