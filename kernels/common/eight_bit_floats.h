// Floats of eight bits: E4M3, the OCP's format of a sign, four bits of exponent and three of mantissa, which has no
// infinities. Of what is no number in it, 0x7f and 0xff, each user says what it becomes.

#ifndef EIGHT_BIT_FLOATS_H
#define EIGHT_BIT_FLOATS_H

#include "dialect.h"

// ±480 for what is no number. Not by subnormal floats, which some devices don't have.
static inline float eight_bit_float(uchar bits) {
  int magnitude = bits & 127;
  float x = magnitude < 8 ? magnitude * 0x1p-9f : as_float((magnitude << 20) + (120 << 23));
  return bits & 128 ? -x : x;
}

// The nearest, ties to even; the largest, 448, for what is beyond it; 0x7f for what is no number.
static inline uchar to_eight_bit_float(float x) {
  uint bits = as_uint(x), size = bits & 0x7fffffff, most = as_uint(448.0f);
  if (size > 0x7f800000) {
    return 0x7f;
  }
  size = size < most ? size : most;
  // The last place of 2^14 in float32 is that of subnormal numbers here, so the sum rounds.
  uint rounded = size < as_uint(0x1p-6f) ? as_uint(as_float(size) + 0x1p14f) - as_uint(0x1p14f)
                                         : (size - (120 << 23) + 0x7ffff + (size >> 20 & 1)) >> 20;
  return (uchar)(bits >> 24 & 128 | rounded);
}

#endif
