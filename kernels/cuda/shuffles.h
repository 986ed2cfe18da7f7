// Shuffles of blocks that are the first `lanes` threads of one warp, a power of two; all of them call it together.

#ifndef SHUFFLES_H
#define SHUFFLES_H

#define HAS_SHUFFLES

// What the lane has whose number differs in one bit.
template <class T>
static inline T shuffle_xor(T value, int bit, int lanes) {
  return __shfl_xor_sync(0xffffffff >> (32 - lanes), value, bit);
}

#endif
