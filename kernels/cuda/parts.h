// The matrices of one launch, PARTS of them, and where their products go: what such kernels take.

#ifndef PARTS_H
#define PARTS_H

#include "weight_tiles.h"

struct part {
  const uchar *weights;
  float *y;
  int rows;
};

#if PARTS == 1
#define PART_PARAMETERS const uchar *w0, float *y0, int rows0
#elif PARTS == 2
#define PART_PARAMETERS const uchar *w0, float *y0, int rows0, const uchar *w1, float *y1, int rows1
#else
#define PART_PARAMETERS \
  const uchar *w0, float *y0, int rows0, const uchar *w1, float *y1, int rows1, const uchar *w2, float *y2, int rows2
#endif

static inline int tiles_of(int rows) { return (rows + TILE_ROWS - 1) / TILE_ROWS; }

#endif
