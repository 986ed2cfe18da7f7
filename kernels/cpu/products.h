// Products of weights and activations, for each type of weights: 16 rows of a matrix (a tile) with some or many rows of x.
//
// Mapping: a lane is a row of the tile; where registers have fewer than 16, the tile's lanes are taken one part after the other. Columns go by blocks of 32, and rows of x by groups of FEW_TOKENS (or MANY_TOKENS), whose sums stay in registers with
// the unpacked block, so that weights are unpacked once for a group. A lane's sum takes its blocks in their order, whatever the numbers of
// tokens, lanes and threads are: results are the same bits with each instruction set.
// Traffic: a tile's weights once for each TOKENS_AT_ONCE rows of x, which stay in the second-level cache meanwhile; x once for each tile.
//
// A tile (see pack.h) is one stream: each block's quants, then its scales; before each 8 blocks the scales of their superblock. (With scales elsewhere
// reading took twice as long: processors fetch ahead what they see read in order.)
// Invariants: in each lane |Σ q high| < 2^31: at most 255 · 32768 · 32.

// Σ q x, of x in parts.
static INLINE floats total(sums sum, const int parts) {
  floats high = from_ints(high_total(sum));
  return parts == 3 ? multiply_add(high, all(256), from_ints(low_total(sum))) : high;
}

// A tile's quants of a block, as `unpack` leaves them: register j has columns 4j to 4j + 3 of each row.
typedef struct {
  bytes of[8];
} quants;

static INLINE quants nibbles(const uint8_t *at) {
  quants q;
  UNROLL for (int j = 0; j < 4; j++) {
    bytes both = load_bytes(at + 64 * j);
    q.of[2 * j] = bits_of(both, 0, 4);
    q.of[2 * j + 1] = bits_of(both, 4, 4);
  }
  return q;
}

static INLINE quants fives(const uint8_t *at) {
  quants q = nibbles(at);
  bytes fifth = load_bytes(at + 256);
  UNROLL for (int j = 0; j < 8; j++) {
    q.of[j] = with_bits(q.of[j], fifth, j, 1, 4);
  }
  return q;
}

static INLINE quants sixes(const uint8_t *at) {
  quants q = nibbles(at);
  UNROLL for (int i = 0; i < 2; i++) {
    bytes high = load_bytes(at + 256 + 64 * i);
    UNROLL for (int j = 0; j < 4; j++) {
      q.of[4 * i + j] = with_bits(q.of[4 * i + j], high, 2 * j, 2, 4);
    }
  }
  return q;
}

static INLINE quants twos(const uint8_t *at) {
  quants q;
  UNROLL for (int i = 0; i < 2; i++) {
    bytes four = load_bytes(at + 64 * i);
    UNROLL for (int j = 0; j < 4; j++) {
      q.of[4 * i + j] = bits_of(four, 2 * j, 2);
    }
  }
  return q;
}

static INLINE quants threes(const uint8_t *at) {
  quants q = twos(at);
  bytes third = load_bytes(at + 128);
  UNROLL for (int j = 0; j < 8; j++) {
    q.of[j] = with_bits(q.of[j], third, j, 1, 2);
  }
  return q;
}

static INLINE quants eights(const uint8_t *at) {
  quants q;
  UNROLL for (int j = 0; j < 8; j++) {
    q.of[j] = load_bytes(at + 64 * j);
  }
  return q;
}

static INLINE quants looked_up(const uint8_t *at, const uint8_t *sixteen) {
  quants q = nibbles(at);
  UNROLL for (int j = 0; j < 8; j++) {
    q.of[j] = look_up(q.of[j], sixteen);
  }
  return q;
}

// Weights of eight bits, which are unsigned, from 128 on, or signed where that is what the instruction set multiplies.
#ifdef SIGNED_BYTES
#define EIGHT_BITS_ZERO 0
#define EIGHT_BITS_OFFSET -1
#else
#define EIGHT_BITS_ZERO 128
#define EIGHT_BITS_OFFSET 7
#endif
#define EIGHT_BITS(x) (uint8_t)(EIGHT_BITS_ZERO + (x))

// IQ4_NL's numbers (ggml), and twice MXFP4's (OCP microscaling formats 1.0), from 12 on.
static const uint8_t IQ4_NL_NUMBERS[16] = {
    EIGHT_BITS(-127), EIGHT_BITS(-104), EIGHT_BITS(-83), EIGHT_BITS(-65), EIGHT_BITS(-49), EIGHT_BITS(-35), EIGHT_BITS(-22), EIGHT_BITS(-10),
    EIGHT_BITS(1), EIGHT_BITS(13), EIGHT_BITS(25), EIGHT_BITS(38), EIGHT_BITS(53), EIGHT_BITS(69), EIGHT_BITS(89), EIGHT_BITS(113)};
