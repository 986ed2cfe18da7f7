// What repack reads of blocks: quants, or numbers of levels (levels.h), and scales. Most types lie as weight_elements.h says; others that only tiles know:
//
//   NVFP4    4 scales, E4M3; 4 x 8 bytes, each element i and i + 8 of 16
//   TQ1_0    32 + 16 + 4 bytes, each a fraction whose digits to base three are 5 or 4 elements, byte i those from i on, as many apart as there are
//            bytes; half d                                                  TQ2_0  64 bytes of 2 bits; half d
//
// Of types with codebooks the sign, or what IQ1 has instead, becomes the fourth bit of a level's number.
//
// Defines BLOCK, BLOCK_BYTES, ROW_BYTES, BITS (of a quant; 16 without blocks), MINIMUM (where small blocks have one), SIXTEENS (tiles of sixteens.h) with
// HAS_D, CODEBOOK (where a type has one: the last argument of stored_quant then), and
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
#endif
#ifdef BLOCK
#define ROW_BYTES ((size_t)(COLUMNS / BLOCK) * BLOCK_BYTES)
#else
#define CODEBOOK_IS_ARGUMENT
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

static inline uint two_bytes(const uchar *at) { return *(const ushort *)at; }

// Two bits of four runs of 32 elements in 32 bytes.
static inline uint run_bits(const uchar *bytes, int i) { return bytes[32 * (i / 128) + i % 32] >> 2 * (i / 32 % 4) & 3; }

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

#elif defined(CODEBOOK)

static inline uint stored_quant(const uchar *block, int i, const ushort *codebook) {
  int group = i / 8;
  uint number = numbers_of(block, group, codebook) >> NUMBER_BITS * (i % 8) & MOST_NUMBER;
#ifdef SHIFTS
  uint fourth = shift_of(block, group) < 0;
#else
  uint fourth = signs_of(block, group) >> i % 8 & 1;
#endif
  return number | fourth << 3;
}
static inline uint scale_byte(const uchar *block, int sub) { return 2 * scale_bits(block, sub) + 1 + 128; }

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
  int pair = sub / 2;
  uint low = block[4 + pair / 2] >> pair % 2 * 4 & 15, high = two_bytes(block + 2) >> 2 * pair & 3;
  return (low | high << 4) - 32 + 128;
}
#endif

#endif

#endif
