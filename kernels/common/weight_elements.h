// How weights lie in memory (the blocks of GGUF and one of our own, SCALED_F8), and single elements as float32. One type is chosen
// by a define: WEIGHT_F32, _F16, _BF16, _Q4_0, _Q4_1, _Q5_0, _Q5_1, _Q8_0, _SCALED_F8, _IQ4_NL, _MXFP4, _Q2_K, _Q3_K, _Q4_K, _Q5_K,
// _Q6_K, _IQ4_XS or one of those with codebooks (codebook_elements.h).
// COLUMNS is the length of a row, which begins at `row`, has ROW_BYTES bytes and, but for the first three, blocks of BLOCK elements
// and BLOCK_BYTES bytes.
//
//   Q4_0  half d; 16 bytes                       x = d (q - 8)     blocks of 32 elements: byte i holds
//   Q4_1  half d, m; 16 bytes                    x = d q + m       element i in its low and i + 16 in
//   Q5_0  half d; 32 fifth bits; 16 bytes        x = d (q - 16)    its high half
//   Q5_1  half d, m; 32 fifth bits; 16 bytes     x = d q + m
//   Q8_0  half d; 32 signed bytes                x = d q
//   SCALED_F8  float d; 32 bytes of E4M3         x = d e4m3(q)
//   IQ4_NL  half d; 16 bytes                     x = d level[q]
//   MXFP4   byte e; 16 bytes                     x = 2^(e - 128) level[q]
//   Q2_K  16 scales and minima of 4 bits; 64 bytes of 2 bits; half d, dmin                  blocks of 256
//   Q3_K  32 bytes of third bits; 64 bytes of 2 bits; 16 scales of 6 bits in 12 bytes; half d
//   Q4_K  half d, dmin; 8 scales and minima of 6 bits in 12 bytes; 128 bytes of 4 bits
//   Q5_K  as Q4_K, with 32 bytes of fifth bits before the 128
//   Q6_K  128 bytes of low 4 bits; 64 bytes of high 2 bits; 16 signed byte scales; half d
//   IQ4_XS  half d; 8 scales of 6 bits in 2 + 4 bytes; 8 times 16 bytes as IQ4_NL has
//
// Every block begins at an even address, but for MXFP4's, so the widest load that is always allowed is 16 bits. Where the host
// knows that rows begin at multiples of 4 or 16 (Q4_1, Q5_1, Q4_K, Q5_K and most matrices of the others can't
// have more than their block's size allows), WEIGHT_ALIGNMENT says so and loads get wider.

#ifndef WEIGHT_ELEMENTS_H
#define WEIGHT_ELEMENTS_H

#include "dialect.h"
#include "eight_bit_floats.h"

#ifndef WEIGHT_ALIGNMENT
#ifdef WEIGHT_MXFP4
#define WEIGHT_ALIGNMENT 1
#else
#define WEIGHT_ALIGNMENT 2
#endif
#endif

// Sixteen bits, or those at an even address, as a float. HALF_BY_SCALING is for devices without an instruction for it, where
// float32 has subnormals: the bits are moved to where float32 has them and the exponent's bias is corrected by
// a product, which is exact. (Infinities and NaNs, which weights don't have, become large numbers.)
static inline float float_of_half(ushort bits) {
#ifdef HALF_BY_SCALING
  return as_float(((int)(short)bits << 13) & 0x8fffe000) * 0x1p112f;
#else
  return vload_half(0, (const half *)&bits);
#endif
}

static inline float half_at(GLOBAL const uchar *at) {
#ifdef HALF_BY_SCALING
  return float_of_half(*(GLOBAL const ushort *)at);
#else
  return vload_half(0, (GLOBAL const half *)at);
#endif
}

static inline uint uint_at(GLOBAL const uchar *at) {
#if WEIGHT_ALIGNMENT >= 4
  return *(GLOBAL const uint *)at;
#else
  return UINT_OF_TWO((GLOBAL const ushort *)at);
#endif
}

// ---- Types without blocks

#if defined(WEIGHT_F32) || defined(WEIGHT_F16) || defined(WEIGHT_BF16)

#define BLOCK 32
#define PAIR_DISTANCE 16
#ifdef WEIGHT_F32
#define ELEMENT_BYTES 4
#else
#define ELEMENT_BYTES 2
#endif
#define BLOCK_BYTES (BLOCK * ELEMENT_BYTES)
#define ROW_BYTES ((ulong)COLUMNS * ELEMENT_BYTES)

typedef int block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  return 0;
}

static inline float weight_at(GLOBAL const uchar *row, int column) {
#if defined(WEIGHT_F32)
  return ((GLOBAL const float *)row)[column];
#elif defined(WEIGHT_F16)
  return half_at(row + 2 * (ulong)column);
#else
  return as_float((uint)((GLOBAL const ushort *)row)[column] << 16);
#endif
}

#endif

// ---- Blocks of 32

