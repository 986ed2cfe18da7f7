// Weights as products on tensor cores read them: load-time repacks of GGUF's blocks, in which a warp's loads are whole lines.
//
// A tile is 16 rows; it lies in chunks of CHUNK columns and BYTES bytes one after the other. Behind the last column and row are
// zeros. A chunk begins with the lanes' quants, as their A fragments (matrix_units.h) need them: step s (16 columns) of a 4-bit type is one
// word of the lane, with pair i in bits 4i to 4i + 3 (first number) and 16 + 4i (second number); of an 8-bit type two words, which
// hold two pairs each. Then come fifth bits, or fifth and sixth, then what scales them:
//
//   small blocks (CHUNK 64)   words of 4 or 8 bits | fifth bits, a word a lane | for a row group g: scales of rows g and g + 8, two
//                             blocks each, then minima
//   SCALED_F8 (CHUNK 64)      words of 8 bits | for a row group g: float32 scales of rows g and g + 8, two blocks each
//   Q4_K, Q5_K (CHUNK 256)    words | fifth bits, four words a lane | 16 bytes of header of each row
//   sixteens (CHUNK 256)      quants (sixteens.h) | a byte for each 16 columns of each row | d of each row, g and g + 8 in turns | dmin likewise
//   F16, BF16 (CHUNK 64)      pairs, four a lane and step
//
// Fifth bits of four steps share a word: of step s, pair i they are bits s + 4i and 16 + s + 4i. So one shift brings them to two pairs' places.
// Where quants are numbers of levels (levels.h), words have them in other orders.
//
// Quants are multiplied as they are, as subnormal halves q · 2^-24, or 2^-20 for rows g + 8, whose pairs stand four bits higher: tensor
// cores take these exactly, and it saves the shifts. Bytes of E4M3 are moved to where halves have them, and are 256 times too small then. What is to be taken from q (8, 16, 32 or 128) is taken from the sums, as minima are.

#ifndef WEIGHT_TILES_H
#define WEIGHT_TILES_H

#include "eight_bit_halves.h"
#include "levels.h"
#include "sixteens.h"
#include "tile_quants.h"

#define TILE_ROWS 16

// Blocks of 32 columns with a scale and, where MINIMUM is, a minimum as halves; q counts from OFFSET on. Four bits are the number of a
// level where LEVELS are some.
template <int BITS, bool MINIMUM, int OFFSET, class LEVELS = no_levels>
struct small_blocks {
  typedef LEVELS levels;
  static constexpr int CHUNK = 64, STEPS = 4, UNROLL = BITS == 8 ? 2 : 4, FROM = OFFSET;
  static constexpr int QUANTS = 16 * 64 * (BITS == 8 ? 8 : 4) / 8;
  static constexpr int FIFTH_BYTES = BITS == 5 ? 128 : 0;
  static constexpr int BYTES = QUANTS + FIFTH_BYTES + (MINIMUM ? 128 : 64);
  static constexpr bool IS_BFLOAT = false, ARE_LEVELS = LEVELS::ARE_LEVELS, ARE_FLOATS = LEVELS::ARE_FLOATS;
  // Whether quants of rows g + 8 stand where those of rows g do.
  static constexpr bool ARE_BYTES = BITS == 8 || ARE_LEVELS;

