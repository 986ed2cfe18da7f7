// Vectors of a head's columns from cached rows:
//   key_vector(row, kv_head, chunk)    columns chunk · VECTOR and following of a KV head; zeros behind its width
//   value_vector(row, kv_head, chunk)
// Where VECTOR divides the head's width (and 32, in Q8_0), a vector is one aligned load; else it is put together from
// elements. Invariant: cache buffers begin at multiples of 64 bytes.

#ifndef CACHE_VECTORS_H
#define CACHE_VECTORS_H

#include "cache_elements.h"
#include "vectors.h"

#define KEY_CHUNKS ((KEY_WIDTH + VECTOR - 1) / VECTOR)
#define VALUE_CHUNKS ((VALUE_WIDTH + VECTOR - 1) / VECTOR)

static inline floats vector_f32(global const uchar *row, int column) {
#if VECTOR == 1
  return ((global const float *)row)[column];
#else
  return *(global const floats *)((global const float *)row + column);
#endif
}

// HALF_BY_SCALING is for devices that have no instruction for it, or a compiler that does not use it, and whose float32
// has subnormals: the bits are moved to where float32 has them, and a product, which is exact, corrects the exponent's
// bias. Infinities and NaNs, which caches of working models don't hold, become large numbers.
static inline floats vector_f16(global const uchar *row, int column) {
#ifdef HALF_BY_SCALING
#if VECTOR == 1
  int bits = ((global const short *)row)[column];
  return as_float((bits << 13) & (int)0x8fffe000) * 0x1p112f;
#else
  JOIN(short, VECTOR) stored = *(global const JOIN(short, VECTOR) *)((global const short *)row + column);
  ints bits = JOIN(convert_int, VECTOR)(stored);
  return AS_FLOATS((bits << 13) & (ints)((int)0x8fffe000)) * (floats)(0x1p112f);
#endif
#else
  return LOAD_HALVES((global const half *)row + column);
#endif
}

static inline floats vector_bf16(global const uchar *row, int column) {
#if VECTOR == 1
  return element_bf16(row, column);
#else
  JOIN(ushort, VECTOR) stored = *(global const JOIN(ushort, VECTOR) *)((global const ushort *)row + column);
  return AS_FLOATS(TO_UINTS(stored) << 16);
#endif
}

static inline floats vector_f8_e4m3(global const uchar *row, int column) {
#if VECTOR == 1
  return element_f8_e4m3(row, column);
#else
  ints bits = JOIN(convert_int, VECTOR)(*(global const JOIN(uchar, VECTOR) *)(row + column));
  ints magnitude = bits & 127;
  // Not by subnormal floats, which some devices don't have, and others take long for.
  ints normal = (magnitude << 20) + (120 << 23);
  ints small = JOIN(as_int, VECTOR)(JOIN(convert_float, VECTOR)(magnitude) * (floats)(0x1p-9f));
  ints number = select(normal, small, magnitude < 8);
  return AS_FLOATS(select(number, (ints)(0x7fc00000), magnitude == 127) | (bits & 128) << 24);
#endif
}

// Blocks begin at even addresses, so 16 bits are the widest load that is always allowed.
static inline floats vector_q8_0(global const uchar *row, int column) {
  global const uchar *block = row + column / Q8_0_ELEMENTS * Q8_0_BYTES;
  float d = vload_half(0, (global const half *)block);
  block += 2 + column % Q8_0_ELEMENTS;
#if VECTOR == 16
  return d * convert_float16(as_char16(vload8(0, (global const ushort *)block)));
#elif VECTOR == 8
  return d * convert_float8(as_char8(vload4(0, (global const ushort *)block)));
#elif VECTOR == 4
  return d * convert_float4(as_char4(vload2(0, (global const ushort *)block)));
#else
  return d * TO_FLOATS(LOAD((global const char *)block));
#endif
}

#define GATHERED(element, width)                           \
  floats x = 0;                                            \
  for (int i = 0; i < VECTOR; i++) {                       \
    if (chunk * VECTOR + i < width) {                      \
      ((float *)&x)[i] = element(row, column + i);         \
    }                                                      \
  }                                                        \
  return x;

static inline floats key_vector(global const uchar *row, int kv_head, int chunk) {
  int column = kv_head * KEY_WIDTH + chunk * VECTOR;
#if KEY_WIDTH % VECTOR != 0
  GATHERED(key_element, KEY_WIDTH)
#elif defined(KEY_F32)
  return vector_f32(row, column);
#elif defined(KEY_F16)
  return vector_f16(row, column);
#elif defined(KEY_BF16)
  return vector_bf16(row, column);
#elif defined(KEY_F8_E4M3)
  return vector_f8_e4m3(row, column);
#else
  return vector_q8_0(row, column);
#endif
}

static inline floats value_vector(global const uchar *row, int kv_head, int chunk) {
  int column = kv_head * VALUE_WIDTH + chunk * VECTOR;
#if VALUE_WIDTH % VECTOR != 0
  GATHERED(value_element, VALUE_WIDTH)
#elif defined(VALUE_F32)
  return vector_f32(row, column);
#elif defined(VALUE_F16)
  return vector_f16(row, column);
#elif defined(VALUE_BF16)
  return vector_bf16(row, column);
#elif defined(VALUE_F8_E4M3)
  return vector_f8_e4m3(row, column);
#else
  return vector_q8_0(row, column);
#endif
}

#endif
