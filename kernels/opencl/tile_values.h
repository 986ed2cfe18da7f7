// What tiles in local memory hold: floats, or halves where HALF_TILES is defined. A half takes half the room, and devices with
// cl_khr_fp16 can multiply two of them in the time of a float.
// Defines: VECTOR, HALF_TILES (optional).

#ifndef TILE_VALUES_H
#define TILE_VALUES_H

#include "vectors.h"

#ifdef HALF_TILES
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#if VECTOR == 1
typedef half tile_values;
#else
typedef JOIN(half, VECTOR) tile_values;
#endif
typedef half tile_value;
typedef half16 tile_16;
// Numbers beyond the range of halves become the nearest within; a NaN stays one.
static inline half16 to_tile(float16 x) {
  float16 most = (float16)(65504);
  return convert_half16(select(x, copysign(most, x), fabs(x) > most));
}
#else
typedef floats tile_values;
typedef float tile_value;
typedef float16 tile_16;
static inline float16 to_tile(float16 x) {
  return x;
}
#endif

#endif