  struct raw {
    uint4 words[BITS == 8 ? 2 : 1];
    uint fifths;
    uint2 scales;
    uint2 minima;
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    r.words[0] = uint4_at(chunk + 16 * lane);
    if constexpr (BITS == 8) {
      r.words[1] = uint4_at(chunk + 512 + 16 * lane);
    }
    if constexpr (BITS == 5) {
      r.fifths = *(const uint *)(chunk + QUANTS + 4 * lane);
    }
    if constexpr (MINIMUM) {
      uint4 both = uint4_at(chunk + QUANTS + FIFTH_BYTES + 16 * (lane / 4));
      r.scales = make_uint2(both.x, both.y);
      r.minima = make_uint2(both.z, both.w);
    } else {
      r.scales = uint2_at(chunk + QUANTS + FIFTH_BYTES + 8 * (lane / 4));
    }
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) {
    a_fragment a;
    if constexpr (BITS == 8) {
      uint4 v = r.words[step / 2];
      uint first = step % 2 == 0 ? v.x : v.z;
      uint second = step % 2 == 0 ? v.y : v.w;
      a.pair[0] = bytes_as_halves(first, 0);
      a.pair[1] = bytes_as_halves(first, 2);
      a.pair[2] = bytes_as_halves(second, 0);
      a.pair[3] = bytes_as_halves(second, 2);
    } else if constexpr (BITS == 5) {
      a = nibbles_below<1>(word_of(r.words[0], step), r.fifths, step);
    } else if constexpr (ARE_LEVELS) {
      a = LEVELS::of(word_of(r.words[0], step));
    } else {
      a = nibbles(word_of(r.words[0], step));
    }
    return a;
  }

  // Adds the products of rows g and g + 8 to the sums.
  template <class X>
  static inline void multiply(const raw &r, const X &x, int chunk, int lane, float (&sums)[2]) {
    for (int block = 0; block < 2; block++) {
      c_fragment c = {0, 0, 0, 0};
      uint4 b = x.fragments_of_two(2 * chunk + block, lane);
      multiply_halves(c, quants(r, 2 * block), make_uint2(b.x, b.y));
      multiply_halves(c, quants(r, 2 * block + 1), make_uint2(b.z, b.w));
      float sum = x.sums[2 * chunk + block];
      for (int i = 0; i < 2; i++) {
        uint scales = i == 0 ? r.scales.x : r.scales.y;
        float scale = block == 0 ? low_half(scales) : high_half(scales);
        float unit = ARE_LEVELS ? LEVELS::UNIT : i == 0 || ARE_BYTES ? LOW_UNIT : HIGH_UNIT;
        float product = (c[2 * i] + c[2 * i + 1]) * unit;
        if constexpr (MINIMUM) {
          uint minima = i == 0 ? r.minima.x : r.minima.y;
          sums[i] = fma(scale, product, sums[i]);
          sums[i] = fma(block == 0 ? low_half(minima) : high_half(minima), sum, sums[i]);
        } else {
          sums[i] = fma(scale, OFFSET == 0 ? product : fma(-(float)OFFSET, sum, product), sums[i]);
        }
      }
    }
  }
};

// Blocks of 32 bytes of E4M3 with a float32 scale.
struct eight_bit_floats {
  static constexpr int CHUNK = 64, STEPS = 4, UNROLL = 2;
  static constexpr int QUANTS = 16 * 64;
  static constexpr int BYTES = QUANTS + 128;
  static constexpr bool IS_BFLOAT = false;
  static constexpr float UNIT = EIGHT_BIT_UNIT;

  struct raw {
    uint4 words[2];
    uint4 scales;
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    r.words[0] = uint4_at(chunk + 16 * lane);
    r.words[1] = uint4_at(chunk + 512 + 16 * lane);
    r.scales = uint4_at(chunk + QUANTS + 16 * (lane / 4));
    return r;
  }

  // The scale of a block of row g (0) or g + 8 (1).
  static inline float scale_of(const raw &r, int row, int block) { return as_float(word_of(r.scales, 2 * row + block)); }

  // Two neighbouring bytes of a word, from number `first` on, in units of 1 / UNIT.
  static inline uint as_halves(uint word, int first) {
    return halves_of_bytes(__byte_perm(word, 0, first == 0 ? 0x1404 : 0x3424));
  }

  static inline a_fragment quants(const raw &r, int step) {
    a_fragment a;
    uint4 v = r.words[step / 2];
    uint first = step % 2 == 0 ? v.x : v.z;
    uint second = step % 2 == 0 ? v.y : v.w;
    a.pair[0] = as_halves(first, 0);
    a.pair[1] = as_halves(first, 2);
    a.pair[2] = as_halves(second, 0);
    a.pair[3] = as_halves(second, 2);
    return a;
  }

