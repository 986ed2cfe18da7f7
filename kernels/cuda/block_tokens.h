// Which rows of x a block of products multiplies, and where in y their products go: neighbours, from blockIdx.x times as many as it takes
// on; or with EXPERTS the slots of one tile of moe_slots.h, which is number blockIdx.x, all of one expert.
// Invariants: without EXPERTS rows of x behind the last are there and read, whatever they hold; with them they are not.
// Defines: EXPERTS (optional), how many there are.

#ifndef BLOCK_TOKENS_H
#define BLOCK_TOKENS_H

#include "dialect.h"

#ifdef EXPERTS

#define TOKEN_PARAMETERS const int4 *slot_tiles, const int *sorted, int slots_of_input,
#define TOKEN_ARGUMENTS slot_tiles, sorted, slots_of_input,

struct block_tokens {
  int count, expert;
  // In shared memory.
  int *x_rows, *y_rows;

  // `room` is of 8 bytes for each token that a block takes. All threads call it and reach a barrier.
  inline block_tokens(TOKEN_PARAMETERS int most, int threads, void *room) {
    int4 tile = slot_tiles[1 + blockIdx.x];
    count = blockIdx.x < slot_tiles[0].x ? tile.z : 0;
    expert = tile.x;
    x_rows = (int *)room;
    y_rows = x_rows + most;
    for (int i = threadIdx.x; i < count; i += threads) {
      int slot = sorted[tile.y + i];
      x_rows[i] = slot / slots_of_input;
      y_rows[i] = slot;
    }
    __syncthreads();
  }

  inline bool is_read(int i) const { return i < count; }
  inline size_t x_row(int i) const { return x_rows[i]; }
  inline size_t y_row(int i) const { return y_rows[i]; }
};

#else

#define TOKEN_PARAMETERS
#define TOKEN_ARGUMENTS

struct block_tokens {
  // At least so many, if the block has any.
  int count, first;

  inline block_tokens(int most, int all) {
    first = blockIdx.x * most;
    count = all - first;
  }

  inline bool is_read(int i) const { return true; }
  inline size_t x_row(int i) const { return first + i; }
  inline size_t y_row(int i) const { return first + i; }
};

#endif

#endif
