// Products of ROWS_PER_ITEM rows of weights with TOKENS rows of x by the LANES items that share them: lane l takes the pairs of 16
// columns (weights.h) l, l + LANES, ... so that neighbors read neighboring bytes, and the lanes' sums meet in local memory or in
// sub-groups (lanes.h). On a CPU LANES is 1, and an item decodes whole blocks.
// Rows of x are floats, or rounded to bytes where INTEGER_DOT is defined (x_units.h).
// Defines: WEIGHT_*, COLUMNS, TOKENS, LANES, ROWS_PER_ITEM, SUB_GROUPS and INTEGER_DOT (optional). x begins at a multiple of 16 bytes.

#ifndef LANE_PRODUCTS_H
#define LANE_PRODUCTS_H

#if LANES == 1
#define WHOLE_BLOCKS
#endif
#include "lanes.h"
#include "weights.h"
#include "x_units.h"

// Steps of a row: a lane takes one after another.
#if LANES == 1
#define PAIRS_PER_STEP PAIRS_PER_BLOCK
#else
#define PAIRS_PER_STEP 1
#endif
#define STEPS (PAIRS / PAIRS_PER_STEP)
#define STEPS_PER_BLOCK (PAIRS_PER_BLOCK / PAIRS_PER_STEP)

#ifdef INTEGER_DOT
#include "integer_products.h"
#else
#include "float_products.h"
#endif

static inline void rows_of(global const uchar *w, int row, int weight_rows, global const uchar **rows) {
#pragma unroll
  for (int r = 0; r < ROWS_PER_ITEM; r++) {
    rows[r] = w + (ulong)min(row + r, weight_rows - 1) * ROW_BYTES;
  }
}

// Nothing waits for this barrier. Without it PoCL 3.1 drops the condition of a kernel's last store, and items write beside
// what they should.
static inline void end_of_stores(void) {
#if LANES > 1
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

#endif
