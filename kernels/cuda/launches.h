// Launches that overlap (programmatic dependent launch): where the host asks for it, a kernel starts once all blocks of the one before
// it have called start_next_launch, and may read what no kernel of the step writes: weights, what the host brought, and what steps before
// have left in the cache; await_last_launch waits until all that was launched before is done and seen. Invariant: whoever calls the first
// and does not end calls the second, before it reads or writes anything else.

#ifndef LAUNCHES_H
#define LAUNCHES_H

static inline void start_next_launch() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

static inline void await_last_launch() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

#endif
