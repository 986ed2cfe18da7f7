// Results of tiled products of neighboring tokens: a work-group of ROW_ITEMS x TOKEN_ITEMS has GROUP_ROWS rows for GROUP_TOKENS
// tokens. Item (i, j) has rows (v * ROW_ITEMS + i) * VECTOR + 0 .. VECTOR - 1, so that neighbors read neighboring vectors from
// local memory, and tokens (tile * TOKENS_PER_ITEM + n) * TOKEN_ITEMS + j.
// Defines: WEIGHT_*, COLUMNS, ROW_ITEMS, TOKEN_ITEMS, VECTOR, ROW_VECTORS, TOKENS_PER_ITEM, TOKEN_TILES, DEPTH.

#ifndef TOKEN_TILES_H
#define TOKEN_TILES_H

#define TILE_TOKENS (TOKEN_ITEMS * TOKENS_PER_ITEM)
#define GROUP_TOKENS (TOKEN_TILES * TILE_TOKENS)
#define ITEMS (ROW_ITEMS * TOKEN_ITEMS)

#include "product_tiles.h"

static inline void clear(floats (*sums)[TOKENS_PER_ITEM][ROW_VECTORS]) {
  for (int tile = 0; tile < TOKEN_TILES; tile++) {
#pragma unroll
    for (int t = 0; t < TOKENS_PER_ITEM; t++) {
#pragma unroll
      for (int v = 0; v < ROW_VECTORS; v++) {
        sums[tile][t][v] = (floats)(0);
      }
    }
  }
}

// Stores a group's results, of which `rows` and `tokens` exist.
static inline void store(
    floats (*sums)[TOKENS_PER_ITEM][ROW_VECTORS],
    int rows,
    int row_item,
    int tokens,
    int token_item,
    global float *y,
    int y_columns) {
  // Whole or partial stores are chosen for the whole group, not by each item: quicker on a GPU.
  for (int tile = 0; tile < TOKEN_TILES; tile++) {
#pragma unroll
    for (int t = 0; t < TOKENS_PER_ITEM; t++) {
      int n = (tile * TOKENS_PER_ITEM + t) * TOKEN_ITEMS + token_item;
#pragma unroll
      for (int v = 0; v < ROW_VECTORS; v++) {
        int r = (v * ROW_ITEMS + row_item) * VECTOR;
        global float *to = y + (ulong)n * y_columns + r;
        if (n < tokens) {
          if (rows == GROUP_ROWS) {
            STORE(sums[tile][t][v], to);
          } else {
            store_part(sums[tile][t][v], rows - r, to);
          }
        }
      }
    }
  }
}

#endif
