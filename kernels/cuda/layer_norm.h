// layer_norm: y = w · (x - mean(x)) / sqrt(var(x) + epsilon) + b, over each group of columns on its own.
//                                                                                     Source: Ba, Kiros and Hinton 2016.
// Items: one block of LANES threads for each group of columns; what a thread reads of it, four columns at a time, stays in its registers
// up to 16 · LANES columns, and is read again beyond.
// Traffic: 8 bytes a column, w and b.
// The variance is that of differences from the mean, which is then mended by what they add up to: see common/layer_norm.h.
// Invariants: every thread reaches all barriers; sums are in one order for one LANES.
// Defines: LANES, a power of two; WEIGHTED and BIASED (optional) where there are w and b.

#include "dialect.h"

#define RUNS 4

static inline float2 sum_of_block(float a, float b) {
  constexpr uint mask = LANES < 32 ? (1u << LANES % 32) - 1 : 0xffffffff;
  constexpr int half_of = LANES < 32 ? LANES / 2 : 16;
  for (int distance = half_of; distance > 0; distance /= 2) {
    a += __shfl_xor_sync(mask, a, distance);
    b += __shfl_xor_sync(mask, b, distance);
  }
#if LANES > 32
  __shared__ float2 sums[LANES / 32];
  // Those of the call before are read by all.
  __syncthreads();
  if (threadIdx.x % 32 == 0) {
    sums[threadIdx.x / 32] = make_float2(a, b);
  }
  __syncthreads();
  float2 of_warp = threadIdx.x % 32 < LANES / 32 ? sums[threadIdx.x % 32] : make_float2(0, 0);
  a = of_warp.x;
  b = of_warp.y;
  for (int distance = 16; distance > 0; distance /= 2) {
    a += __shfl_xor_sync(0xffffffff, a, distance);
    b += __shfl_xor_sync(0xffffffff, b, distance);
  }
#endif
  return make_float2(a, b);
}

// What is learned of a column.
struct affine {
#ifdef WEIGHTED
  const float *w;
#endif
#ifdef BIASED
  const float *b;
#endif

  inline float of(float normed, int column) const {
#ifdef WEIGHTED
    normed *= w[column];
#endif
#ifdef BIASED
    normed += b[column];
#endif
    return normed;
  }

  inline float4 of_four(float4 normed, int column) const {
#ifdef WEIGHTED
    float4 v = *(const float4 *)(w + column);
    normed = make_float4(normed.x * v.x, normed.y * v.y, normed.z * v.z, normed.w * v.w);
#endif
#ifdef BIASED
    float4 c = *(const float4 *)(b + column);
    normed = make_float4(normed.x + c.x, normed.y + c.y, normed.z + c.z, normed.w + c.w);
#endif
    return normed;
  }
};

static inline void norm(const float *x, const affine &learned, float *y, int columns, float epsilon) {
  bool is_in_registers = columns % 4 == 0 && columns <= 4 * RUNS * LANES;
  float sum = 0;
  float4 held[RUNS];
  if (is_in_registers) {
#pragma unroll
    for (int i = 0; i < RUNS; i++) {
      int at = 4 * (threadIdx.x + i * LANES);
      held[i] = at < columns ? *(const float4 *)(x + at) : make_float4(0, 0, 0, 0);
      sum += (held[i].x + held[i].y) + (held[i].z + held[i].w);
    }
  } else {
    for (int at = threadIdx.x; at < columns; at += LANES) {
      sum += x[at];
    }
  }
  float mean = sum_of_block(sum, 0).x / columns, squares = 0;
  sum = 0;
  if (is_in_registers) {
#pragma unroll
    for (int i = 0; i < RUNS; i++) {
      if (4 * (threadIdx.x + i * LANES) < columns) {
        float4 d = make_float4(held[i].x - mean, held[i].y - mean, held[i].z - mean, held[i].w - mean);
        sum += (d.x + d.y) + (d.z + d.w);
        squares += fma(d.x, d.x, fma(d.y, d.y, fma(d.z, d.z, d.w * d.w)));
        held[i] = d;
      }
    }
  } else {
    for (int at = threadIdx.x; at < columns; at += LANES) {
      float d = x[at] - mean;
      sum += d;
      squares = fma(d, d, squares);
    }
  }
  float2 both = sum_of_block(sum, squares);
  float off = both.x / columns;
  float factor = 1 / sqrt(fmaxf(both.y / columns - off * off, 0) + epsilon);
  if (is_in_registers) {
#pragma unroll
    for (int i = 0; i < RUNS; i++) {
      int at = 4 * (threadIdx.x + i * LANES);
      if (at < columns) {
        float4 d = held[i];
        d = make_float4((d.x - off) * factor, (d.y - off) * factor, (d.z - off) * factor, (d.w - off) * factor);
        *(float4 *)(y + at) = learned.of_four(d, at);
      }
    }
  } else {
    for (int at = threadIdx.x; at < columns; at += LANES) {
      y[at] = learned.of((x[at] - mean - off) * factor, at);
    }
  }
}

kernel void layer_norm(const float *x,
#ifdef WEIGHTED
                       const float *w,
#endif
#ifdef BIASED
                       const float *b,
#endif
                       float *y, int group_columns, int groups_per_row, float epsilon, const int *counts, int which) {
  BEGIN_LAUNCH();
  long group = blockIdx.x;
  if (group >= (long)counts[which] * groups_per_row) {
    return;
  }
  affine learned = {
#ifdef WEIGHTED
      w,
#endif
#ifdef BIASED
      b,
#endif
  };
  norm(x + group * group_columns, learned, y + group * group_columns, group_columns, epsilon);
}
