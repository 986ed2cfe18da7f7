// What repack reads of blocks: quants, or numbers of levels (levels.h), and scales. Most types lie as weight_elements.h says; others that only tiles know:
//
//   NVFP4    4 scales, E4M3; 4 x 8 bytes, each element i and i + 8 of 16
//   TQ1_0    32 + 16 + 4 bytes, each a fraction whose digits to base three are 5 or 4 elements, byte i those from i on, as many apart as there are
//            bytes; half d                                                  TQ2_0  64 bytes of 2 bits; half d
//   IQ2_XXS  half d; 8 x (4 bytes of entries; 4 x 7 signs, a scale of 4 bits)
//   IQ2_XS   half d; 32 x (9 bits of an entry, 7 signs); 16 scales of 4 bits
//   IQ2_S    half d; 32 low bytes of entries; 32 bytes of signs; 32 x 2 high bits; 16 scales of 4 bits
//   IQ3_XXS  half d; 64 bytes of entries; 8 x (4 x 7 signs, a scale of 4 bits)
//   IQ3_S    half d; 64 low bytes of entries; 64 high bits; 32 bytes of signs; 8 scales of 4 bits
//   IQ1_S    half d; 32 low bytes of entries; 8 x (4 x 3 high bits, a scale of 3 bits, a sign)
//   IQ1_M    32 low bytes of entries; 32 x (3 high bits, a sign); 4 x (4 scales of 3 bits, 4 bits of d)
//
// An entry is two bytes of CODEBOOK: two bits for each of eight levels, or three for each of four; the sign, or what IQ1 has instead, becomes the fourth
// bit of a level's number. Where there are seven signs, an eighth makes their number even.
//
// Defines BLOCK, BLOCK_BYTES, ROW_BYTES, BITS (of a quant; 16 without blocks), MINIMUM (where small blocks have one), SIXTEENS (tiles of sixteens.h) with
// HAS_D, ENTRIES (where a type's entries begin, if it has some), and
//   stored_quant(block, i)     the bits of element i
//   scale_byte(block, sub)     with SIXTEENS: what tiles have for elements 16 sub to 16 sub + 15
//   d_bits(block), dmin_bits   halves

#ifndef STORED_QUANTS_H
#define STORED_QUANTS_H

#include "dialect.h"

#if defined(WEIGHT_NVFP4)
#define BLOCK 64
#define BLOCK_BYTES 36
#elif defined(WEIGHT_TQ1_0)
#define BLOCK 256
#define BLOCK_BYTES 54
#elif defined(WEIGHT_TQ2_0)
#define BLOCK 256
#define BLOCK_BYTES 66
#elif defined(WEIGHT_IQ2_XXS)
#define BLOCK_BYTES 66
#define ENTRIES 0
#elif defined(WEIGHT_IQ2_XS)
#define BLOCK_BYTES 74
#define ENTRIES 256
#elif defined(WEIGHT_IQ2_S)
#define BLOCK_BYTES 82
#define ENTRIES 768
#elif defined(WEIGHT_IQ3_XXS)
#define BLOCK_BYTES 98
#define ENTRIES 1792
#elif defined(WEIGHT_IQ3_S)
#define BLOCK_BYTES 110
#define ENTRIES 2048
#elif defined(WEIGHT_IQ1_S)
#define BLOCK_BYTES 50
#define ENTRIES 2560
#elif defined(WEIGHT_IQ1_M)
#define BLOCK_BYTES 56
#define ENTRIES 2560
#endif
#ifdef ENTRIES
#define BLOCK 256
#endif
#ifdef BLOCK
#define ROW_BYTES ((size_t)(COLUMNS / BLOCK) * BLOCK_BYTES)
#else
#include "weight_elements.h"
#endif

#if defined(WEIGHT_F16) || defined(WEIGHT_BF16)
#define BITS 16
#elif defined(WEIGHT_Q8_0) || defined(WEIGHT_SCALED_F8)
#define BITS 8
#elif defined(WEIGHT_Q6_K)
#define BITS 6
#elif defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1) || defined(WEIGHT_Q5_K)
#define BITS 5
#elif defined(WEIGHT_Q3_K)
#define BITS 3
#elif defined(WEIGHT_Q2_K) || defined(WEIGHT_TQ1_0) || defined(WEIGHT_TQ2_0)
#define BITS 2
#else
#define BITS 4
#endif
#if defined(WEIGHT_Q4_1) || defined(WEIGHT_Q5_1)
#define MINIMUM
#endif
#if BLOCK != 32 && !defined(WEIGHT_Q4_K) && !defined(WEIGHT_Q5_K)
#define SIXTEENS
#ifndef WEIGHT_NVFP4
#define HAS_D
#endif
#endif