static const uint8_t MXFP4_NUMBERS[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};
static const uint8_t NVFP4_NUMBERS[16] = {
    EIGHT_BITS(0), EIGHT_BITS(1), EIGHT_BITS(2), EIGHT_BITS(3), EIGHT_BITS(4), EIGHT_BITS(6), EIGHT_BITS(8), EIGHT_BITS(12),
    EIGHT_BITS(0), EIGHT_BITS(-1), EIGHT_BITS(-2), EIGHT_BITS(-3), EIGHT_BITS(-4), EIGHT_BITS(-6), EIGHT_BITS(-8), EIGHT_BITS(-12)};

// What is known of a block's weights: w = scale · (q - offset) - minimum.
typedef struct {
  floats scale, second_scale, minimum, second_minimum;
} block_scales;

// A superblock's scale, in units.
static INLINE floats super_scale(const uint8_t *super, float unit, const int lane) {
  return multiply(from_halves((const uint16_t *)super + lane), all(unit));
}

// How each type lies: bytes of quants and of scales that a tile has for a block, and for the superblock of 8 blocks.
// OFFSET is that of the quants, as a power of two or -1 for none; MINIMUM tells whether there is one, and with which sign; HALVES whether 16 columns
// share both. WIDE is for those whose whole numbers wide_products.h takes, with WHOLE scales, which the superblock's is multiplied with.
// QUANTS and SCALES read some lanes of block b, from `lane` on.

#define NAME q4_0
#define QUANT_BYTES 256
#define SCALE_BYTES 32
#define SUPER_BYTES 0
#define OFFSET 3
#define MINIMUM 0
#define HALVES 0
#define WIDE 0
#define QUANTS(at) nibbles((at) + 4 * lane)
#define SCALES(at, super) ((block_scales){.scale = from_halves((const uint16_t *)(at) + lane)})
#include "product.h"

#define NAME q4_1
#define QUANT_BYTES 256
#define SCALE_BYTES 64
#define SUPER_BYTES 0
#define OFFSET -1
#define MINIMUM 1
#define HALVES 0
#define WIDE 0
#define QUANTS(at) nibbles((at) + 4 * lane)
#define SCALES(at, super) \
  ((block_scales){.scale = from_halves((const uint16_t *)(at) + lane), .minimum = from_halves((const uint16_t *)(at) + 16 + lane)})
#include "product.h"

#define NAME q5_0
#define QUANT_BYTES 320
#define SCALE_BYTES 32
#define SUPER_BYTES 0
#define OFFSET 4
#define MINIMUM 0
#define HALVES 0
#define WIDE 0
#define QUANTS(at) fives((at) + 4 * lane)
#define SCALES(at, super) ((block_scales){.scale = from_halves((const uint16_t *)(at) + lane)})
#include "product.h"

#define NAME q5_1
#define QUANT_BYTES 320
#define SCALE_BYTES 64
#define SUPER_BYTES 0
#define OFFSET -1
#define MINIMUM 1
#define HALVES 0
#define WIDE 0
#define QUANTS(at) fives((at) + 4 * lane)
#define SCALES(at, super) \
  ((block_scales){.scale = from_halves((const uint16_t *)(at) + lane), .minimum = from_halves((const uint16_t *)(at) + 16 + lane)})
#include "product.h"

#define NAME q8_0
#define QUANT_BYTES 512
#define SCALE_BYTES 32
#define SUPER_BYTES 0
#define OFFSET EIGHT_BITS_OFFSET
#define MINIMUM 0
#define HALVES 0
#define WIDE 0
#define QUANTS(at) eights((at) + 4 * lane)
#define SCALES(at, super) ((block_scales){.scale = from_halves((const uint16_t *)(at) + lane)})
#include "product.h"

#define NAME iq4_nl
#define QUANT_BYTES 256
#define SCALE_BYTES 32
#define SUPER_BYTES 0
#define OFFSET EIGHT_BITS_OFFSET
#define MINIMUM 0
#define HALVES 0
#define WIDE 0
#define QUANTS(at) looked_up((at) + 4 * lane, IQ4_NL_NUMBERS)
#define SCALES(at, super) ((block_scales){.scale = from_halves((const uint16_t *)(at) + lane)})
#include "product.h"

