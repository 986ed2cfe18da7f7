// Single elements of cached rows, read and written. A row holds all KV heads side by side in the type of its cache:
// F32, F16, BF16, F8_E4M3 (see eight_bit_floats.h), or Q8_0 in blocks of 34 bytes (a half-precision scale d, then 32 signed bytes q; x = d q), where a
// block may hold the end of one head and the beginning of the next.
// Defines: KEY_F32, KEY_F16, KEY_BF16, KEY_F8_E4M3 or KEY_Q8_0; VALUE_ the same; PAGE_TOKENS.
// Which functions a kernel gets: key_element, value_element; key_store, value_store (but for Q8_0: store_q8_0).
// Rounding is the reference's to the bit: halves, bfloat16 and E4M3 to nearest even; Q8_0 half away from zero.

#ifndef CACHE_ELEMENTS_H
#define CACHE_ELEMENTS_H

#include "dialect.h"
#include "eight_bit_floats.h"

#define Q8_0_ELEMENTS 32
#define Q8_0_BYTES 34

// Token t of page p is row p · PAGE_TOKENS + t of a layer's cache.
static inline size_t cache_row(GLOBAL const int *pages, int position) {
  return (size_t)pages[position / PAGE_TOKENS] * PAGE_TOKENS + position % PAGE_TOKENS;
}

static inline float element_f32(GLOBAL const uchar *row, int column) { return ((GLOBAL const float *)row)[column]; }

static inline float element_f16(GLOBAL const uchar *row, int column) {
  return vload_half(column, (GLOBAL const half *)row);
}

static inline float element_bf16(GLOBAL const uchar *row, int column) {
  return as_float((uint)((GLOBAL const ushort *)row)[column] << 16);
}

static inline float element_f8_e4m3(GLOBAL const uchar *row, int column) {
  uchar bits = row[column];
  return (bits & 127) == 127 ? NAN : eight_bit_float(bits);
}

static inline float element_q8_0(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + column / Q8_0_ELEMENTS * Q8_0_BYTES;
  return vload_half(0, (GLOBAL const half *)block) * (float)as_char(block[2 + column % Q8_0_ELEMENTS]);
}

static inline void store_f32(float x, GLOBAL uchar *row, int column) { ((GLOBAL float *)row)[column] = x; }

static inline void store_f16(float x, GLOBAL uchar *row, int column) {
  vstore_half_rte(x, column, (GLOBAL half *)row);
}

static inline void store_bf16(float x, GLOBAL uchar *row, int column) {
  uint bits = as_uint(x);
  uint rounded = isnan(x) ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  ((GLOBAL ushort *)row)[column] = (ushort)rounded;
}

static inline void store_f8_e4m3(float x, GLOBAL uchar *row, int column) { row[column] = to_eight_bit_float(x); }

// One block. Devices may divide with an error of 2.5 units in the last place, which would now and then round an
// element differently than the reference: each quotient is corrected by its exact remainder (Markstein 1990). A
// product that is then rounded must not become a fused multiply-add.
static inline void store_q8_0(const float *x, GLOBAL uchar *block) {
#pragma OPENCL FP_CONTRACT OFF
  float most = 0;
  for (int i = 0; i < Q8_0_ELEMENTS; i++) {
    float size = fabs(x[i]);
    // Unlike fmax, this keeps a NaN.
    most = size > most || isnan(size) ? size : most;
  }
  float estimate = most * (1 / 127.0f);
  float d = fma(fma(-estimate, 127.0f, most), 1 / 127.0f, estimate);
  float inverse = 0;
  if (d != 0) {
    inverse = 1 / d;
    // Below 2^-26 the stored scale is zero, whatever the bytes are; the correction would overflow.
    if (d >= 0x1p-100f && d <= 0x1p100f) {
      inverse = fma(fma(-d, inverse, 1.0f), inverse, inverse);
      inverse = fma(fma(-d, inverse, 1.0f), inverse, inverse);
    }
  }
  vstore_half_rte(d, 0, (GLOBAL half *)block);
  for (int i = 0; i < Q8_0_ELEMENTS; i++) {
    float scaled = x[i] * inverse;
    float moved = scaled + copysign(0.5f, scaled);
    block[2 + i] = isnan(moved) ? 0 : as_uchar((char)(int)moved);
  }
}

#define PLAIN_ROW_BYTES(columns, bytes) ((size_t)(columns) * (bytes))
#define Q8_0_ROW_BYTES(columns) ((size_t)(columns) / Q8_0_ELEMENTS * Q8_0_BYTES)

#if defined(KEY_F32)
#define KEY_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 4)
#define key_element element_f32
#define key_store store_f32
#elif defined(KEY_F16)
#define KEY_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 2)
#define key_element element_f16
#define key_store store_f16
#elif defined(KEY_BF16)
#define KEY_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 2)
#define key_element element_bf16
#define key_store store_bf16
#elif defined(KEY_F8_E4M3)
#define KEY_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 1)
#define key_element element_f8_e4m3
#define key_store store_f8_e4m3
#elif defined(KEY_Q8_0)
#define KEY_ROW_BYTES(columns) Q8_0_ROW_BYTES(columns)
#define key_element element_q8_0
#endif

#if defined(VALUE_F32)
#define VALUE_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 4)
#define value_element element_f32
#define value_store store_f32
#elif defined(VALUE_F16)
#define VALUE_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 2)
#define value_element element_f16
#define value_store store_f16
#elif defined(VALUE_BF16)
#define VALUE_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 2)
#define value_element element_bf16
#define value_store store_bf16
#elif defined(VALUE_F8_E4M3)
#define VALUE_ROW_BYTES(columns) PLAIN_ROW_BYTES(columns, 1)
#define value_element element_f8_e4m3
#define value_store store_f8_e4m3
#elif defined(VALUE_Q8_0)
#define VALUE_ROW_BYTES(columns) Q8_0_ROW_BYTES(columns)
#define value_element element_q8_0
#endif

#endif