#if defined(WEIGHT_Q4_0) || defined(WEIGHT_Q4_1) || defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1)

#define BLOCK 32
#define PAIR_DISTANCE 16
#if defined(WEIGHT_Q4_0)
#define HEADER 2
#define ZERO 8
#elif defined(WEIGHT_Q4_1)
#define HEADER 4
#elif defined(WEIGHT_Q5_0)
#define HEADER 6
#define ZERO 16
#else
#define HEADER 8
#endif
#if defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1)
#define FIFTHS
#endif
#define BLOCK_BYTES (HEADER + 16)
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

typedef struct {
  float scale;
  float minimum;
  uint fifths;
} block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  block_shared shared;
  shared.scale = half_at(block);
#ifdef ZERO
  shared.minimum = -ZERO * shared.scale;
#else
  shared.minimum = half_at(block + 2);
#endif
#ifdef FIFTHS
  shared.fifths = uint_at(block + HEADER - 4);
#else
  shared.fifths = 0;
#endif
  return shared;
}

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int i = column % BLOCK;
  int q = block[HEADER + i % 16] >> i / 16 * 4 & 15 | (shared.fifths >> i & 1) << 4;
  return shared.scale * q + shared.minimum;
}

#endif

#ifdef WEIGHT_Q8_0

#define BLOCK 32
#define PAIR_DISTANCE 16
#define BLOCK_BYTES 34
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

typedef float block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  return half_at(block);
}

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return half_at(block) * as_char(block[2 + column % BLOCK]);
}

#endif

#ifdef WEIGHT_SCALED_F8

#define BLOCK 32
#define PAIR_DISTANCE 16
#define BLOCK_BYTES 36
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

typedef float block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  return as_float(uint_at(block));
}

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return shared_of(block) * eight_bit_float(block[4 + column % BLOCK]);
}

#endif

// ---- Levels of four bits, in blocks of 32 or 256

#if defined(WEIGHT_IQ4_NL) || defined(WEIGHT_MXFP4) || defined(WEIGHT_IQ4_XS)

#define LEVELS
#define PAIR_DISTANCE 16
#ifdef WEIGHT_IQ4_NL
#define BLOCK 32
#define HEADER 2
#elif defined(WEIGHT_MXFP4)
#define BLOCK 32
#define HEADER 1
#else
#define BLOCK 256
#define HEADER 8
#endif
#define BLOCK_BYTES (HEADER + BLOCK / 2)
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// What four bits stand for, a byte each, the first in the lowest: -127 -104 -83 -65 -49 -35 -22 -10, 1 13 25 38 53 69 89 113,
// or twice the floats of four bits, 0 1 2 3 4 6 8 12 and the same negative.
#ifdef WEIGHT_MXFP4
#define FIRST_LEVELS 0x0c08060403020100UL
#define OTHER_LEVELS 0xf4f8fafcfdfeff00UL
#else
#define FIRST_LEVELS 0xf6eaddcfbfad9881UL
#define OTHER_LEVELS 0x7159453526190d01UL
#endif

static inline int level_of(int q) {
  return as_char((uchar)((q < 8 ? FIRST_LEVELS : OTHER_LEVELS) >> 8 * (q % 8)));
}

#ifdef WEIGHT_IQ4_XS

typedef struct {
  float d;
  uint low;
  uint high;
} block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  block_shared shared = {half_at(block), uint_at(block + 4), *(GLOBAL const ushort *)(block + 2)};
  return shared;
}

// Of 32 elements, whose six bits are four of `low` and two of `high`.
static inline float scale_of(block_shared shared, int sub) {
  int bits = shared.low >> 4 * sub & 15 | (shared.high >> 2 * sub & 3) << 4;
  return shared.d * (bits - 32);
}

#else

typedef float block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
#ifdef WEIGHT_IQ4_NL
  return half_at(block);
#else
  // Half of 2^(e - 127), since levels are doubled: the smallest two are subnormal.
  uint e = *block;
  return as_float(e < 2 ? 0x200000u << e : (e - 1) << 23);
#endif
}

static inline float scale_of(block_shared scale, int sub) {
  return scale;
}

#endif

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int sub = column % BLOCK / 32;
  int i = column % 32;
  return scale_of(shared_of(block), sub) * level_of(block[HEADER + 16 * sub + i % 16] >> i / 16 * 4 & 15);
}

#endif

// ---- Blocks of 256

#if defined(WEIGHT_Q2_K) || defined(WEIGHT_Q3_K)

#define BLOCK 256
#define PAIR_DISTANCE 32
#ifdef WEIGHT_Q2_K
#define HEADER 16
#define BLOCK_BYTES 84
#else
#define HEADER 32
#define BLOCK_BYTES 110
#endif
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// Each half of 128 elements has four runs of 32, whose two bits share 32 bytes. All eight runs' third bits share 32 bytes.

#ifdef WEIGHT_Q2_K

typedef struct {
  float d;
  float dmin;
} block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  block_shared shared = {half_at(block + 80), -half_at(block + 82)};
  return shared;
}

