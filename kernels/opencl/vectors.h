// Vectors of VECTOR floats (1, 2, 4, 8 or 16): one item's unit of work. On a processor they are its own vectors; on a
// graphics processor they make loads wide.

#ifndef VECTORS_H
#define VECTORS_H

// Before loops over private arrays that are in no inner loop. Where many items share a group's work, the arrays should be
// registers, and indexes constants; where one has vectors of its own, copies of such code only cost the compiler time.
#ifdef MANY_ITEMS
#define FLATTENED _Pragma("unroll")
#else
#define FLATTENED
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#if VECTOR == 1
typedef float floats;
typedef int ints;
typedef uint uints;
#define LOAD(p) (*(p))
#define STORE(x, p) (*(p) = (x))
#define LOAD_HALVES(p) vload_half(0, p)
#define TO_FLOATS(x) convert_float(x)
#define TO_UINTS(x) convert_uint(x)
#define AS_FLOATS(x) as_float(x)
#define AS_UINTS(x) as_uint(x)
#else
typedef JOIN(float, VECTOR) floats;
typedef JOIN(int, VECTOR) ints;
typedef JOIN(uint, VECTOR) uints;
#define LOAD(p) JOIN(vload, VECTOR)(0, p)
#define STORE(x, p) JOIN(vstore, VECTOR)(x, 0, p)
// From an address that is a multiple of the vector's size.
#define LOAD_HALVES(p) JOIN(vloada_half, VECTOR)(0, p)
#define TO_FLOATS(x) JOIN(convert_float, VECTOR)(x)
#define TO_UINTS(x) JOIN(convert_uint, VECTOR)(x)
#define AS_FLOATS(x) JOIN(as_float, VECTOR)(x)
#define AS_UINTS(x) JOIN(as_uint, VECTOR)(x)
#endif

// Vectors of twice as many, whose even and odd elements are vectors.
#define TWICE_1 2
#define TWICE_2 4
#define TWICE_4 8
#define TWICE_8 16
#define LOAD_TWICE(p) JOIN(vload, JOIN(TWICE_, VECTOR))(0, p)
#define STORE_TWICE(x, p) JOIN(vstore, JOIN(TWICE_, VECTOR))(x, 0, p)
#define EVENS(v) (v).even
#define ODDS(v) (v).odd
#if VECTOR <= 8
typedef JOIN(float, JOIN(TWICE_, VECTOR)) twice_floats;
#endif

static inline float sum_1(float x) { return x; }
static inline float sum_2(float2 x) { return x.x + x.y; }
static inline float sum_4(float4 x) { return sum_2(x.lo + x.hi); }
static inline float sum_8(float8 x) { return sum_4(x.lo + x.hi); }
static inline float sum_16(float16 x) { return sum_8(x.lo + x.hi); }
#define SUM(x) JOIN(sum_, VECTOR)(x)

static inline float most_1(float x) { return x; }
static inline float most_2(float2 x) { return fmax(x.x, x.y); }
static inline float most_4(float4 x) { return most_2(fmax(x.lo, x.hi)); }
static inline float most_8(float8 x) { return most_4(fmax(x.lo, x.hi)); }
static inline float most_16(float16 x) { return most_8(fmax(x.lo, x.hi)); }
#define MOST(x) JOIN(most_, VECTOR)(x)

#endif
