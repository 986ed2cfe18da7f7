// Products of four bytes each and their sum: one instruction on devices with cl_khr_integer_dot_product. Others can do the same in
// several, so that kernels can be tried and tested on them.

#ifndef BYTE_DOTS_H
#define BYTE_DOTS_H

#ifdef __opencl_c_integer_dot_product_input_4x8bit_packed
static inline int dot_4(int w, int x) { return dot_4x8packed_ss_int(w, x); }
#else
static inline int dot_4(int w, int x) {
  int4 products = convert_int4(as_char4(w)) * convert_int4(as_char4(x));
  return products.x + products.y + (products.z + products.w);
}
#endif

static inline int dots_1(int w, int x, int sum) { return sum + dot_4(w, x); }
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
