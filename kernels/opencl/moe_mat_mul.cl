// Products of many slots (a prompt) with their experts' matrices:
//   y[s * out + r] = sum over c of x[s / slots_of_input * COLUMNS + c] * w[e][r][c]
// for the slots s of each tile of moe_slots.cl, all of one expert e. The buffer has the matrices of experts first_expert ..
// first_expert + experts - 1, one behind the other from byte `at` on; tiles of others are left to other launches.
//
// A work-group computes GROUP_ROWS rows for the slots of one tile, as mat_mul.cl does for neighboring tokens: DEPTH columns at
// a time it decodes the tile's weights into local memory, transposed, gathers the slots' x beside them, and adds their outer
// products to the results that its items keep in registers. So each expert's weights are decoded once per GROUP_SLOTS slots; a
// CPU, where a work-group is one item, does that for SLOT_PARTS times as many as it has registers for.
//
// Items: work-groups are ROW_ITEMS x SLOT_ITEMS. Item (i, j) has rows (v * ROW_ITEMS + i) * VECTOR + 0 .. VECTOR - 1 and slots
// (part * SLOTS_PER_ITEM + n) * SLOT_ITEMS + j of the tile.
// Memory traffic: an expert's weights once per tile, x once per GROUP_ROWS rows.
//
// Invariants: the grid is the most that a step of so many rows can need, and tiles without slots return at once, as one, so all
// items reach every barrier. Outside of the matrix, of COLUMNS and of the tile's slots, local memory holds zeros, nothing is
// read and nothing is written.
//
// Defines: WEIGHT_*, COLUMNS, ROW_ITEMS, SLOT_ITEMS, VECTOR (1, 2, 4, 8 or 16), ROW_VECTORS, SLOTS_PER_ITEM, SLOT_PARTS, DEPTH
// (a multiple of 16). Local memory: 4 DEPTH (GROUP_ROWS + GROUP_SLOTS) bytes, and a little padding.
//
// global size: ceil(out / GROUP_ROWS) * ROW_ITEMS, tiles * SLOT_ITEMS.

#define PART_SLOTS (SLOT_ITEMS * SLOTS_PER_ITEM)
#define GROUP_SLOTS (SLOT_PARTS * PART_SLOTS)
#define ITEMS (ROW_ITEMS * SLOT_ITEMS)

#include "product_tiles.h"

// Gathers x of `places` slots, of which `count` exist. Neighboring items take neighboring columns.
static inline void fill_x(
    global const float *x,
    global const int *slots,
    int count,
    int places,
    int slots_of_input,
    int from,
    int item,
    local float *tile) {
  for (int unit = item; unit < places * CHUNKS; unit += ITEMS) {
    int n = unit / CHUNKS;
    int depth = unit % CHUNKS * 16;
    float16 values = (float16)(0);
    if (n < count) {
      values = x_16(x + (ulong)(slots[n] / slots_of_input) * COLUMNS, from + depth);
    }
    vstore16(values, 0, tile + n * X_STRIDE + depth);
  }
}

kernel __attribute__((reqd_work_group_size(ROW_ITEMS, SLOT_ITEMS, 1))) void moe_mat_mul(
    global const float *x,
    global const int4 *tiles,
    global const int *sorted,
    global const uchar *w,
    ulong at,
    int first_expert,
    int experts,
    global float *y,
    int out,
    int slots_of_input,
    global const int *counts,
    int which) {
  local float w_tile[DEPTH * GROUP_ROWS];
  local float x_tile[GROUP_SLOTS * X_STRIDE];
  int row_item = (int)get_local_id(0);
  int slot_item = (int)get_local_id(1);
  int item = slot_item * ROW_ITEMS + row_item;
  int row = (int)get_group_id(0) * GROUP_ROWS;
  int4 tile = tiles[get_group_id(1)];
  int expert = tile.x - first_expert;
  global const int *slots = sorted + tile.y;
  int count = tile.z;
  int rows = min(out - row, GROUP_ROWS);
  if (count <= 0 || rows <= 0 || expert < 0 || expert >= experts) {
    return;
  }
  w += at + ((ulong)expert * out + row) * ROW_BYTES;
  int parts = SLOT_PARTS == 1 ? 1 : (count + PART_SLOTS - 1) / PART_SLOTS;

  floats sums[SLOT_PARTS][SLOTS_PER_ITEM][ROW_VECTORS];
  for (int part = 0; part < parts; part++) {
#pragma unroll
    for (int s = 0; s < SLOTS_PER_ITEM; s++) {
#pragma unroll
      for (int v = 0; v < ROW_VECTORS; v++) {
        sums[part][s][v] = (floats)(0);
      }
    }
  }

  for (int from = 0; from < COLUMNS; from += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    fill_weights(w, rows, from, item, w_tile);
    fill_x(x, slots, count, parts * PART_SLOTS, slots_of_input, from, item, x_tile);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int part = 0; part < parts; part++) {
      floats sum[SLOTS_PER_ITEM][ROW_VECTORS];
#pragma unroll
      for (int s = 0; s < SLOTS_PER_ITEM; s++) {
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          sum[s][v] = sums[part][s][v];
        }
      }
      local const float *x_items = x_tile + (part * PART_SLOTS + slot_item) * X_STRIDE;
      for (int k = 0; k < DEPTH; k++) {
        floats weights[ROW_VECTORS];
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          weights[v] = LOAD(w_tile + k * GROUP_ROWS + (v * ROW_ITEMS + row_item) * VECTOR);
        }
#pragma unroll
        for (int s = 0; s < SLOTS_PER_ITEM; s++) {
          floats x_value = (floats)(x_items[s * SLOT_ITEMS * X_STRIDE + k]);
#pragma unroll
          for (int v = 0; v < ROW_VECTORS; v++) {
            sum[s][v] = fma(weights[v], x_value, sum[s][v]);
          }
        }
      }
#pragma unroll
      for (int s = 0; s < SLOTS_PER_ITEM; s++) {
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          sums[part][s][v] = sum[s][v];
        }
      }
    }
  }

  // Whole or partial stores are chosen for the whole group, not by each item: quicker on a GPU.
  for (int part = 0; part < parts; part++) {
#pragma unroll
    for (int s = 0; s < SLOTS_PER_ITEM; s++) {
      int n = (part * SLOTS_PER_ITEM + s) * SLOT_ITEMS + slot_item;
      if (n < count) {
        global float *to = y + (ulong)slots[n] * out + row;
#pragma unroll
        for (int v = 0; v < ROW_VECTORS; v++) {
          int r = (v * ROW_ITEMS + row_item) * VECTOR;
          if (rows == GROUP_ROWS) {
            STORE(sums[part][s][v], to + r);
          } else {
            store_part(sums[part][s][v], rows - r, to + r);
          }
        }
      }
    }
  }
  // Nothing waits for this one; see mat_mul.cl.
  barrier(CLK_LOCAL_MEM_FENCE);
}
