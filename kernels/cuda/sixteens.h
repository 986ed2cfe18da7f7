// Tiles of blocks of 256 columns in which each 16 share a scale, a byte, and all a d as half: Q2_K, Q3_K, Q6_K, and IQ4_XS (whose scales are for
// 32 and stand twice), the types with codebooks and NVFP4, whose quants are numbers of levels.
//
// A chunk begins with QUANTS bytes of quants, as one of the structs below reads them. Q2_K's bytes are a scale and, in the higher four bits, a
// minimum, which a second half, dmin, scales; others' are scales plus 128, or, of NVFP4, E4M3, which no d scales. OFFSET is taken from each quant.
//
// Words of two bits have two steps: of step s, pair i bits 4i + 2s and 16 + 4i + 2s. Bits five and six of Q6_K stand as these do, and Q3_K's
// third bits as fifth bits in weight_tiles.h.

#ifndef SIXTEENS_H
#define SIXTEENS_H

#include "eight_bit_halves.h"
#include "levels.h"
#include "tile_quants.h"

struct two_bits {
  typedef no_levels levels;
  static constexpr int QUANTS = 1024, OFFSET = 0;
  static constexpr bool HAVE_MINIMA = true;
  struct raw {
    uint4 words[2];
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    load_lines(r.words, chunk, lane);
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) {
    return nibbles<3>(word_of(r.words[step / 8], step / 2 % 4) >> 2 * (step % 2));
  }
};

struct three_bits {
  typedef no_levels levels;
  static constexpr int QUANTS = 1536, OFFSET = 4;
  static constexpr bool HAVE_MINIMA = false;
  struct raw {
    uint4 words[2];
    uint4 thirds;
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    load_lines(r.words, chunk, lane);
    r.thirds = uint4_at(chunk + 1024 + 16 * lane);
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) {
    uint word = word_of(r.words[step / 8], step / 2 % 4) >> 2 * (step % 2);
    uint thirds = shifted_right(word_of(r.thirds, step / 4), step % 4 - 2);
    return nibbles<7>((word & 0x33333333) | (thirds & 0x44444444));
  }
};

struct six_bits {
  typedef no_levels levels;
  static constexpr int QUANTS = 2048 + 1024, OFFSET = 32;
  static constexpr bool HAVE_MINIMA = false;
  struct raw {
    uint4 words[4];
    uint4 highs[2];
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    load_lines(r.words, chunk, lane);
    load_lines(r.highs, chunk + 2048, lane);
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) {
    uint word = word_of(r.words[step / 4], step % 4), highs = word_of(r.highs[step / 8], step / 2 % 4);
    return nibbles_below<3>(word, highs, 2 * (step % 2));
  }
};

// Numbers of levels; scales of such as are floats are floats themselves.
template <class L>
struct numbered {
  typedef L levels;
  static constexpr int QUANTS = 2048, OFFSET = L::OFFSET;
  static constexpr bool HAVE_MINIMA = false;
  struct raw {
    uint4 words[4];
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    load_lines(r.words, chunk, lane);
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) { return L::of(word_of(r.words[step / 4], step % 4)); }
};

template <class Q>
struct sixteens {
  typedef typename Q::levels levels;
  static constexpr int CHUNK = 256, STEPS = 16, UNROLL = 1;
  static constexpr int QUANTS = Q::QUANTS, FROM = Q::OFFSET;
  static constexpr bool IS_BFLOAT = false, ARE_BYTES = levels::ARE_LEVELS;
  static constexpr bool ARE_FLOATS = levels::ARE_FLOATS, HAVE_MINIMA = Q::HAVE_MINIMA;
  static constexpr int BYTES = QUANTS + 256 + (ARE_FLOATS ? 0 : HAVE_MINIMA ? 64 : 32);

  // What a quant stands for, but for scales.
  static constexpr float WHOLE = levels::EIGHTHS * 0.125f;

  struct raw {
    typename Q::raw quants;
    uint4 scales[2];
    uint d, dmin;
  };

