// Weights decoded many at once; what they look like is said in weight_elements.h.
//
// Three ways to read a row, which begins at `row`:
//   weight_at(row, column)           one element, plainly
//   decode_16(row, column)           16 elements from a column that is a multiple of 16
//   decode_pair(block, shared, ...)  the 32 elements that share 16 bytes, or half of those that do: two runs of 16
//                                    columns that are PAIR_DISTANCE apart. A block has PAIRS_PER_BLOCK of them, and
//                                    what they share is read once, by shared_of(block); with codebooks scales alone.
// Types that have no blocks (F32, F16, BF16) are treated as if they had blocks of 32; of a row whose length is no
// multiple of 32 (they may have any), the rest is read with weight_at.

#ifndef WEIGHTS_H
#define WEIGHTS_H

#include "weight_elements.h"

static inline float16 halves_at(global const uchar *at) {
#ifdef HALF_BY_SCALING
  int16 bits = convert_int16(vload16(0, (global const short *)at));
  return as_float16((bits << 13) & (int16)(0x8fffe000)) * (float16)(0x1p112f);
#else
  return vload_half16(0, (global const half *)at);
#endif
}

static inline uchar16 bytes_at(global const uchar *at) {
#if WEIGHT_ALIGNMENT >= 16
  return as_uchar16(*(global const uint4 *)at);
#elif WEIGHT_ALIGNMENT >= 4
  return as_uchar16(vload4(0, (global const uint *)at));
#elif WEIGHT_ALIGNMENT >= 2
  return as_uchar16(vload8(0, (global const ushort *)at));
#else
  return vload16(0, at);
#endif
}

static inline uchar16 low_halves(uchar16 bytes) {
  return bytes & (uchar16)(15);
}

static inline uchar16 high_halves(uchar16 bytes) {
  return bytes >> (uchar16)(4);
}

// Adds bits 0 to 15 of `bits` as the 16 of five-bit numbers. Comparing, not shifting, suits processors with mask registers.
static inline int16 with_fifths(uchar16 q, uint bits) {
  uint16 places = (uint16)(
      0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000);
  return convert_int16(q) | ((((uint16)(bits) & places) != (uint16)(0)) & 16);
}

static inline float16 scaled(int16 q, float scale, float minimum) {
  return fma(convert_float16(q), (float16)(scale), (float16)(minimum));
}

// Where the first of a pair's two runs of columns begins, within the block.
static inline int pair_column(int pair) {
  return pair / (PAIR_DISTANCE / 16) * (2 * PAIR_DISTANCE) + pair % (PAIR_DISTANCE / 16) * 16;
}

// ---- Types without blocks

#if defined(WEIGHT_F32) || defined(WEIGHT_F16) || defined(WEIGHT_BF16)

static inline float16 decode_16(global const uchar *row, int column) {
#if defined(WEIGHT_F32)
  return vload16(0, (global const float *)row + column);
#elif defined(WEIGHT_F16)
  return halves_at(row + 2 * (ulong)column);
#else
  return as_float16(convert_uint16(vload16(0, (global const ushort *)row + column)) << 16);
#endif
}

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  *low = decode_16(block, 0);
  *high = decode_16(block, 16);
}

#endif

// ---- Blocks of 32

#if defined(WEIGHT_Q4_0) || defined(WEIGHT_Q4_1) || defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1)

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  uchar16 bytes = bytes_at(block + HEADER);
#ifdef FIFTHS
  int16 q_low = with_fifths(low_halves(bytes), shared.fifths);
  int16 q_high = with_fifths(high_halves(bytes), shared.fifths >> 16);
#else
  int16 q_low = convert_int16(low_halves(bytes));
  int16 q_high = convert_int16(high_halves(bytes));
#endif
  *low = scaled(q_low, shared.scale, shared.minimum);
  *high = scaled(q_high, shared.scale, shared.minimum);
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  uchar16 bytes = bytes_at(block + HEADER);
  uchar16 q = column & 16 ? high_halves(bytes) : low_halves(bytes);
#ifdef FIFTHS
  return scaled(with_fifths(q, shared.fifths >> (column & 16)), shared.scale, shared.minimum);
#else
  return scaled(convert_int16(q), shared.scale, shared.minimum);
#endif
}

#endif

#ifdef WEIGHT_Q8_0

static inline void decode_pair(global const uchar *block, block_shared scale, int pair, float16 *low, float16 *high) {
  *low = convert_float16(as_char16(bytes_at(block + 2))) * scale;
  *high = convert_float16(as_char16(bytes_at(block + 18))) * scale;
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return convert_float16(as_char16(bytes_at(block + 2 + column % BLOCK))) * half_at(block);
}

