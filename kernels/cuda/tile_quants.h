// Quants of tiles (weight_tiles.h) as fragments for tensor cores.

#ifndef TILE_QUANTS_H
#define TILE_QUANTS_H

#include "matrix_units.h"

#define LOW_UNIT 16777216.0f
#define HIGH_UNIT 1048576.0f

static inline uint4 uint4_at(const uchar *at) { return *(const uint4 *)at; }
static inline uint2 uint2_at(const uchar *at) { return *(const uint2 *)at; }

// The lane's of lines of 16 bytes for each lane.
template <int LINES>
static inline void load_lines(uint4 (&to)[LINES], const uchar *from, int lane) {
  for (int i = 0; i < LINES; i++) {
    to[i] = uint4_at(from + 512 * i + 16 * lane);
  }
}

static inline uint word_of(uint4 v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

// What a mask leaves of the four bits of each number.
template <uint MASK = 15>
static inline a_fragment nibbles(uint word) {
  constexpr uint LOW = MASK * 0x00010001, HIGH = LOW << 4;
  a_fragment a;
  uint above = word >> 8;
  a.pair[0] = word & LOW;
  a.pair[1] = word & HIGH;
  a.pair[2] = above & LOW;
  a.pair[3] = above & HIGH;
  return a;
}

static inline uint shifted_right(uint word, int by) { return by >= 0 ? word >> by : word << -by; }

// Four bits of each number, and above them what a mask leaves of those that stand `by` bits higher in words of their own.
template <uint MASK>
static inline a_fragment nibbles_below(uint word, uint highs, int by) {
  constexpr uint LOW = MASK * 0x00100010, HIGH = LOW << 4;
  a_fragment a = nibbles(word);
  uint first = shifted_right(highs, by - 4), second = shifted_right(highs, by + 4);
  a.pair[0] |= first & LOW;
  a.pair[1] |= first & HIGH;
  a.pair[2] |= second & LOW;
  a.pair[3] |= second & HIGH;
  return a;
}

// Two neighbouring bytes of a word, from number `first` on, plus 1024, as the numbers that halves are.
static inline uint bytes_above_1024(uint word, int first) { return __byte_perm(word, 0x64646464, first == 0 ? 0x4140 : 0x4342); }

// Two neighbouring bytes of a word, from number `first` on, as subnormal halves.
static inline uint bytes_as_halves(uint word, int first) { return __byte_perm(word, 0, first == 0 ? 0x4140 : 0x4342); }

#endif
