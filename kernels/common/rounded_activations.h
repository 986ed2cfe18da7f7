// Activations rounded to bytes, for products of integers: blocks of 32 columns with one scale, x = scale * q, as in Q8_0. The sums
// of each half of a block's bytes are kept beside them: where a weight is s * w + m, they multiply m.

#ifndef ROUNDED_ACTIVATIONS_H
#define ROUNDED_ACTIVATIONS_H

typedef struct {
  float scale;
  short sums[2];
  // Four columns each, the first in the lowest byte.
  int q[8];
} rounded_block;

#endif
