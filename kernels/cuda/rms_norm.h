// rms_norm: y = w · x / sqrt(mean(x²) + epsilon), over each group of columns on its own.
// add_rms_norm: sum = a + b, y = rms_norm(sum), in one pass.                 Source: Zhang and Sennrich 2019.
// Items: one block of LANES threads for each group of columns; what a thread reads of it, four columns at a time, stays in its registers
// up to 16 · LANES columns, and is read again beyond.
// Traffic: 8 bytes a column and w; add_rms_norm 16.
// Invariants: every thread reaches all barriers; sums are in one order for one LANES. Defines: LANES, a power of two.

#include "dialect.h"

#define RUNS 4

static inline float sum_of_block(float value) {
  constexpr uint mask = LANES < 32 ? (1u << LANES % 32) - 1 : 0xffffffff;
  constexpr int half_of = LANES < 32 ? LANES / 2 : 16;
  for (int distance = half_of; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(mask, value, distance);
  }
#if LANES > 32
  __shared__ float sums[LANES / 32];
  if (threadIdx.x % 32 == 0) {
    sums[threadIdx.x / 32] = value;
  }
  __syncthreads();
  value = threadIdx.x % 32 < LANES / 32 ? sums[threadIdx.x % 32] : 0;
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(mask, value, distance);
  }
#endif
  return value;
}

static inline float square(float4 v) { return fma(v.x, v.x, fma(v.y, v.y, fma(v.z, v.z, v.w * v.w))); }

static inline float4 scaled(float4 v, float factor, float4 w) {
  return make_float4(v.x * factor * w.x, v.y * factor * w.y, v.z * factor * w.z, v.w * factor * w.w);
}

static inline float4 sum_of(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }

// Where `other` is, it is added first, and the sum kept.
static inline void norm(const float *x, const float *other, const float *w, float *sum, float *y, int columns, float epsilon) {
  bool is_in_registers = columns % 4 == 0 && columns <= 4 * RUNS * LANES;
  float squares = 0;
  float4 held[RUNS];
  if (is_in_registers) {
#pragma unroll
    for (int i = 0; i < RUNS; i++) {
      int at = 4 * (threadIdx.x + i * LANES);
      held[i] = make_float4(0, 0, 0, 0);
      if (at < columns) {
        held[i] = *(const float4 *)(x + at);
        if (other != nullptr) {
          held[i] = sum_of(held[i], *(const float4 *)(other + at));
        }
      }
      squares += square(held[i]);
    }
  } else {
    for (int at = threadIdx.x; at < columns; at += LANES) {
      float v = x[at];
      if (other != nullptr) {
        v += other[at];
        sum[at] = v;
      }
      squares = fma(v, v, squares);
    }
  }
  float factor = 1 / sqrt(sum_of_block(squares) / columns + epsilon);
  if (is_in_registers) {
#pragma unroll
    for (int i = 0; i < RUNS; i++) {
      int at = 4 * (threadIdx.x + i * LANES);
      if (at < columns) {
        if (other != nullptr) {
          *(float4 *)(sum + at) = held[i];
        }
        *(float4 *)(y + at) = scaled(held[i], factor, *(const float4 *)(w + at));
      }
    }
  } else {
    // Each thread reads back only what it wrote itself.
    const float *from = other != nullptr ? sum : x;
    for (int at = threadIdx.x; at < columns; at += LANES) {
      y[at] = from[at] * factor * w[at];
    }
  }
}

kernel void rms_norm(const float *x, const float *w, float *y, int group_columns, int groups_per_row, float epsilon, const int *counts,
                     int which) {
  BEGIN_LAUNCH();
  long group = blockIdx.x;
  if (group >= (long)counts[which] * groups_per_row) {
    return;
  }
  norm(x + group * group_columns, nullptr, w, nullptr, y + group * group_columns, group_columns, epsilon);
}

kernel void add_rms_norm(const float *a, const float *b, const float *w, float *sum, float *y, int columns, float epsilon,
                         const int *counts, int which) {
  BEGIN_LAUNCH();
  long row = blockIdx.x;
  if (row >= counts[which]) {
    return;
  }
  norm(a + row * columns, b + row * columns, w, sum + row * columns, y + row * columns, columns, epsilon);
}
