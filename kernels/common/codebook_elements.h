// Elements of types with codebooks, as weight_elements.h has them of the others. One type is chosen by a define: WEIGHT_IQ2_XXS,
// _IQ2_XS, _IQ2_S, _IQ3_XXS, _IQ3_S, _IQ1_S or _IQ1_M. Blocks have 256 elements in groups of eight:
//
//   IQ2_XXS  half d; 8 x (4 bytes of entries; 4 x 7 signs, a scale of 4 bits)
//   IQ2_XS   half d; 32 x (9 bits of an entry, 7 signs); 16 scales of 4 bits
//   IQ2_S    half d; 32 low bytes of entries; 32 bytes of signs; 32 x 2 high bits; 16 scales of 4 bits
//   IQ3_XXS  half d; 64 bytes of entries; 8 x (4 x 7 signs, a scale of 4 bits)
//   IQ3_S    half d; 64 low bytes of entries; 64 high bits; 32 bytes of signs; 8 scales of 4 bits
//   IQ1_S    half d; 32 low bytes of entries; 8 x (4 x 3 high bits, a scale of 3 bits, a shift)
//   IQ1_M    32 low bytes of entries; 32 x (3 high bits, a shift); 4 x (4 scales of 3 bits, 4 bits of d)
//
// The host puts `codebook`, a constant array of 16 bits for each entry, in front of the source, or, with CODEBOOK_IS_ARGUMENT, who asks
// has it: two bits for each of eight levels, or three for each of four, which are numbers of levels. An element is
// d UNIT (2 scale + 1) quant, and a quant is a level or its negative; IQ1's are eighths, 8 (number - 1) plus or minus 1. All of it fits
// in float32, in any order. CUDA has these types in tiles alone.

#ifndef CODEBOOK_ELEMENTS_H
#define CODEBOOK_ELEMENTS_H

#if defined(WEIGHT_IQ2_XXS)
#define BLOCK_BYTES 66
#elif defined(WEIGHT_IQ2_XS)
#define BLOCK_BYTES 74
#elif defined(WEIGHT_IQ2_S)
#define BLOCK_BYTES 82
#elif defined(WEIGHT_IQ3_XXS)
#define BLOCK_BYTES 98
#elif defined(WEIGHT_IQ3_S)
#define BLOCK_BYTES 110
#elif defined(WEIGHT_IQ1_S)
#define BLOCK_BYTES 50
#elif defined(WEIGHT_IQ1_M)
#define BLOCK_BYTES 56
#endif

// LEVEL_OF is for numbers and vectors of them.
#if defined(WEIGHT_IQ2_XXS) || defined(WEIGHT_IQ2_XS) || defined(WEIGHT_IQ2_S)
#define NUMBER_BITS 2
#define UNIT 0.125f
// 8, 25, 43.
#define LEVEL_OF(number) (8 + 17 * (number) + ((number) >> 1))
#elif defined(WEIGHT_IQ3_XXS)
#define NUMBER_BITS 3
#define UNIT 0.5f
// 2, 6, 10, 14, 18, 22, 26, 31.
#define LEVEL_OF(number) (2 + 4 * (number) + (((number) + 1) >> 3))
#elif defined(WEIGHT_IQ3_S)
#define NUMBER_BITS 3
#define UNIT 1.0f
#define LEVEL_OF(number) (1 + 2 * (number))
#elif defined(WEIGHT_IQ1_S) || defined(WEIGHT_IQ1_M)
#define NUMBER_BITS 2
#define UNIT 0.125f
#define LEVEL_OF(number) (8 * (number) - 8)
#define SHIFTS
#endif

#ifdef NUMBER_BITS

#define CODEBOOK
#define BLOCK 256
#define MOST_NUMBER ((1 << NUMBER_BITS) - 1)
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// Columns that share a scale.
#if defined(WEIGHT_IQ2_XS) || defined(WEIGHT_IQ2_S) || defined(WEIGHT_IQ1_M)
#define SCALE_COLUMNS 16
#define PAIR_DISTANCE 32
#else
#define SCALE_COLUMNS 32
#define PAIR_DISTANCE 16
#endif

static inline uint ushort_at(GLOBAL const uchar *at) {
  return *(GLOBAL const ushort *)at;
}

static inline uint nibble_at(GLOBAL const uchar *bytes, int number) {
  return bytes[number / 2] >> number % 2 * 4 & 15;
}

// Seven signs, and the eighth that makes an even number of them negative. Higher bits are others'.
static inline uint even_signs(uint signs) {
  uint seven = signs & 127;
  return seven | (popcount(seven) & 1) << 7;
}

#ifdef CODEBOOK_IS_ARGUMENT
#define AND_CODEBOOK , const ushort *codebook
#else
#define AND_CODEBOOK
#endif

