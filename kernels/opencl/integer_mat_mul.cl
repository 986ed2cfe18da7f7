// Products of many tokens (a prompt) with a matrix of weights, as mat_mul.cl, but of integers: with activations that are rounded to
// bytes (rounded_activations.h) and the bytes that weights are made of (weight_runs.h).
//
// A work-group's tile is that of mat_mul.cl. DEPTH columns at a time, as many as neighboring pairs of runs cover, items unpack
// the tile's weights into local memory, four columns in an int, transposed; their scales, one for RUN_COLUMNS columns of a row,
// and minima lie in tiles beside them, as do x and its scales. Then each item adds the products of RUN_COLUMNS columns, which are
// exact, as integers, scales them by both operands' scales, and adds them to its results in float32.
//
// Items: work-groups are ROW_ITEMS x TOKEN_ITEMS, and have rows and tokens as token_tiles.h says.
// Memory traffic: the weights once per GROUP_TOKENS tokens, x once per GROUP_ROWS rows.
//
// Invariants: COLUMNS is a multiple of DEPTH, since blocks are. Outside of the matrix and of the tokens, tiles hold zeros, nothing
// is read and nothing is written. Groups without tokens return as one, so all items reach every barrier.
//
// Defines: INTEGER_DOT, WEIGHT_* (a type of weight_runs.h), COLUMNS, ROW_ITEMS, TOKEN_ITEMS, VECTOR (1, 2, 4, 8 or 16), ROW_VECTORS,
// TOKENS_PER_ITEM, TOKEN_TILES. Local memory: at most 192 (GROUP_ROWS + GROUP_TOKENS) bytes.
//
// global size: ceil(weight_rows / GROUP_ROWS) * ROW_ITEMS, ceil(tokens / GROUP_TOKENS) * TOKEN_ITEMS.

#include "byte_dots.h"
#include "rounded_activations.h"
#include "weight_runs.h"

#define DEPTH (2 * PAIR_DISTANCE)
#include "token_tiles.h"

#define DEPTH_INTS (DEPTH / 4)
#define DEPTH_BLOCKS (DEPTH / 32)
#define DEPTH_PAIRS (DEPTH / 32)
#define RUNS (DEPTH / RUN_COLUMNS)
#define RUN_INTS (RUN_COLUMNS / 4)
// Padding spreads a column of different tokens over the banks of a GPU's local memory.
#define X_INTS (DEPTH_INTS + 1)

static inline void fill_run(
    weight_run run, int column, int row, local int *q_tile, local float *scale_tile, local float *minimum_tile) {
  int q[4];
  vstore4(run.q, 0, q);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    q_tile[(column / 4 + i) * GROUP_ROWS + row] = q[i];
  }
  if (column % RUN_COLUMNS == 0) {
    scale_tile[column / RUN_COLUMNS * GROUP_ROWS + row] = run.scale;
#ifdef MINIMA
    minimum_tile[column / RUN_COLUMNS * GROUP_ROWS + row] = run.minimum;
#endif
  }
}

// Unpacks the weights of GROUP_ROWS rows, of which `rows` exist, from column `from` on. Neighboring items take neighboring
// rows, which they write side by side.
static inline void fill_runs(
    global const uchar *w,
    int rows,
    int from,
    int item,
    local int *q_tile,
    local float *scale_tile,
    local float *minimum_tile) {
  for (int unit = item; unit < GROUP_ROWS * DEPTH_PAIRS; unit += ITEMS) {
    int row = unit % GROUP_ROWS;
    int pair = unit / GROUP_ROWS;
    weight_run low = {(int4)(0), 0, 0};
    weight_run high = {(int4)(0), 0, 0};
    if (row < rows) {
      int pair_of_row = from / 32 + pair;
      global const uchar *block =
          w + (ulong)row * ROW_BYTES + (ulong)(pair_of_row / PAIRS_PER_BLOCK) * BLOCK_BYTES;
      runs_of_pair(block, shared_of(block), pair_of_row % PAIRS_PER_BLOCK, &low, &high);
    }
    fill_run(low, 16 * pair, row, q_tile, scale_tile, minimum_tile);
    fill_run(high, PAIR_DISTANCE + 16 * pair, row, q_tile, scale_tile, minimum_tile);
  }
}

