// Products of many tokens (a prompt) with a matrix of weights:
//   y[t * y_columns + first_row + r] = sum over c of x[t * COLUMNS + c] * w[r][c]
// for r < weight_rows and t < counts[which]; w begins at byte `at` of its buffer.
//
// A work-group computes a tile of GROUP_ROWS x GROUP_TOKENS results. DEPTH columns at a time, its items decode the tile's
// weights into local memory, transposed (the rows of a column lie side by side, so that they load as vectors), and
// copy the tile's x beside them. Then each item adds the outer products of DEPTH columns to its results, which it keeps in
// registers: ROW_VECTORS vectors of VECTOR rows for each of TOKENS_PER_ITEM tokens; and again for TOKEN_TILES such tiles,
// which lets a CPU, where a work-group is one item, use decoded weights for more tokens than it has registers for.
// (Blocking for registers and caches as in Goto and van de Geijn 2008, doi:10.1145/1356052.1356053.)
//
// Items: work-groups are ROW_ITEMS x TOKEN_ITEMS, and have rows and tokens as token_tiles.h says.
// Memory traffic: the weights once per GROUP_TOKENS tokens, x once per GROUP_ROWS rows.
//
// Where HALF_TILES is defined, tiles are of half precision, as are products and their sums over short runs of columns, which are
// added in float32. Who asks for that has weights of half precision, so that nothing but x is rounded before it is multiplied.
//
// Invariants: outside of the matrix, of COLUMNS and of the tokens, tiles hold zeros, nothing is read and nothing is
// written. Groups without tokens return as one, so all items reach every barrier.
//
// Defines: WEIGHT_*, COLUMNS, ROW_ITEMS, TOKEN_ITEMS, VECTOR (1, 2, 4, 8 or 16), ROW_VECTORS, TOKENS_PER_ITEM, TOKEN_TILES, DEPTH (a
// multiple of 16), HALF_TILES (optional). Local memory: 4 DEPTH (GROUP_ROWS + GROUP_TOKENS) bytes, and a little padding.
//
// global size: ceil(weight_rows / GROUP_ROWS) * ROW_ITEMS, ceil(tokens / GROUP_TOKENS) * TOKEN_ITEMS.

#include "token_tiles.h"

// Columns whose products are added in half precision, where tiles are of it. A NMSE of 1.5e-7 and 4.1e-7 was measured at 4 and 16.
#define HALF_RUN 8

// Copies x of GROUP_TOKENS tokens, of which `tokens` exist. Neighboring items take neighboring columns.
static inline void fill_x(global const float *x, int tokens, int from, int item, local tile_value *tile) {
  for (int unit = item; unit < GROUP_TOKENS * CHUNKS; unit += ITEMS) {
    int token = unit / CHUNKS;
    int depth = unit % CHUNKS * 16;
    float16 values = token < tokens ? x_16(x + (ulong)token * COLUMNS, from + depth) : (float16)(0);
    vstore16(to_tile(values), 0, tile + token * X_STRIDE + depth);
  }
}

// Adds the outer products of an item's rows and tokens, of columns `from` to `to` of the tiles.
static inline void add_products(
    local const tile_value *w_tile,
    local const tile_value *x_items,
    int row_item,
    int from,
    int to,
    tile_values (*sums)[ROW_VECTORS]) {
  for (int k = from; k < to; k++) {
    tile_values weights[ROW_VECTORS];
#pragma unroll
    for (int v = 0; v < ROW_VECTORS; v++) {
      weights[v] = LOAD(w_tile + k * GROUP_ROWS + (v * ROW_ITEMS + row_item) * VECTOR);
    }
#pragma unroll
    for (int t = 0; t < TOKENS_PER_ITEM; t++) {
      tile_values x_value = (tile_values)(x_items[t * TOKEN_ITEMS * X_STRIDE + k]);
#pragma unroll
      for (int v = 0; v < ROW_VECTORS; v++) {
        sums[t][v] = fma(weights[v], x_value, sums[t][v]);
      }
    }
  }
}

kernel __attribute__((reqd_work_group_size(ROW_ITEMS, TOKEN_ITEMS, 1))) void mat_mul(
    global const float *x,
    global const uchar *w,
    ulong at,
    int first_row,
    int weight_rows,
    global float *y,
    int y_columns,
    global const int *counts,
    int which) {
  local tile_value w_tile[DEPTH * GROUP_ROWS];
  local tile_value x_tile[GROUP_TOKENS * X_STRIDE];
  int row_item = (int)get_local_id(0);
  int token_item = (int)get_local_id(1);
  int item = token_item * ROW_ITEMS + row_item;
  int row = (int)get_group_id(0) * GROUP_ROWS;
  int token = (int)get_group_id(1) * GROUP_TOKENS;
  int tokens = min(counts[which] - token, GROUP_TOKENS);
  int rows = min(weight_rows - row, GROUP_ROWS);
  if (tokens <= 0 || rows <= 0) {
    return;
  }
  x += (ulong)token * COLUMNS;
  w += at + (ulong)row * ROW_BYTES;
  y += (ulong)token * y_columns + first_row + row;
  int tiles = TOKEN_TILES == 1 ? 1 : (tokens + TILE_TOKENS - 1) / TILE_TOKENS;

  floats sums[TOKEN_TILES][TOKENS_PER_ITEM][ROW_VECTORS];
  clear(sums);

  for (int from = 0; from < COLUMNS; from += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    fill_weights(w, rows, from, item, w_tile);
    fill_x(x, tokens, from, item, x_tile);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int tile = 0; tile < tiles; tile++) {
      floats sum[TOKENS_PER_ITEM][ROW_VECTORS];
#pragma unroll
      for (int t = 0; t < TOKENS_PER_ITEM; t++) {
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          sum[t][v] = sums[tile][t][v];
        }
      }
      local const tile_value *x_items = x_tile + (tile * TILE_TOKENS + token_item) * X_STRIDE;
#ifdef HALF_TILES
      for (int from_run = 0; from_run < DEPTH; from_run += HALF_RUN) {
        tile_values run[TOKENS_PER_ITEM][ROW_VECTORS];
#pragma unroll
        for (int t = 0; t < TOKENS_PER_ITEM; t++) {
#pragma unroll
          for (int v = 0; v < ROW_VECTORS; v++) {
            run[t][v] = (tile_values)(0);
          }
        }
        add_products(w_tile, x_items, row_item, from_run, from_run + HALF_RUN, run);
#pragma unroll
        for (int t = 0; t < TOKENS_PER_ITEM; t++) {
#pragma unroll
          for (int v = 0; v < ROW_VECTORS; v++) {
            sum[t][v] += TO_FLOATS(run[t][v]);
          }
        }
      }
#else
      add_products(w_tile, x_items, row_item, 0, DEPTH, sum);
#endif
#pragma unroll
      for (int t = 0; t < TOKENS_PER_ITEM; t++) {
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          sums[tile][t][v] = sum[t][v];
        }
      }
    }
  }

  store(sums, rows, row_item, tokens, token_item, y, y_columns);
  // Nothing waits for this one. Without it PoCL 3.1 drops the condition of the last store, and items write behind the end.
  barrier(CLK_LOCAL_MEM_FENCE);
}