// Of each type:
//   scale_bits(block, sub)     of elements 16 sub to 16 sub + 15
//   numbers_of(block, group)   NUMBER_BITS for each of eight levels
//   signs_of(block, group)     a bit for each of eight elements; or
//   shift_of(block, group)     with SHIFTS: what is added to all eight levels

#if defined(WEIGHT_IQ2_XXS)

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return uint_at(block + 6 + 8 * (sub / 2)) >> 28;
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  return codebook[block[2 + group / 4 * 8 + group % 4]];
}

static inline uint signs_of(GLOBAL const uchar *block, int group) {
  return even_signs(uint_at(block + 6 + group / 4 * 8) >> 7 * (group % 4));
}

#elif defined(WEIGHT_IQ2_XS)

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return nibble_at(block + 66, sub);
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  return codebook[ushort_at(block + 2 + 2 * group) & 511];
}

static inline uint signs_of(GLOBAL const uchar *block, int group) {
  return even_signs(ushort_at(block + 2 + 2 * group) >> 9);
}

#elif defined(WEIGHT_IQ2_S)

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return nibble_at(block + 74, sub);
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  int high = block[66 + group / 4] >> group % 4 * 2 & 3;
  return codebook[block[2 + group] | high << 8];
}

static inline uint signs_of(GLOBAL const uchar *block, int group) {
  return block[34 + group];
}

#elif defined(WEIGHT_IQ3_XXS)

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return uint_at(block + 66 + sub / 2 * 4) >> 28;
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  uint entries = ushort_at(block + 2 + 2 * group);
  return codebook[entries & 255] | (uint)codebook[entries >> 8] << 12;
}

static inline uint signs_of(GLOBAL const uchar *block, int group) {
  return even_signs(uint_at(block + 66 + group / 4 * 4) >> 7 * (group % 4));
}

#elif defined(WEIGHT_IQ3_S)

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return nibble_at(block + 106, sub / 2);
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  uint entries = ushort_at(block + 2 + 2 * group);
  uint highs = block[66 + group / 4] >> group % 4 * 2;
  return codebook[entries & 255 | (highs & 1) << 8] | (uint)codebook[entries >> 8 | (highs & 2) << 7] << 12;
}

static inline uint signs_of(GLOBAL const uchar *block, int group) {
  return block[74 + group];
}

#elif defined(WEIGHT_IQ1_S)

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return ushort_at(block + 34 + sub / 2 * 2) >> 12 & 7;
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  uint highs = ushort_at(block + 34 + group / 4 * 2);
  return codebook[block[2 + group] | (highs >> 3 * (group % 4) & 7) << 8];
}

static inline int shift_of(GLOBAL const uchar *block, int group) {
  return ushort_at(block + 34 + group / 4 * 2) >> 15 ? -1 : 1;
}

#else

static inline uint scale_bits(GLOBAL const uchar *block, int sub) {
  return ushort_at(block + 48 + sub / 4 * 2) >> 3 * (sub % 4) & 7;
}

static inline uint numbers_of(GLOBAL const uchar *block, int group AND_CODEBOOK) {
  return codebook[block[group] | (nibble_at(block + 32, group) & 7) << 8];
}

static inline int shift_of(GLOBAL const uchar *block, int group) {
  return nibble_at(block + 32, group) > 7 ? -1 : 1;
}

#endif

typedef float block_shared;

// The bits of d.
static inline ushort d_bits(GLOBAL const uchar *block) {
#ifdef WEIGHT_IQ1_M
  ushort bits = 0;
  for (int i = 0; i < 4; i++) {
    bits |= ushort_at(block + 48 + 2 * i) >> 12 << 4 * i;
  }
  return bits;
#else
  return ushort_at(block);
#endif
}

static inline block_shared shared_of(GLOBAL const uchar *block) {
  return float_of_half(d_bits(block)) * UNIT;
}

static inline float scale_of(GLOBAL const uchar *block, block_shared d, int sub) {
  return d * (int)(2 * scale_bits(block, sub) + 1);
}

#ifndef CODEBOOK_IS_ARGUMENT
static inline float weight_at(GLOBAL const uchar *row, int column) {
  GLOBAL const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int group = column % BLOCK / 8;
  int number = numbers_of(block, group) >> NUMBER_BITS * (column % 8) & MOST_NUMBER;
  int quant = LEVEL_OF(number);
#ifdef SHIFTS
  quant += shift_of(block, group);
#else
  quant = signs_of(block, group) >> column % 8 & 1 ? -quant : quant;
#endif
  return scale_of(block, shared_of(block), group / 2) * quant;
}
#endif

#endif

#endif