  static inline raw load(const uchar *chunk, int lane) {
    raw r;
    r.quants = Q::load(chunk, lane);
    r.scales[0] = uint4_at(chunk + QUANTS + 16 * (lane / 4));
    r.scales[1] = uint4_at(chunk + QUANTS + 16 * (lane / 4 + 8));
    r.d = ARE_FLOATS ? 0 : *(const uint *)(chunk + QUANTS + 256 + 4 * (lane / 4));
    r.dmin = HAVE_MINIMA ? *(const uint *)(chunk + QUANTS + 288 + 4 * (lane / 4)) : 0;
    return r;
  }

  static inline a_fragment quants(const raw &r, int step) { return Q::quants(r.quants, step); }

  // Two neighbouring scales, or minima, of a word of them, from number `first` on, as halves; E4M3 in units of 256.
  static inline uint halves_in(uint word, int first) {
    if constexpr (ARE_FLOATS) {
      return halves_of_bytes(__byte_perm(word, 0, first == 0 ? 0x1404 : 0x3424));
    } else {
      return add_halves(bytes_above_1024(word, first), HAVE_MINIMA ? 0xe400e400 : 0xe480e480);
    }
  }
  static inline uint scales_in(uint word, int first) { return halves_in(HAVE_MINIMA ? word & 0x0f0f0f0f : word, first); }
  static inline uint minima_in(uint word, int first) { return halves_in(HAVE_MINIMA ? word >> 4 & 0x0f0f0f0f : word, first); }

  // What scales of row g (0) or g + 8 (1) are multiplied with.
  static inline float d_of(const raw &r, int row) {
    if constexpr (ARE_FLOATS) {
      return EIGHT_BIT_UNIT * WHOLE;
    } else {
      return (row == 0 ? low_half(r.d) : high_half(r.d)) * WHOLE;
    }
  }
  static inline float dmin_of(const raw &r, int row) { return row == 0 ? low_half(r.dmin) : high_half(r.dmin); }

  template <class X>
  static inline void multiply(const raw &r, const X &x, int chunk, int lane, float (&sums)[2]) {
    // Minima, or scales, times the sums of 16 columns each.
    int t = lane % 4;
    a_fragment all;
    for (int row = 0; row < 2; row++) {
      uint low = t < 2 ? r.scales[row].x : r.scales[row].y, high = t < 2 ? r.scales[row].z : r.scales[row].w;
      all.pair[row] = minima_in(low, t % 2 * 2);
      all.pair[row + 2] = minima_in(high, t % 2 * 2);
    }
    c_fragment below = {0, 0, 0, 0};
    if constexpr (HAVE_MINIMA || FROM != 0) {
      multiply_halves(below, all, x.sum_fragment(chunk, lane));
    }
    float products[2] = {0, 0};
#pragma unroll
    for (int pair = 0; pair < 8; pair++) {
      uint4 b = x.fragments_of_two(8 * chunk + pair, lane);
      c_fragment c[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
      multiply_halves(c[0], quants(r, 2 * pair), make_uint2(b.x, b.y));
      multiply_halves(c[1], quants(r, 2 * pair + 1), make_uint2(b.z, b.w));
      for (int row = 0; row < 2; row++) {
        uint scales = scales_in(word_of(r.scales[row], pair / 2), pair % 2 * 2);
        products[row] = fma(low_half(scales), c[0][2 * row] + c[0][2 * row + 1], products[row]);
        products[row] = fma(high_half(scales), c[1][2 * row] + c[1][2 * row + 1], products[row]);
      }
    }
    for (int row = 0; row < 2; row++) {
      float unit = ARE_BYTES ? levels::UNIT : row == 0 ? LOW_UNIT : HIGH_UNIT;
      float minima = below[2 * row] + below[2 * row + 1];
      if constexpr (HAVE_MINIMA) {
        sums[row] = fma(d_of(r, row), products[row] * unit, sums[row]);
        sums[row] = fma(-dmin_of(r, row), minima, sums[row]);
      } else {
        float product = products[row] * unit;
        sums[row] = fma(d_of(r, row), FROM == 0 ? product : fma(-(float)FROM, minima, product), sums[row]);
      }
    }
  }
};

#endif
