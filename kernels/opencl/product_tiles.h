// What tiled products share: a work-group's tile of decoded weights in local memory, and its results.
// Defines: WEIGHT_*, COLUMNS, ROW_ITEMS, VECTOR, ROW_VECTORS, DEPTH (a multiple of 16), ITEMS (all items of a work-group), HALF_TILES
// (optional: tiles are of half precision).

#ifndef PRODUCT_TILES_H
#define PRODUCT_TILES_H

#include "tile_values.h"
#include "weights.h"

#define GROUP_ROWS (ROW_ITEMS * ROW_VECTORS * VECTOR)
#define CHUNKS (DEPTH / 16)
// Padding spreads a column of different tokens over the banks of a GPU's local memory and the sets of a CPU's cache.
#define X_STRIDE (DEPTH + 1)

// 16 columns of a row, zeros behind its end.
static inline float16 weights_16(global const uchar *row, int column) {
  if (column + 16 <= COLUMNS) {
    return decode_16(row, column);
  }
  float sixteen[16];
  for (int i = 0; i < 16; i++) {
    sixteen[i] = column + i < COLUMNS ? weight_at(row, column + i) : 0.0f;
  }
  return vload16(0, sixteen);
}

static inline float16 x_16(global const float *x, int column) {
  if (column + 16 <= COLUMNS) {
#if COLUMNS % 4 == 0
    global const float4 *four = (global const float4 *)(x + column);
    return (float16)(four[0], four[1], four[2], four[3]);
#else
    return vload16(0, x + column);
#endif
  }
  float sixteen[16];
  for (int i = 0; i < 16; i++) {
    sixteen[i] = column + i < COLUMNS ? x[column + i] : 0.0f;
  }
  return vload16(0, sixteen);
}

// Decodes the weights of GROUP_ROWS rows, of which `rows` exist, from column `from` on. Neighboring items take
// neighboring rows, which they write side by side.
static inline void fill_weights(
    global const uchar *w, int rows, int from, int item, local tile_value *tile) {
  for (int unit = item; unit < GROUP_ROWS * CHUNKS; unit += ITEMS) {
    int row = unit % GROUP_ROWS;
    int depth = unit / GROUP_ROWS * 16;
    float16 decoded = row < rows ? weights_16(w + (ulong)row * ROW_BYTES, from + depth) : (float16)(0);
    tile_value sixteen[16];
    vstore16(to_tile(decoded), 0, sixteen);
#pragma unroll
    for (int i = 0; i < 16; i++) {
      tile[(depth + i) * GROUP_ROWS + row] = sixteen[i];
    }
  }
}

// Stores the first `count` of a vector's elements, none if it is not positive.
static inline void store_part(floats value, int count, global float *to) {
  float values[VECTOR];
  STORE(value, values);
#pragma unroll
  for (int i = 0; i < VECTOR; i++) {
    if (i < count) {
      to[i] = values[i];
    }
  }
}

#endif