#endif

#ifdef WEIGHT_SCALED_F8

static inline float16 eight_bit_floats(uchar16 bytes) {
  int16 magnitude = convert_int16(bytes & (uchar16)(127));
  float16 normal = as_float16((magnitude << 20) + (int16)(120 << 23));
  float16 small = convert_float16(magnitude) * (float16)(0x1p-9f);
  int16 sign = convert_int16(bytes & (uchar16)(128)) << 24;
  return as_float16(as_int16(select(normal, small, magnitude < (int16)(8))) | sign);
}

static inline void decode_pair(global const uchar *block, block_shared scale, int pair, float16 *low, float16 *high) {
  *low = eight_bit_floats(bytes_at(block + 4)) * scale;
  *high = eight_bit_floats(bytes_at(block + 20)) * scale;
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return eight_bit_floats(bytes_at(block + 4 + column % BLOCK)) * shared_of(block);
}

#endif

// ---- Levels of four bits

#ifdef LEVELS

#ifdef WEIGHT_MXFP4

// Twice the floats of four bits: a sign, two bits of exponent and one of mantissa. Not by subnormal floats.
static inline float16 levels_of(uchar16 q) {
  int16 bits = convert_int16(q);
  int16 magnitude = bits & 7;
  float16 normal = as_float16((magnitude << 22) + (127 << 23));
  int16 sign = (bits & 8) << 28;
  return as_float16(as_int16(select(normal, convert_float16(magnitude), magnitude < (int16)(4))) | sign);
}

static inline float16 scaled_levels(uchar16 q, float scale) {
  return levels_of(q) * (float16)(scale);
}

#else

// The levels are the whole numbers next to a polynomial of the fourth degree, 0.442 away at most, and the last sum rounds to
// them, since LARGE is where floats are whole numbers. No table: items of a group each want another place of it, which constant
// memory serves one after the other on many devices, and vectors whose elements are chosen by a variable go through memory.
#define LARGE 0x1.8p23f

static inline float16 large_levels_of(uchar16 q) {
  float16 x = convert_float16(q);
  float16 y = fma(x, (float16)(1.448e-3f), (float16)(0.036273f));
  y = fma(x, y, (float16)(-1.438564f));
  y = fma(x, y, (float16)(24.5006f));
  return fma(x, y, (float16)(LARGE - 127));
}

// Exact, as LARGE times a scale is, and so is a level times it.
static inline float16 scaled_levels(uchar16 q, float scale) {
  return fma(large_levels_of(q), (float16)(scale), (float16)(-LARGE * scale));
}

#endif

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  uchar16 bytes = bytes_at(block + HEADER + 16 * pair);
  float scale = scale_of(shared, pair);
  *low = scaled_levels(low_halves(bytes), scale);
  *high = scaled_levels(high_halves(bytes), scale);
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int sub = column % BLOCK / 32;
  uchar16 bytes = bytes_at(block + HEADER + 16 * sub);
  return scaled_levels(column & 16 ? high_halves(bytes) : low_halves(bytes), scale_of(shared_of(block), sub));
}

#endif

// ---- Blocks of 256

#if defined(WEIGHT_Q2_K) || defined(WEIGHT_Q3_K)

// Of 16 elements from the i-th on. Words are shifted, since few devices shift bytes.
static inline uchar16 quants_of(global const uchar *block, int i) {
  uint4 twos = as_uint4(bytes_at(block + HEADER + i / 128 * 32 + i % 32)) >> (uint4)(i / 32 % 4 * 2);
  uint4 q = twos & (uint4)(0x03030303);
#ifdef WEIGHT_Q3_K
  q |= (as_uint4(bytes_at(block + i % 32)) >> (uint4)(i / 32) & (uint4)(0x01010101)) << 2;
#endif
  return as_uchar16(q);
}

static inline float16 decode_16_of(global const uchar *block, block_shared shared, int i) {
  int16 q = convert_int16(quants_of(block, i));
  return scaled(q, scale_of(block, shared, i / 16), minimum_of(block, shared, i / 16));
}

#endif

#if defined(WEIGHT_Q4_K) || defined(WEIGHT_Q5_K)

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  int sub = pair / 2 * 2;
  uchar16 bytes = bytes_at(block + HEADER + 16 * pair);
  uchar16 q_low = low_halves(bytes);
  uchar16 q_high = high_halves(bytes);
#ifdef FIFTHS
  uchar16 fifths = bytes_at(block + 16 + pair % 2 * 16) >> (uchar16)(sub);
  q_low |= (fifths & (uchar16)(1)) << (uchar16)(4);
  q_high |= (fifths & (uchar16)(2)) << (uchar16)(3);
