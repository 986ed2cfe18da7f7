// Vectors of one float: what the OpenCL kernels' vectors (opencl/vectors.h) are to a plain kernel.

#ifndef VECTORS_H
#define VECTORS_H

typedef float floats;
typedef float2 twice_floats;
#define LOAD(p) (*(p))
#define STORE(x, p) (*(p) = (x))
#define LOAD_TWICE(p) FLOAT2((p)[0], (p)[1])
#define STORE_TWICE(v, p) ((p)[0] = (v).x, (p)[1] = (v).y)
#define EVENS(v) (v).x
#define ODDS(v) (v).y

#endif
