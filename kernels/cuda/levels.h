// Quants of four bits that are numbers of levels: 16 whole numbers from -OFFSET on, as IQ4, MXFP4 and the types with codebooks have them. The
// levels plus OFFSET are the bytes of four registers, and a permutation of bytes looks four of them up at a time: twice, in the lower and in
// the higher eight levels, then chosen by the fourth bits. In memory, shared or not, lanes would wait for each other's banks.
// A word has the numbers of a lane's step in the order of its pairs: number e of pair i in bits 8i + 4e to 8i + 4e + 3.

#ifndef LEVELS_H
#define LEVELS_H

#include "tile_quants.h"

// What blocks without levels name.
struct no_levels {
  static constexpr bool ARE_LEVELS = false;
};

// EIGHTHS: a level's unit, in eighths.
template <uint FIRST, uint SECOND, uint THIRD, uint FOURTH, int OFFSET_, int EIGHTHS_>
struct levels {
  static constexpr bool ARE_LEVELS = true;
  static constexpr int OFFSET = OFFSET_, EIGHTHS = EIGHTHS_;

  static inline a_fragment of(uint word) {
    uint places = word & 0x77777777, sides = (word >> 1 & 0x44444444) | 0x32103210;
    a_fragment a;
    for (int i = 0; i < 2; i++) {
      uint lower = __byte_perm(FIRST, SECOND, places >> 16 * i), higher = __byte_perm(THIRD, FOURTH, places >> 16 * i);
      uint four = __byte_perm(lower, higher, sides >> 16 * i);
      a.pair[2 * i] = bytes_as_halves(four, 0);
      a.pair[2 * i + 1] = bytes_as_halves(four, 2);
    }
    return a;
  }

  // Level number i plus OFFSET.
  static inline int level(int i) {
    uint word = i < 8 ? i < 4 ? FIRST : SECOND : i < 12 ? THIRD : FOURTH;
    return word >> 8 * (i % 4) & 255;
  }
};

// IQ4: -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113.
typedef levels<0x3f2d1801, 0x766a5d4f, 0xa6998d81, 0xf1d9c5b5, 128, 8> four_bit_levels;
// Twice the floats of four bits, of which MXFP4 halves the scale: 0 1 2 3 4 6 8 12, then their negatives.
typedef levels<0x0f0e0d0c, 0x18141210, 0x090a0b0c, 0x00040608, 12, 4> four_bit_floats;
// IQ2: 8 25 43, then their negatives.
typedef levels<0x00564433, 0, 0x00001223, 0, 43, 1> two_bit_levels;
// IQ3_XXS: 2 6 10 14 18 22 26 31, then their negatives.
typedef levels<0x2d292521, 0x3e393531, 0x1115191d, 0x0005090d, 31, 4> three_bit_levels;
// IQ3_S: 1 3 5 7 9 11 13 15, then their negatives.
typedef levels<0x16141210, 0x1e1c1a18, 0x080a0c0e, 0x00020406, 15, 8> odd_levels;
// IQ1: -1, 0 or 1 plus an eighth, then minus an eighth, in eighths.
typedef levels<0x00120a02, 0, 0x00100800, 0, 9, 1> shifted_levels;

#endif