// The numbers are from 12 on, of which 4 and 8 are no single power of two: 12 S = 8 S + 4 S.
#define NAME mxfp4
#define QUANT_BYTES 256
#define SCALE_BYTES 16
#define SUPER_BYTES 0
#define OFFSET 12
#define MINIMUM 0
#define HALVES 0
#define WIDE 0
#define QUANTS(at) looked_up((at) + 4 * lane, MXFP4_NUMBERS)
#define SCALES(at, super) ((block_scales){.scale = from_powers((at) + lane)})
#include "product.h"

// A block's scale and minimum are six bits each, kept as bytes, times the superblock's.
#define SUPER_SCALES(at, super) \
  ((block_scales){ \
      .scale = multiply(from_halves((const uint16_t *)(super) + lane), from_unsigned((at) + lane)), \
      .minimum = multiply(from_halves((const uint16_t *)(super) + 16 + lane), from_unsigned((at) + 16 + lane))})

#define NAME q4_k
#define QUANT_BYTES 256
#define SCALE_BYTES 32
#define SUPER_BYTES 64
#define OFFSET -1
#define MINIMUM -1
#define HALVES 0
#define WIDE 1
#define QUANTS(at) nibbles((at) + 4 * lane)
#define WHOLE(at, super, half) unsigned_ints((at) + lane)
#define SCALES(at, super) SUPER_SCALES(at, super)
#include "product.h"

#define NAME q5_k
#define QUANT_BYTES 320
#define SCALE_BYTES 32
#define SUPER_BYTES 64
#define OFFSET -1
#define MINIMUM -1
#define HALVES 0
#define WIDE 1
#define QUANTS(at) fives((at) + 4 * lane)
#define WHOLE(at, super, half) unsigned_ints((at) + lane)
#define SCALES(at, super) SUPER_SCALES(at, super)
#include "product.h"

// Each 16 columns have a signed byte, times the superblock's scale.
#define HALVES_SCALES(at, super) \
  ((block_scales){ \
      .scale = multiply(from_halves((const uint16_t *)(super) + lane), from_signed((at) + lane)), \
      .second_scale = multiply(from_halves((const uint16_t *)(super) + lane), from_signed((at) + 16 + lane))})

#define NAME q6_k
#define QUANT_BYTES 384
#define SCALE_BYTES 32
#define SUPER_BYTES 32
#define OFFSET 5
#define MINIMUM 0
#define HALVES 1
#define WIDE 1
#define QUANTS(at) sixes((at) + 4 * lane)
#define WHOLE(at, super, half) signed_ints((at) + 16 * (half) + lane)
#define SCALES(at, super) HALVES_SCALES(at, super)
#include "product.h"

#define NAME q3_k
#define QUANT_BYTES 192
#define SCALE_BYTES 32
#define SUPER_BYTES 32
#define OFFSET 2
#define MINIMUM 0
#define HALVES 1
#define WIDE 1
#define QUANTS(at) threes((at) + 4 * lane)
#define WHOLE(at, super, half) signed_ints((at) + 16 * (half) + lane)
#define SCALES(at, super) HALVES_SCALES(at, super)
#include "product.h"

#define NAME q2_k
#define QUANT_BYTES 128
#define SCALE_BYTES 32
#define SUPER_BYTES 64
#define OFFSET -1
#define MINIMUM -1
#define HALVES 1
#define WIDE 0
#define QUANTS(at) twos((at) + 4 * lane)
#define SCALES(at, super) \
  ((block_scales){ \
      .scale = multiply(from_halves((const uint16_t *)(super) + lane), from_nibbles((at) + lane, 0)), \
      .second_scale = multiply(from_halves((const uint16_t *)(super) + lane), from_nibbles((at) + 16 + lane, 0)), \
      .minimum = multiply(from_halves((const uint16_t *)(super) + 16 + lane), from_nibbles((at) + lane, 4)), \
      .second_minimum = multiply(from_halves((const uint16_t *)(super) + 16 + lane), from_nibbles((at) + 16 + lane, 4))})
#include "product.h"

#define NAME iq4_xs
#define QUANT_BYTES 256
#define SCALE_BYTES 16
#define SUPER_BYTES 32
#define OFFSET EIGHT_BITS_OFFSET
#define MINIMUM 0
#define HALVES 0
#define WIDE 1
// Else sums of words would be too large.
#define PIECES 2
#define QUANTS(at) looked_up((at) + 4 * lane, IQ4_NL_NUMBERS)
#define WHOLE(at, super, half) signed_ints((at) + lane)
#define SCALES(at, super) ((block_scales){.scale = multiply(from_halves((const uint16_t *)(super) + lane), from_signed((at) + lane))})
#include "product.h"