// Blocks begin at even addresses, but for MXFP4's.
static inline uint two_bytes(const uchar *at) { return *(const ushort *)at; }
static inline uint four_bytes(const uchar *at) { return two_bytes(at) | two_bytes(at + 2) << 16; }

// Two bits of four runs of 32 elements in 32 bytes.
static inline uint run_bits(const uchar *bytes, int i) { return bytes[32 * (i / 128) + i % 32] >> 2 * (i / 32 % 4) & 3; }

static inline uint nibble_at(const uchar *bytes, int number) { return bytes[number / 2] >> 4 * (number % 2) & 15; }

#ifdef ENTRIES
// A sign of seven, or the eighth.
static inline uint even_sign(uint seven, int i) { return i < 7 ? seven >> i & 1 : __popc(seven & 127) & 1; }

// Number i of an entry of eight, or of four.
static inline uint number_of_eight(const ushort *codebook, uint entry, int i) { return codebook[ENTRIES + entry] >> 2 * i & 3; }
static inline uint number_of_four(const ushort *codebook, uint entry, int i) { return codebook[ENTRIES + entry] >> 3 * i & 7; }
#endif

#if defined(WEIGHT_Q8_0)

// With the sign bit flipped, so that 128 is zero.
static inline uint stored_quant(const uchar *block, int i) { return block[2 + i] ^ 128; }
static inline uint d_bits(const uchar *block) { return two_bytes(block); }

#elif defined(WEIGHT_SCALED_F8)

static inline uint stored_quant(const uchar *block, int i) { return block[4 + i]; }

#elif defined(WEIGHT_Q2_K)

static inline uint stored_quant(const uchar *block, int i) { return run_bits(block + HEADER, i); }
static inline uint scale_byte(const uchar *block, int sub) { return block[sub]; }
static inline uint d_bits(const uchar *block) { return two_bytes(block + 80); }
static inline uint dmin_bits(const uchar *block) { return two_bytes(block + 82); }

#elif defined(WEIGHT_Q3_K)

static inline uint stored_quant(const uchar *block, int i) { return run_bits(block + HEADER, i) | (block[i % 32] >> i / 32 & 1) << 2; }
static inline uint scale_byte(const uchar *block, int sub) {
  uint low = block[96 + sub % 8] >> 4 * (sub / 8) & 15, high = block[104 + sub % 4] >> 2 * (sub / 4) & 3;
  return (low | high << 4) - 32 + 128;
}
static inline uint d_bits(const uchar *block) { return two_bytes(block + 108); }

#elif defined(WEIGHT_Q6_K)

static inline uint stored_quant(const uchar *block, int i) {
  int part = i / 128, run = i / 32 % 4;
  uint low = block[64 * part + run % 2 * 32 + i % 32] >> run / 2 * 4 & 15;
  return low | (block[128 + 32 * part + i % 32] >> 2 * run & 3) << 4;
}
static inline uint scale_byte(const uchar *block, int sub) { return block[192 + sub] ^ 128; }
static inline uint d_bits(const uchar *block) { return two_bytes(block + 208); }

#elif defined(WEIGHT_Q4_K) || defined(WEIGHT_Q5_K)

static inline uint stored_quant(const uchar *block, int i) {
  int sub = i / 32;
  uint q = block[HEADER + sub / 2 * 32 + i % 32] >> sub % 2 * 4 & 15;
#ifdef FIFTHS
  q |= (block[16 + i % 32] >> sub & 1) << 4;
#endif
  return q;
}

#elif defined(WEIGHT_NVFP4)

static inline uint stored_quant(const uchar *block, int i) { return block[4 + i / 16 * 8 + i % 8] >> i % 16 / 8 * 4 & 15; }
// One that is no number is zero.
static inline uint scale_byte(const uchar *block, int sub) {
  uint scale = block[sub] & 127;
  return scale == 127 ? 0 : scale;
}

#elif defined(WEIGHT_TQ1_0) || defined(WEIGHT_TQ2_0)

// d q - d, as of Q2_K.
#ifdef WEIGHT_TQ1_0
static inline uint stored_quant(const uchar *block, int i) {
  uint fraction;
  int digit;
  if (i < 160) {
    fraction = block[i % 32];
    digit = i / 32;
  } else if (i < 240) {
    fraction = block[32 + i % 16];
    digit = (i - 160) / 16;
  } else {
    fraction = block[48 + i % 4];
    digit = (i - 240) / 4;
  }
  for (int n = 0; n < digit; n++) {
    fraction = fraction * 3 & 255;
  }
  return fraction * 3 >> 8;
}
#else
static inline uint stored_quant(const uchar *block, int i) { return run_bits(block, i); }
#endif
static inline uint scale_byte(const uchar *block, int sub) { return 0x11; }
static inline uint d_bits(const uchar *block) { return two_bytes(block + BLOCK_BYTES - 2); }
static inline uint dmin_bits(const uchar *block) { return d_bits(block); }