// Of 16 elements.
static inline float scale_of(GLOBAL const uchar *block, block_shared shared, int sub) {
  return shared.d * (block[sub] & 15);
}

static inline float minimum_of(GLOBAL const uchar *block, block_shared shared, int sub) {
  return shared.dmin * (block[sub] >> 4);
}

#else

#define ZERO 4

typedef float block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  return half_at(block + 108);
}

// Of 16 elements. Four bits are in the low halves of 8 bytes, then in their high ones; two are in 4 bytes more.
static inline float scale_of(GLOBAL const uchar *block, block_shared d, int sub) {
  int low = block[96 + sub % 8] >> sub / 8 * 4 & 15;
  int high = block[104 + sub % 4] >> sub / 4 * 2 & 3;
  return d * ((low | high << 4) - 32);
}

static inline float minimum_of(GLOBAL const uchar *block, block_shared d, int sub) {
  return -ZERO * scale_of(block, d, sub);
}

#endif

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int i = column % BLOCK;
  int q = block[HEADER + i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
#ifdef WEIGHT_Q3_K
  q |= (block[i % 32] >> i / 32 & 1) << 2;
#endif
  return scale_of(block, shared, i / 16) * q + minimum_of(block, shared, i / 16);
}

#endif

#if defined(WEIGHT_Q4_K) || defined(WEIGHT_Q5_K)

#define BLOCK 256
#define PAIR_DISTANCE 32
#ifdef WEIGHT_Q4_K
#define HEADER 16
#else
#define HEADER 48
#define FIFTHS
#endif
#define BLOCK_BYTES (HEADER + 128)
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// Scales and minima of the eight sub-blocks. Who decodes whole blocks (WHOLE_BLOCKS) makes all of them floats at once;
// others need two of them, and keep a byte of `scales` and `minima` for each, to be multiplied by d and dmin.
#ifdef WHOLE_BLOCKS
typedef struct {
  float8 scales;
  float8 minima;
} block_shared;
#else
typedef struct {
  float d;
  float dmin;
  ulong scales;
  ulong minima;
} block_shared;
#endif

// Sub-blocks 0 to 3 have their six bits in the low bits of a byte of their own; the others have four bits in
// the last four bytes and two in the highest bits of the others' bytes.
static inline block_shared shared_of(GLOBAL const uchar *block) {
  float d = half_at(block);
  float dmin = -half_at(block + 2);
  uint first = uint_at(block + 4);
  uint middle = uint_at(block + 8);
  uint last = uint_at(block + 12);
  uint scales_high = last & 0x0f0f0f0f | first >> 2 & 0x30303030;
  uint minima_high = last >> 4 & 0x0f0f0f0f | middle >> 2 & 0x30303030;
  ulong scales = (ulong)scales_high << 32 | first & 0x3f3f3f3f;
  ulong minima = (ulong)minima_high << 32 | middle & 0x3f3f3f3f;
#ifdef WHOLE_BLOCKS
  block_shared shared = {convert_float8(as_uchar8(scales)) * d, convert_float8(as_uchar8(minima)) * dmin};
#else
  block_shared shared = {d, dmin, scales, minima};
#endif
  return shared;
}

static inline float scale_of(block_shared shared, int sub) {
#ifdef WHOLE_BLOCKS
  return ((float *)&shared.scales)[sub];
#else
  return shared.d * (int)(shared.scales >> 8 * sub & 255);
#endif
}

static inline float minimum_of(block_shared shared, int sub) {
#ifdef WHOLE_BLOCKS
  return ((float *)&shared.minima)[sub];
#else
  return shared.dmin * (int)(shared.minima >> 8 * sub & 255);
#endif
}

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int sub = column % BLOCK / 32;
  int q = block[HEADER + sub / 2 * 32 + column % 32] >> sub % 2 * 4 & 15;
#ifdef FIFTHS
  q |= (block[16 + column % 32] >> sub & 1) << 4;
#endif
  return scale_of(shared, sub) * q + minimum_of(shared, sub);
}

#endif

#ifdef WEIGHT_Q6_K

#define BLOCK 256
#define PAIR_DISTANCE 64
#define BLOCK_BYTES 210
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// Each half of 128 elements has four runs of 32: the low four bits of runs r and r + 2 share 32 bytes, and the
// high two bits of all four share 32 bytes.

typedef float block_shared;

static inline block_shared shared_of(GLOBAL const uchar *block) {
  return half_at(block + 208);
}

static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int i = column % BLOCK;
  int part = i / 128;
  int run = i / 32 % 4;
  int low = block[64 * part + run % 2 * 32 + i % 32] >> run / 2 * 4 & 15;
  int high = block[128 + 32 * part + i % 32] >> 2 * run & 3;
  return shared_of(block) * as_char(block[192 + i / 16]) * ((low | high << 4) - 32);
}

#endif

// ---- Codebooks

#include "codebook_elements.h"

#endif
