// Products of four bytes each and their sum, one instruction on devices with cl_khr_integer_dot_product.

#ifndef BYTE_DOTS_H
#define BYTE_DOTS_H

static inline int dots_1(int w, int x, int sum) { return sum + dot_4x8packed_ss_int(w, x); }
static inline int2 dots_2(int2 w, int x, int2 sum) { return (int2)(dots_1(w.x, x, sum.x), dots_1(w.y, x, sum.y)); }
static inline int4 dots_4(int4 w, int x, int4 sum) { return (int4)(dots_2(w.lo, x, sum.lo), dots_2(w.hi, x, sum.hi)); }
static inline int8 dots_8(int8 w, int x, int8 sum) { return (int8)(dots_4(w.lo, x, sum.lo), dots_4(w.hi, x, sum.hi)); }
static inline int16 dots_16(int16 w, int x, int16 sum) { return (int16)(dots_8(w.lo, x, sum.lo), dots_8(w.hi, x, sum.hi)); }
// Those of a vector of VECTOR rows with the same four columns of x, added to sums.
#define DOTS(w, x, sum) JOIN(dots_, VECTOR)(w, x, sum)

// The product of 16 columns, added to a sum.
static inline int dot_16(int4 w, int4 x, int sum) {
  sum = dots_1(w.x, x.x, sum);
  sum = dots_1(w.y, x.y, sum);
  sum = dots_1(w.z, x.z, sum);
  return dots_1(w.w, x.w, sum);
}

#endif
