// Pairs of halves of what eight-bit floats (eight_bit_floats.h) stand for, divided by 256: moved to where halves have them, whose exponents count
// from another zero. So each is exact, small ones as subnormal halves.

#ifndef EIGHT_BIT_HALVES_H
#define EIGHT_BIT_HALVES_H

#include "dialect.h"

#define EIGHT_BIT_UNIT 256

// Of the second and the fourth byte; the others may be anything. What is no number becomes ±480 / 256.
static inline uint halves_of_bytes(uint tops) { return (tops & 0x80008000) | (tops >> 1 & 0x3f803f80); }

// The same, but what is no number stays so: a carry out of all seven bits makes it one of halves.
static inline uint halves_or_none_of_bytes(uint tops) {
  uint carried = (tops >> 1 & 0x3f803f80) + 0x00800080;
  return halves_of_bytes(tops) | (carried & 0x40004000);
}

// Of two neighbouring bytes of a word, from number `first` on.
static inline uint halves_of_neighbours(uint word, int first) {
  return halves_or_none_of_bytes(__byte_perm(word, 0, first == 0 ? 0x1404 : 0x3424));
}

#endif