  template <class X>
  static inline void multiply(const raw &r, const X &x, int chunk, int lane, float (&sums)[2]) {
    for (int block = 0; block < 2; block++) {
      c_fragment c = {0, 0, 0, 0};
      uint4 b = x.fragments_of_two(2 * chunk + block, lane);
      multiply_halves(c, quants(r, 2 * block), make_uint2(b.x, b.y));
      multiply_halves(c, quants(r, 2 * block + 1), make_uint2(b.z, b.w));
      for (int row = 0; row < 2; row++) {
        sums[row] = fma(scale_of(r, row, block), (c[2 * row] + c[2 * row + 1]) * UNIT, sums[row]);
      }
    }
  }
};

// A header of Q4_K or Q5_K: scales and minima of the eight sub-blocks, a byte each.
struct super_header {
  float d, dmin;
  uint2 scales, minima;
};

static inline super_header super_header_of(uint4 header) {
  super_header h;
  h.d = low_half(header.x);
  h.dmin = high_half(header.x);
  h.scales.x = header.y & 0x3f3f3f3f;
  h.minima.x = header.z & 0x3f3f3f3f;
  h.scales.y = (header.w & 0x0f0f0f0f) | (header.y >> 2 & 0x30303030);
  h.minima.y = (header.w >> 4 & 0x0f0f0f0f) | (header.z >> 2 & 0x30303030);
  return h;
}

template <bool FIFTH>
struct super_blocks {
  typedef no_levels levels;
  static constexpr int CHUNK = 256, STEPS = 16, UNROLL = 1;
  static constexpr int QUANTS = 2048, FIFTH_BYTES = FIFTH ? 512 : 0;
  static constexpr int BYTES = QUANTS + FIFTH_BYTES + 256;
  static constexpr bool IS_BFLOAT = false;

  struct raw {
    uint4 words[4];
    uint4 fifths;
    uint4 headers[2];
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    load_lines(r.words, chunk, lane);
    if constexpr (FIFTH) {
      r.fifths = uint4_at(chunk + QUANTS + 16 * lane);
    }
    r.headers[0] = uint4_at(chunk + QUANTS + FIFTH_BYTES + 16 * (lane / 4));
    r.headers[1] = uint4_at(chunk + QUANTS + FIFTH_BYTES + 16 * (lane / 4 + 8));
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) {
    uint word = word_of(r.words[step / 4], step % 4);
    if constexpr (FIFTH) {
      return nibbles_below<1>(word, word_of(r.fifths, step / 4), step % 4);
    } else {
      return nibbles(word);
    }
  }

  template <class X>
  static inline void multiply(const raw &r, const X &x, int chunk, int lane, float (&sums)[2]) {
    super_header rows[2] = {super_header_of(r.headers[0]), super_header_of(r.headers[1])};
    // Minima times the sums of 16 columns each, two of which share a minimum.
    uint selector = 0x4040 | lane % 4 * 0x0101;
    a_fragment minima;
    minima.pair[0] = __byte_perm(rows[0].minima.x, 0, selector);
    minima.pair[1] = __byte_perm(rows[1].minima.x, 0, selector);
    minima.pair[2] = __byte_perm(rows[0].minima.y, 0, selector);
    minima.pair[3] = __byte_perm(rows[1].minima.y, 0, selector);
    c_fragment below = {0, 0, 0, 0};
    multiply_halves(below, minima, x.sum_fragment(chunk, lane));
    float products[2] = {0, 0};
    for (int pair = 0; pair < 4; pair++) {
      c_fragment c[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
      for (int i = 0; i < 2; i++) {
        int step = 4 * pair + 2 * i;
        uint4 b = x.fragments_of_two(8 * chunk + 2 * pair + i, lane);
        multiply_halves(c[i], quants(r, step), make_uint2(b.x, b.y));
        multiply_halves(c[i], quants(r, step + 1), make_uint2(b.z, b.w));
      }
      for (int row = 0; row < 2; row++) {
        uint word = pair < 2 ? rows[row].scales.x : rows[row].scales.y;
        uint scales = add_halves(bytes_above_1024(word, pair % 2 * 2), 0xe400e400);
        products[row] = fma(low_half(scales), c[0][2 * row] + c[0][2 * row + 1], products[row]);
        products[row] = fma(high_half(scales), c[1][2 * row] + c[1][2 * row + 1], products[row]);
      }
    }
    for (int row = 0; row < 2; row++) {
      float unit = row == 0 ? LOW_UNIT : HIGH_UNIT;
      sums[row] = fma(rows[row].d * unit, products[row], sums[row]);
      sums[row] = fma(rows[row].dmin * -LOW_UNIT, below[2 * row] + below[2 * row + 1], sums[row]);
    }
  }
};

template <bool BFLOAT>
struct sixteen_bits {
  static constexpr int CHUNK = 64, STEPS = 4, UNROLL = 1;
  static constexpr int BYTES = 2048;
  static constexpr bool IS_BFLOAT = BFLOAT;

