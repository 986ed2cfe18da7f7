// Quants of four bits that are numbers of levels: 16 whole numbers from -OFFSET on, as IQ4 and the types with codebooks have them, or floats.
// The levels plus OFFSET are the bytes of four registers, and a permutation of bytes looks four of them up at a time: twice, in the lower and in
// the higher eight levels, then chosen by the fourth bits. In memory, shared or not, lanes would wait for each other's banks.

#ifndef LEVELS_H
#define LEVELS_H

#include "tile_quants.h"

// What blocks whose quants are no numbers of levels name: low four bits of number e of pair i in bits 4i + 16e to 4i + 16e + 3.
struct no_levels {
  static constexpr bool ARE_LEVELS = false, ARE_FLOATS = false;
  static constexpr int EIGHTHS = 8;
  static constexpr float UNIT = 1;
  static inline uint placed(uint number, int pair, int e) { return (number & 15) << (4 * pair + 16 * e); }
};

// EIGHTHS: a level's unit, in eighths.
template <uint FIRST, uint SECOND, uint THIRD, uint FOURTH, int OFFSET_, int EIGHTHS_>
struct levels {
  static constexpr bool ARE_LEVELS = true, ARE_FLOATS = false;
  static constexpr int OFFSET = OFFSET_, EIGHTHS = EIGHTHS_;
  // Of a fragment's halves.
  static constexpr float UNIT = LOW_UNIT;

  // The levels of a lane's step, plus OFFSET.
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

  // Number e of pair i of a step stands in bits 8i + 4e to 8i + 4e + 3.
  static inline uint placed(uint number, int pair, int e) { return number << (8 * pair + 4 * e); }
  static inline uint number_in(uint word, int pair, int e) { return word >> (8 * pair + 4 * e) & 15; }

  // Level number i plus OFFSET.
  static inline int level(int i) {
    uint word = i < 8 ? i < 4 ? FIRST : SECOND : i < 12 ? THIRD : FOURTH;
    return word >> 8 * (i % 4) & 255;
  }
};

// Floats of four bits: a sign, two bits of exponent, one of mantissa. Where halves have these bits, they are 2^14 times too small, and exact. Levels
// are twice the floats, so that they are whole.
struct four_bit_floats {
  static constexpr bool ARE_LEVELS = true, ARE_FLOATS = true;
  static constexpr int OFFSET = 0, EIGHTHS = 4;
  static constexpr float UNIT = 32768.0f;

  static inline a_fragment of(uint word) {
    a_fragment a;
    a.pair[0] = word & 0x8e008e00;
    a.pair[1] = word << 3 & 0x8e008e00;
    a.pair[2] = (word << 1 & 0x80008000) | (word << 6 & 0x0e000e00);
    a.pair[3] = (word << 2 & 0x80008000) | (word << 9 & 0x0e000e00);
    return a;
  }

  // Of each 16 bits, those of pair 0 stand where halves have them, those of pair 1 three bits lower; of pairs 2 and 3 signs one and two bits lower, the
  // others six and nine.
  static inline int sign_below(int pair) { return pair == 1 ? 3 : pair == 0 ? 0 : pair - 1; }
  static inline uint placed(uint number, int pair, int e) {
    return (number >> 3 << (15 - sign_below(pair)) | (number & 7) << (9 - 3 * pair)) << 16 * e;
  }
  static inline uint number_in(uint word, int pair, int e) {
    uint bits = word >> 16 * e;
    return (bits >> (15 - sign_below(pair)) & 1) << 3 | (bits >> (9 - 3 * pair) & 7);
  }

  static inline int level(int i) {
    int exponent = i / 2 % 4, mantissa = i % 2;
    int size = exponent == 0 ? mantissa : (2 + mantissa) << (exponent - 1);
    return i < 8 ? size : -size;
  }
};

// IQ4: -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113.
typedef levels<0x3f2d1801, 0x766a5d4f, 0xa6998d81, 0xf1d9c5b5, 128, 8> four_bit_levels;
// IQ2: 8 25 43, then their negatives.
typedef levels<0x00564433, 0, 0x00001223, 0, 43, 1> two_bit_levels;
// IQ3_XXS: 2 6 10 14 18 22 26 31, then their negatives.
typedef levels<0x2d292521, 0x3e393531, 0x1115191d, 0x0005090d, 31, 4> three_bit_levels;
// IQ3_S: 1 3 5 7 9 11 13 15, then their negatives.
typedef levels<0x16141210, 0x1e1c1a18, 0x080a0c0e, 0x00020406, 15, 8> odd_levels;
// IQ1: -1, 0 or 1 plus an eighth, then minus an eighth, in eighths.
typedef levels<0x00120a02, 0, 0x00100800, 0, 9, 1> shifted_levels;

#endif
