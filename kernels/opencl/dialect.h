// What kernels that are CUDA C++, too (common/), write for what OpenCL C calls otherwise.

#ifndef DIALECT_H
#define DIALECT_H

// CUDA has the word for itself.
#define GLOBAL global
// Of variables that a work-group shares; pointers to them are `local`.
#define SHARED local
#define GROUP_OF(items) __attribute__((reqd_work_group_size(items, 1, 1)))
#define FLOAT2(x, y) (float2)(x, y)
#define INT2(x, y) (int2)(x, y)
// Two 16-bit words, which may lie at any even address, as one.
#define UINT_OF_TWO(p) as_uint(vload2(0, p))
// What each kernel begins with: here launches run one after the other.
#define BEGIN_LAUNCH()

#endif
