// The largest of a block's numbers, in all its threads. `room` has a place for each of its WARPS_OF_BLOCK warps. NaNs are passed over.
// Invariant: every thread of the block calls it.

#ifndef BLOCK_MAXIMUM_H
#define BLOCK_MAXIMUM_H

#include "dialect.h"

template <int WARPS_OF_BLOCK>
static inline float block_max(float value, float *room) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, distance));
  }
  if (threadIdx.x % 32 == 0) {
    room[threadIdx.x / 32] = value;
  }
  __syncthreads();
  value = room[0];
  for (int i = 1; i < WARPS_OF_BLOCK; i++) {
    value = fmaxf(value, room[i]);
  }
  return value;
}

#endif
