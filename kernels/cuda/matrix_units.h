// What tensor cores multiply, a warp at a time: 16 rows of weights (A, in registers) with 8 columns of activations (B), 16 numbers
// deep, added up in float32. Lane l is of row group g = l / 4 and of place t = l % 4:
//   A  four pairs: rows g, g + 8, g, g + 8 of columns 2t, 2t + 1 (the first two) and 2t + 8, 2t + 9
//   B  two pairs: of column g, numbers 2t, 2t + 1 and 2t + 8, 2t + 9
//   C  four sums: row g of columns 2t, 2t + 1, then row g + 8 of the same

#ifndef MATRIX_UNITS_H
#define MATRIX_UNITS_H

#include "dialect.h"

typedef struct {
  uint pair[4];
} a_fragment;

typedef float c_fragment[4];

static inline void multiply_halves(c_fragment &c, const a_fragment &a, uint2 b) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.pair[0]), "r"(a.pair[1]), "r"(a.pair[2]), "r"(a.pair[3]), "r"(b.x), "r"(b.y));
#else
  asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.pair[0]), "r"(a.pair[1]), "r"(b.x));
  asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.pair[2]), "r"(a.pair[3]), "r"(b.y));
#endif
}

static inline void multiply_bfloats(c_fragment &c, const a_fragment &a, uint2 b) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.pair[0]), "r"(a.pair[1]), "r"(a.pair[2]), "r"(a.pair[3]), "r"(b.x), "r"(b.y));
#endif
}

// ---- Pairs of halves: .x is the lower 16 bits

static inline uint halves_of(float x, float y) {
  uint pair;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(y), "f"(x));
#else
  ushort low, high;
  vstore_half_rte(x, 0, &low);
  vstore_half_rte(y, 0, &high);
  pair = low | (uint)high << 16;
#endif
  return pair;
}

static inline float low_half(uint pair) {
  half bits = (half)pair;
  return vload_half(0, &bits);
}

static inline float high_half(uint pair) { return low_half(pair >> 16); }

static inline uint add_halves(uint a, uint b) {
  uint sum;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
}

static inline uint multiplied_halves(uint a, uint b) {
  uint product;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
  return product;
}

static inline uint fma_halves(uint a, uint b, uint c) {
  uint sum;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
  return sum;
}

// The power of two that brings numbers of at most this size to below 2^(exponent + 1), and its inverse. What is smaller than float32's
// normal numbers stays small.
static inline float power_of_two_to(int exponent, float most, float &inverse) {
  int up = clamp(exponent - ((int)(as_uint(most) >> 23 & 255) - 127), -100, 100);
  inverse = as_float((uint)(127 - up) << 23);
  return as_float((uint)(127 + up) << 23);
}

// To below 2^10, where sums of 16 numbers are halves, too.
#define ACTIVATION_EXPONENT 9

// To the upper half of what halves hold.
#define QUERY_EXPONENT 13

static inline uint bfloat_of(float x) {
  uint bits = as_uint(x);
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static inline uint bfloats_of(float x, float y) { return bfloat_of(x) | bfloat_of(y) << 16; }
static inline float low_bfloat(uint pair) { return as_float(pair << 16); }
static inline float high_bfloat(uint pair) { return as_float(pair & 0xffff0000); }

// Four 8 x 8 matrices of halves in shared memory; lane l tells where row l % 8 of matrix l / 8 is.
static inline uint4 load_matrices(const uchar *row) {
  uint4 v;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "r"((uint)__cvta_generic_to_shared(row))
               : "memory");
  return v;
}

#endif
