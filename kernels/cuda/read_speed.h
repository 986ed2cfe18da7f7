// read_speed: adds up memory, as fast as it can be read.
// Threads: each takes every so many-th 16 bytes, eight on their way at once: coalesced. Traffic: all of it once.
// Invariant: the sum shows that all was read.

#include "dialect.h"

#define AT_ONCE 8

kernel void read_speed(const uint4 *memory, ulong count, uint *sum) {
  BEGIN_LAUNCH();
  ulong threads = (ulong)gridDim.x * blockDim.x;
  uint mine = 0;
  for (ulong first = get_global_id(0); first < count; first += threads * AT_ONCE) {
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++) {
      ulong at = first + i * threads;
      if (at < count) {
        uint4 v = memory[at];
        mine += v.x + v.y + v.z + v.w;
      }
    }
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    mine += __shfl_xor_sync(0xffffffff, mine, distance);
  }
  if (threadIdx.x % 32 == 0) {
    atomicAdd(sum, mine);
  }
}