#endif
  *low = scaled(convert_int16(q_low), scale_of(shared, sub), minimum_of(shared, sub));
  *high = scaled(convert_int16(q_high), scale_of(shared, sub + 1), minimum_of(shared, sub + 1));
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int sub = column % BLOCK / 32;
  uchar16 bytes = bytes_at(block + HEADER + sub / 2 * 32 + column % 32);
  uchar16 q = sub % 2 ? high_halves(bytes) : low_halves(bytes);
#ifdef FIFTHS
  q |= (bytes_at(block + 16 + column % 32) >> (uchar16)(sub) & (uchar16)(1)) << (uchar16)(4);
#endif
  return scaled(convert_int16(q), scale_of(shared, sub), minimum_of(shared, sub));
}

#endif

#ifdef WEIGHT_Q6_K

static inline float16 scaled_6(uchar16 q, float d, uchar sub_scale) {
  float scale = d * (char)sub_scale;
  return scaled(convert_int16(q), scale, -32 * scale);
}

static inline void decode_pair(global const uchar *block, block_shared d, int pair, float16 *low, float16 *high) {
  int part = pair / 4;
  int quarter = pair % 4;
  uchar16 bytes = bytes_at(block + 16 * pair);
  uchar16 bits = bytes_at(block + 128 + 32 * part + quarter % 2 * 16) >> (uchar16)(quarter / 2 * 2);
  uchar16 q_low = low_halves(bytes) | (bits & (uchar16)(3)) << (uchar16)(4);
  uchar16 q_high = high_halves(bytes) | bits & (uchar16)(48);
  global const uchar *sub_scales = block + 192 + 8 * part + quarter;
  *low = scaled_6(q_low, d, sub_scales[0]);
  *high = scaled_6(q_high, d, sub_scales[4]);
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int i = column % BLOCK;
  int part = i / 128;
  int run = i / 32 % 4;
  uchar16 bytes = bytes_at(block + 64 * part + run % 2 * 32 + i % 32);
  uchar16 bits = bytes_at(block + 128 + 32 * part + i % 32) >> (uchar16)(2 * run);
  uchar16 q = (run & 2 ? high_halves(bytes) : low_halves(bytes)) | (bits & (uchar16)(3)) << (uchar16)(4);
  return scaled_6(q, shared_of(block), block[192 + i / 16]);
}

#endif

// ---- Codebooks

#ifdef CODEBOOK

// Of 16 elements from the i-th on, the whole numbers that its scale multiplies.
static inline int16 quants_of(global const uchar *block, int i) {
  uint8 places = (uint8)(0, 1, 2, 3, 4, 5, 6, 7);
  int group = i / 8;
  uint16 packed = (uint16)((uint8)(numbers_of(block, group)), (uint8)(numbers_of(block, group + 1)));
  uint16 numbers = packed >> NUMBER_BITS * (uint16)(places, places) & (uint16)(MOST_NUMBER);
  int16 levels = LEVEL_OF(as_int16(numbers));
#ifdef SHIFTS
  return levels + (int16)((int8)(shift_of(block, group)), (int8)(shift_of(block, group + 1)));
#else
  uint16 signs = (uint16)((uint8)(signs_of(block, group)), (uint8)(signs_of(block, group + 1)));
  // All bits of those that are negative.
  int16 negative = as_int16(signs << (31 - (uint16)(places, places))) >> 31;
  return (levels ^ negative) - negative;
#endif
}

static inline float16 decode_16_of(global const uchar *block, block_shared d, int i) {
  return convert_float16(quants_of(block, i)) * (float16)(scale_of(block, d, i / 16));
}

#endif

// Types of which 16 elements are decoded by themselves.
#if defined(WEIGHT_Q2_K) || defined(WEIGHT_Q3_K) || defined(CODEBOOK)

#define BY_SIXTEENS

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  int i = pair_column(pair);
  *low = decode_16_of(block, shared, i);
  *high = decode_16_of(block, shared, i + PAIR_DISTANCE);
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return decode_16_of(block, shared_of(block), column % BLOCK);
}

#endif

// Pairs of a block, and of the whole blocks of a row: each has 32 columns.
#define PAIRS_PER_BLOCK (BLOCK / 32)
#define PAIRS (COLUMNS / BLOCK * PAIRS_PER_BLOCK)
// Columns from here on are in no block (F32, F16 and BF16 only).
#define BLOCK_COLUMNS (COLUMNS / BLOCK * BLOCK)

#endif
