// Sums over the LANES items of dimension 0 that share a row, by a tree in local memory; or by the device's sub-groups, if
// SUB_GROUPS is defined, and the work-group then has no other items: so it does not matter which of them a sub-group holds.
// Where LANES is 1 an item's value is the sum. Invariant: every item of the work-group calls it.

#ifndef LANES_H
#define LANES_H

#include "dialect.h"

#if defined(SUB_GROUPS) && LANES > 1
#ifdef cl_khr_subgroups
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#else
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#endif
#endif

// The sum in all lanes. `shared` has a place for each lane, and can be used again at once.
static inline float sum_lanes(float value, int lane, local float *shared) {
#if LANES == 1
  return value;
#elif defined(SUB_GROUPS)
  float sum = sub_group_reduce_add(value);
  int count = get_num_sub_groups();
  if (count > 1) {
    if (get_sub_group_local_id() == 0) {
      shared[get_sub_group_id()] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    sum = shared[0];
    for (int i = 1; i < count; i++) {
      sum += shared[i];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return sum;
#else
  shared[lane] = value;
  for (int half_of = LANES / 2; half_of > 0; half_of /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_of) {
      shared[lane] += shared[lane + half_of];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  float sum = shared[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return sum;
#endif
}

#endif