// The numbers are those of MXFP4; each 16 columns have a scale, an eight-bit float without a sign.
#define NAME nvfp4
#define QUANT_BYTES 256
#define SCALE_BYTES 32
#define SUPER_BYTES 0
#define OFFSET EIGHT_BITS_OFFSET
#define MINIMUM 0
#define HALVES 1
#define WIDE 0
#define QUANTS(at) looked_up((at) + 4 * lane, NVFP4_NUMBERS)
#define SCALES(at, super) \
  ((block_scales){ \
      .scale = multiply(from_eight_bit_floats((at) + lane), all(128)), .second_scale = multiply(from_eight_bit_floats((at) + 16 + lane), all(128))})
#include "product.h"

// Superblocks have one scale alone.
#define NAME tq2_0
#define QUANT_BYTES 128
#define SCALE_BYTES 0
#define SUPER_BYTES 32
#define OFFSET 0
#define MINIMUM 0
#define HALVES 0
#define WIDE 0
#define QUANTS(at) twos((at) + 4 * lane)
#define SCALES(at, super) ((block_scales){.scale = from_halves((const uint16_t *)(super) + lane)})
#include "product.h"

// Digits to base three take two bits, too.
#define tile_bytes_tq1_0 tile_bytes_tq2_0
#define multiply_tq1_0 multiply_tq2_0

#include "codebooks.h"

// What has a codebook counts d in UNIT.
#define WHOLE_SCALES(at, super) \
  ((block_scales){ \
      .scale = multiply(super_scale(super, UNIT, lane), from_ints(WHOLE(at, super, 0))), \
      .second_scale = HALVES ? multiply(super_scale(super, UNIT, lane), from_ints(WHOLE(at, super, 1))) : zero()})

#define NAME iq2_xxs
#define QUANT_BYTES 64
#define SCALE_BYTES 64
#define SUPER_BYTES 32
#define UNIT 0.125f
#define OFFSET 6
#define MINIMUM 0
#define HALVES 0
#define WIDE 1
#define QUANTS(at) quants_iq2_xxs(at, lane)
#define WHOLE(at, super, half) spare_scale(at, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"

#define NAME iq2_xs
#define QUANT_BYTES 64
#define SCALE_BYTES 80
#define SUPER_BYTES 32
#define UNIT 0.125f
#define OFFSET 6
#define MINIMUM 0
#define HALVES 1
#define WIDE 1
#define QUANTS(at) quants_iq2_xs(at, lane)
#define WHOLE(at, super, half) scale_of_two((at) + 64, half, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"

#define NAME iq2_s
#define QUANT_BYTES 64
#define SCALE_BYTES 96
#define SUPER_BYTES 32
#define UNIT 0.125f
#define OFFSET 6
#define MINIMUM 0
#define HALVES 1
#define WIDE 1
#define QUANTS(at) quants_iq2_s(at, lane)
#define WHOLE(at, super, half) scale_of_two((at) + 80, half, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"

#define NAME iq3_xxs
#define QUANT_BYTES 128
#define SCALE_BYTES 64
#define SUPER_BYTES 32
#define UNIT 0.5f
#define OFFSET 6
#define MINIMUM 0
#define HALVES 0
#define WIDE 1
#define QUANTS(at) quants_iq3_xxs(at, lane)
#define WHOLE(at, super, half) spare_scale(at, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"

#define NAME iq3_s
#define QUANT_BYTES 128
#define SCALE_BYTES 80
#define SUPER_BYTES 96
#define UNIT 1
#define OFFSET 6
#define MINIMUM 0
#define HALVES 0
#define WIDE 1
#define QUANTS(at) quants_iq3_s(at, lane)
#define WHOLE(at, super, half) scale_iq3_s((super) + 32, b, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"

#define NAME iq1_s
#define QUANT_BYTES 64
#define SCALE_BYTES 32
#define SUPER_BYTES 32
#define UNIT 0.125f
#define OFFSET 6
#define MINIMUM 0
#define HALVES 0
#define WIDE 1
#define QUANTS(at) quants_iq1_s(at, lane)
#define WHOLE(at, super, half) scale_iq1_s(at, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"

#define NAME iq1_m
#define QUANT_BYTES 64
#define SCALE_BYTES 48
#define SUPER_BYTES 32
#define UNIT 0.125f
#define OFFSET 6
#define MINIMUM 0
#define HALVES 1
#define WIDE 1
#define QUANTS(at) quants_iq1_m(at, lane)
#define WHOLE(at, super, half) scale_of_two((at) + 32, half, lane)
#define SCALES(at, super) WHOLE_SCALES(at, super)
#include "product.h"
