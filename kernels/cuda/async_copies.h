// Copies from global to shared memory that go on while a thread computes (cp.async), 16 bytes each; where there are none they are done
// at once. A thread's copies up to each commit_copies are a group; wait_for_copies<N> waits until at most N groups are under way.
// Invariant: other threads see what was copied only behind a barrier that follows the wait.

#ifndef ASYNC_COPIES_H
#define ASYNC_COPIES_H

#include "dialect.h"

static inline void copy_16_bytes(void *shared, const void *global) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;"
               :
               : "r"((uint)__cvta_generic_to_shared(shared)), "l"(global)
               : "memory");
#else
  *(uint4 *)shared = *(const uint4 *)global;
#endif
}

static inline void commit_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int N>
static inline void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" : : "n"(N) : "memory");
#endif
}

#endif
