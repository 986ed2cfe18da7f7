// A row of activations in the registers of a block, four numbers at a time; with NORM, its RMS norm but for the factor that all numbers
// share, which is applied to what becomes of them (a product's sums); with NORM_OF_SUM, of the sum of two rows, which is kept.
// Invariants: all threads of the block call all of it; behind the last column are zeros.
// Defines: COLUMNS, THREADS, NORM, NORM_OF_SUM (both optional); ROW_COLUMNS and FIRST_COLUMN, where it is a slice of a longer row, and no norm.

#ifndef HELD_ROW_H
#define HELD_ROW_H

#include "dialect.h"
#include "padded_columns.h"

#ifndef ROW_COLUMNS
#define ROW_COLUMNS COLUMNS
#define FIRST_COLUMN 0
#endif

#define ROW_RUNS ((PADDED_COLUMNS / 4 + THREADS - 1) / THREADS)

// What kernels with such a row take, in this order.
#if defined(NORM_OF_SUM)
#define ROW_PARAMETERS const float *x, const float *other, const float *norm_weights, float *sum, float epsilon
#define ROW_ARGUMENTS {x, other, norm_weights, sum, epsilon}
#elif defined(NORM)
#define ROW_PARAMETERS const float *x, const float *norm_weights, float epsilon
#define ROW_ARGUMENTS {x, nullptr, norm_weights, nullptr, epsilon}
#else
#define ROW_PARAMETERS const float *x
#define ROW_ARGUMENTS {x, nullptr, nullptr, nullptr, 0}
#endif

struct row_arguments {
  const float *x, *other, *norm_weights;
  float *sum, epsilon;
};

struct held_row {
  float4 values[ROW_RUNS];
  // Their largest magnitude, and what makes them the norm.
  float most, factor;
#ifdef NORM
  float4 weights[ROW_RUNS];
#endif

  static inline int column(int run) { return 4 * (threadIdx.x + run * THREADS); }

  static inline float4 four(const float *row, int column) {
    float4 v = make_float4(0, 0, 0, 0);
    if (ROW_COLUMNS % 4 == 0) {
      if (column < COLUMNS) v = *(const float4 *)(row + column);
    } else {
      if (column < COLUMNS) v.x = row[column];
      if (column + 1 < COLUMNS) v.y = row[column + 1];
      if (column + 2 < COLUMNS) v.z = row[column + 2];
      if (column + 3 < COLUMNS) v.w = row[column + 3];
    }
    return v;
  }

  static inline void keep(float4 v, float *row, int column) {
    if (COLUMNS % 4 == 0) {
      if (column < COLUMNS) *(float4 *)(row + column) = v;
    } else {
      if (column < COLUMNS) row[column] = v.x;
      if (column + 1 < COLUMNS) row[column + 1] = v.y;
      if (column + 2 < COLUMNS) row[column + 2] = v.z;
      if (column + 3 < COLUMNS) row[column + 3] = v.w;
    }
  }

  // What no launch writes.
  inline void load_weights(const row_arguments &given) {
#ifdef NORM
#pragma unroll
    for (int i = 0; i < ROW_RUNS; i++) {
      weights[i] = four(given.norm_weights, column(i));
    }
#endif
  }

  // `room` has two places for each warp.
  inline void load(const row_arguments &given, size_t row, bool keeps_sum, float *room) {
    float squares = 0;
    most = 0;
#pragma unroll
    for (int i = 0; i < ROW_RUNS; i++) {
      float4 v = four(given.x + row * ROW_COLUMNS + FIRST_COLUMN, column(i));
#ifdef NORM_OF_SUM
      float4 w = four(given.other + row * COLUMNS, column(i));
      v = make_float4(v.x + w.x, v.y + w.y, v.z + w.z, v.w + w.w);
      if (keeps_sum) {
        keep(v, given.sum + row * COLUMNS, column(i));
      }
#endif
#ifdef NORM
      squares += fma(v.x, v.x, fma(v.y, v.y, fma(v.z, v.z, v.w * v.w)));
      v = make_float4(v.x * weights[i].x, v.y * weights[i].y, v.z * weights[i].z, v.w * weights[i].w);
#endif
      values[i] = v;
      most = fmaxf(most, fmaxf(fmaxf(fabsf(v.x), fabsf(v.y)), fmaxf(fabsf(v.z), fabsf(v.w))));
    }
    for (int distance = 16; distance > 0; distance /= 2) {
      most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, distance));
#ifdef NORM
      squares += __shfl_xor_sync(0xffffffff, squares, distance);
#endif
    }
    if (threadIdx.x % 32 == 0) {
      room[threadIdx.x / 32] = most;
      room[THREADS / 32 + threadIdx.x / 32] = squares;
    }
    __syncthreads();
    most = room[0];
    squares = room[THREADS / 32];
    for (int i = 1; i < THREADS / 32; i++) {
      most = fmaxf(most, room[i]);
      squares += room[THREADS / 32 + i];
    }
#ifdef NORM
    factor = 1 / sqrt(squares / COLUMNS + given.epsilon);
#else
    factor = 1;
#endif
  }
};

#endif