  struct raw {
    uint4 pairs[4];
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    load_lines(r.pairs, chunk, lane);
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) {
    a_fragment a;
    a.pair[0] = r.pairs[step].x;
    a.pair[1] = r.pairs[step].y;
    a.pair[2] = r.pairs[step].z;
    a.pair[3] = r.pairs[step].w;
    return a;
  }

  template <class X>
  static inline void multiply(const raw &r, const X &x, int chunk, int lane, float (&sums)[2]) {
    c_fragment c[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    for (int i = 0; i < 2; i++) {
      uint4 b = x.fragments_of_two(2 * chunk + i, lane);
      if constexpr (BFLOAT) {
        multiply_bfloats(c[i], quants(r, 2 * i), make_uint2(b.x, b.y));
        multiply_bfloats(c[i], quants(r, 2 * i + 1), make_uint2(b.z, b.w));
      } else {
        multiply_halves(c[i], quants(r, 2 * i), make_uint2(b.x, b.y));
        multiply_halves(c[i], quants(r, 2 * i + 1), make_uint2(b.z, b.w));
      }
    }
    for (int row = 0; row < 2; row++) {
      sums[row] += (c[0][2 * row] + c[0][2 * row + 1]) + (c[1][2 * row] + c[1][2 * row + 1]);
    }
  }
};

template <class A, class B>
struct same {
  static constexpr bool value = false;
};
template <class A>
struct same<A, A> {
  static constexpr bool value = true;
};

typedef small_blocks<4, false, 8> tile_Q4_0;
typedef small_blocks<4, true, 0> tile_Q4_1;
typedef small_blocks<5, false, 16> tile_Q5_0;
typedef small_blocks<5, true, 0> tile_Q5_1;
typedef small_blocks<8, false, 128> tile_Q8_0;
typedef small_blocks<4, false, four_bit_levels::OFFSET, four_bit_levels> tile_IQ4_NL;
typedef small_blocks<4, false, four_bit_floats::OFFSET, four_bit_floats> tile_MXFP4;
typedef eight_bit_floats tile_SCALED_F8;
typedef super_blocks<false> tile_Q4_K;
typedef super_blocks<true> tile_Q5_K;
typedef sixteen_bits<false> tile_F16;
typedef sixteen_bits<true> tile_BF16;
typedef sixteens<two_bits> tile_Q2_K;
typedef sixteens<three_bits> tile_Q3_K;
typedef sixteens<six_bits> tile_Q6_K;
typedef sixteens<numbered<four_bit_levels>> tile_IQ4_XS;
typedef sixteens<numbered<four_bit_floats>> tile_NVFP4;
typedef sixteens<numbered<two_bit_levels>> tile_IQ2;
typedef sixteens<numbered<three_bit_levels>> tile_IQ3_XXS;
typedef sixteens<numbered<odd_levels>> tile_IQ3_S;
typedef sixteens<numbered<shifted_levels>> tile_IQ1;

#endif
