// OpenCL C as far as kernels in common/ use it, in CUDA C++. An item is a thread, a work-group a block, local memory shared
// memory. Sources are compiled with --device-as-default-execution-space, and with --fmad=false: a product and a sum are
// rounded each, where fma is not asked for.

#ifndef DIALECT_H
#define DIALECT_H

#include "launches.h"

#define kernel extern "C" __global__
#define GLOBAL
// Of pointers; variables are SHARED.
#define local
#define SHARED __shared__
#define GROUP_OF(items) __launch_bounds__(items)

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long long ulong;
// Its bits alone.
typedef unsigned short half;
#define long long long

#define LONG_MAX 0x7fffffffffffffffLL
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#define FLOAT2(x, y) make_float2(x, y)
#define INT2(x, y) make_int2(x, y)

#define UINT_OF_TWO(p) ((uint)(p)[0] | (uint)(p)[1] << 16)

#define CLK_LOCAL_MEM_FENCE
#define CLK_GLOBAL_MEM_FENCE
#define BEGIN_LAUNCH() (start_next_launch(), await_last_launch())
#define barrier(fence) __syncthreads()

static inline uint along(uint3 v, int dimension) { return dimension == 0 ? v.x : dimension == 1 ? v.y : v.z; }
static inline size_t get_local_id(int dimension) { return along(threadIdx, dimension); }
static inline size_t get_group_id(int dimension) { return along(blockIdx, dimension); }
static inline size_t get_global_id(int dimension) {
  uint size = dimension == 0 ? blockDim.x : dimension == 1 ? blockDim.y : blockDim.z;
  return (size_t)along(blockIdx, dimension) * size + along(threadIdx, dimension);
}

static inline float as_float(uint bits) { return __uint_as_float(bits); }
static inline float as_float(int bits) { return __int_as_float(bits); }
static inline uint as_uint(float x) { return __float_as_uint(x); }
static inline char as_char(uchar x) { return (char)x; }
static inline uchar as_uchar(char x) { return (uchar)x; }

static inline long clamp(long x, long least, long most) { return x < least ? least : x > most ? most : x; }
static inline int clamp(int x, int least, int most) { return x < least ? least : x > most ? most : x; }
static inline uint popcount(uint x) { return __popc(x); }
static inline ulong mul_hi(ulong a, ulong b) { return __umul64hi(a, b); }
static inline uint atomic_add(uint *sum, uint value) { return atomicAdd(sum, value); }

static inline float vload_half(size_t i, const half *at) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(at[i]));
  return x;
}
static inline void vstore_half_rte(float x, size_t i, half *at) {
  ushort bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  at[i] = bits;
}

#endif