// Copies x of GROUP_TOKENS tokens, of which `tokens` exist. Neighboring items take neighboring blocks. Sums are scaled.
static inline void fill_rounded(
    global const rounded_block *x,
    int tokens,
    int from,
    int item,
    local int *q_tile,
    local float *scale_tile,
    local float *sum_tile) {
  for (int unit = item; unit < GROUP_TOKENS * DEPTH_BLOCKS; unit += ITEMS) {
    int token = unit / DEPTH_BLOCKS;
    int block = unit % DEPTH_BLOCKS;
    rounded_block rounded = {0, {0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}};
    if (token < tokens) {
      rounded = x[(ulong)token * (COLUMNS / 32) + from / 32 + block];
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
      q_tile[token * X_INTS + 8 * block + i] = rounded.q[i];
    }
    scale_tile[unit] = rounded.scale;
#ifdef MINIMA
#if RUN_COLUMNS == 16
    sum_tile[2 * unit] = rounded.scale * rounded.sums[0];
    sum_tile[2 * unit + 1] = rounded.scale * rounded.sums[1];
#else
    sum_tile[unit] = rounded.scale * (rounded.sums[0] + rounded.sums[1]);
#endif
#endif
  }
}

kernel __attribute__((reqd_work_group_size(ROW_ITEMS, TOKEN_ITEMS, 1))) void integer_mat_mul(
    global const rounded_block *x,
    global const uchar *w,
    ulong at,
    int first_row,
    int weight_rows,
    global float *y,
    int y_columns,
    global const int *counts,
    int which) {
  local int w_tile[DEPTH_INTS * GROUP_ROWS];
  local float w_scales[RUNS * GROUP_ROWS];
  local int x_tile[GROUP_TOKENS * X_INTS];
  local float x_scales[GROUP_TOKENS * DEPTH_BLOCKS];
#ifdef MINIMA
  local float w_minima[RUNS * GROUP_ROWS];
  local float x_sums[GROUP_TOKENS * RUNS];
#else
  local float *w_minima = 0;
  local float *x_sums = 0;
#endif
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
  x += (ulong)token * (COLUMNS / 32);
  w += at + (ulong)row * ROW_BYTES;
  y += (ulong)token * y_columns + first_row + row;
  int tiles = TOKEN_TILES == 1 ? 1 : (tokens + TILE_TOKENS - 1) / TILE_TOKENS;

  floats sums[TOKEN_TILES][TOKENS_PER_ITEM][ROW_VECTORS];
  clear(sums);

  for (int from = 0; from < COLUMNS; from += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    fill_runs(w, rows, from, item, w_tile, w_scales, w_minima);
    fill_rounded(x, tokens, from, item, x_tile, x_scales, x_sums);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int tile = 0; tile < tiles; tile++) {
      int first = tile * TILE_TOKENS + token_item;
      for (int run = 0; run < RUNS; run++) {
        ints dots[TOKENS_PER_ITEM][ROW_VECTORS];
#pragma unroll
        for (int t = 0; t < TOKENS_PER_ITEM; t++) {
#pragma unroll
          for (int v = 0; v < ROW_VECTORS; v++) {
            dots[t][v] = (ints)(0);
          }
        }
        for (int k = run * RUN_INTS; k < (run + 1) * RUN_INTS; k++) {
          ints weights[ROW_VECTORS];
#pragma unroll
          for (int v = 0; v < ROW_VECTORS; v++) {
            weights[v] = LOAD(w_tile + k * GROUP_ROWS + (v * ROW_ITEMS + row_item) * VECTOR);
          }
#pragma unroll
          for (int t = 0; t < TOKENS_PER_ITEM; t++) {
            int four = x_tile[(first + t * TOKEN_ITEMS) * X_INTS + k];
#pragma unroll
            for (int v = 0; v < ROW_VECTORS; v++) {
              dots[t][v] = DOTS(weights[v], four, dots[t][v]);
            }
          }
        }
        int block = run * RUN_COLUMNS / 32;
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          int at_run = run * GROUP_ROWS + (v * ROW_ITEMS + row_item) * VECTOR;
          floats scale = LOAD(w_scales + at_run);
#ifdef MINIMA
          floats minimum = LOAD(w_minima + at_run);
#endif
#pragma unroll
          for (int t = 0; t < TOKENS_PER_ITEM; t++) {
            int token_of_group = first + t * TOKEN_ITEMS;
            float x_scale = x_scales[token_of_group * DEPTH_BLOCKS + block];
            floats sum = fma(TO_FLOATS(dots[t][v]) * x_scale, scale, sums[tile][t][v]);
#ifdef MINIMA
            sum = fma(minimum, (floats)(x_sums[token_of_group * RUNS + run]), sum);
#endif
            sums[tile][t][v] = sum;
          }
        }
      }
    }
  }

  store(sums, rows, row_item, tokens, token_item, y, y_columns);
  // Nothing waits for this one; see mat_mul.cl.
  barrier(CLK_LOCAL_MEM_FENCE);
}