#elif defined(WEIGHT_IQ2_XXS)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  const uchar *pair = block + 2 + 8 * (i / 32);
  int group = i / 8 % 4;
  return number_of_eight(codebook, pair[group], i % 8) | even_sign(four_bytes(pair + 4) >> 7 * group, i % 8) << 3;
}
static inline uint scale_number(const uchar *block, int sub) { return four_bytes(block + 6 + 8 * (sub / 2)) >> 28; }

#elif defined(WEIGHT_IQ2_XS)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  uint packed = two_bytes(block + 2 + 2 * (i / 8));
  return number_of_eight(codebook, packed & 511, i % 8) | even_sign(packed >> 9, i % 8) << 3;
}
static inline uint scale_number(const uchar *block, int sub) { return nibble_at(block + 66, sub); }

#elif defined(WEIGHT_IQ2_S)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  int group = i / 8;
  uint entry = block[2 + group] | (block[66 + group / 4] >> 2 * (group % 4) & 3) << 8;
  return number_of_eight(codebook, entry, i % 8) | (block[34 + group] >> i % 8 & 1) << 3;
}
static inline uint scale_number(const uchar *block, int sub) { return nibble_at(block + 74, sub); }

#elif defined(WEIGHT_IQ3_XXS)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  uint signs = four_bytes(block + 66 + 4 * (i / 32)) >> 7 * (i / 8 % 4);
  return number_of_four(codebook, block[2 + i / 4], i % 4) | even_sign(signs, i % 8) << 3;
}
static inline uint scale_number(const uchar *block, int sub) { return four_bytes(block + 66 + 4 * (sub / 2)) >> 28; }

#elif defined(WEIGHT_IQ3_S)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  int four = i / 4;
  uint entry = block[2 + four] | (block[66 + four / 8] >> four % 8 & 1) << 8;
  return number_of_four(codebook, entry, i % 4) | (block[74 + i / 8] >> i % 8 & 1) << 3;
}
static inline uint scale_number(const uchar *block, int sub) { return nibble_at(block + 106, sub / 2); }

#elif defined(WEIGHT_IQ1_S)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  uint highs = two_bytes(block + 34 + 2 * (i / 32));
  uint entry = block[2 + i / 8] | (highs >> 3 * (i / 8 % 4) & 7) << 8;
  return number_of_eight(codebook, entry, i % 8) | highs >> 15 << 3;
}
static inline uint scale_number(const uchar *block, int sub) { return two_bytes(block + 34 + 2 * (sub / 2)) >> 12 & 7; }

#elif defined(WEIGHT_IQ1_M)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  uint high = nibble_at(block + 32, i / 8);
  return number_of_eight(codebook, block[i / 8] | (high & 7) << 8, i % 8) | (high & 8);
}
static inline uint scale_number(const uchar *block, int sub) { return two_bytes(block + 48 + 2 * (sub / 4)) >> 3 * (sub % 4) & 7; }
static inline uint d_bits(const uchar *block) {
  uint bits = 0;
  for (int i = 0; i < 4; i++) {
    bits |= two_bytes(block + 48 + 2 * i) >> 12 << 4 * i;
  }
  return bits;
}

#elif BITS != 16

// Element i of each 32 in the lower, i + 16 in the higher half of a byte.
static inline uint stored_quant(const uchar *block, int i) {
  uint q = block[HEADER + i / 32 * 16 + i % 16] >> i % 32 / 16 * 4 & 15;
#ifdef FIFTHS
  q |= (uint_at(block + HEADER - 4) >> i & 1) << 4;
#endif
  return q;
}
#ifdef WEIGHT_MXFP4
// Half of 2^(e - 127), since levels are twice the numbers. The host sees to it that halves hold it.
static inline uint d_bits(const uchar *block) {
  int exponent = block[0] - 128;
  return exponent >= -14 ? (exponent + 15) << 10 : 1 << (exponent + 24);
}
#else
static inline uint d_bits(const uchar *block) { return two_bytes(block); }
#endif
#ifdef WEIGHT_IQ4_XS
static inline uint scale_byte(const uchar *block, int sub) {
  return (nibble_at(block + 4, sub / 2) | (two_bytes(block + 2) >> 2 * (sub / 2) & 3) << 4) - 32 + 128;
}
#endif

#endif

#ifdef ENTRIES
#ifndef WEIGHT_IQ1_M
static inline uint d_bits(const uchar *block) { return two_bytes(block); }
#endif
static inline uint scale_byte(const uchar *block, int sub) { return 2 * scale_number(block, sub) + 1 + 128; }
#endif

#endif
