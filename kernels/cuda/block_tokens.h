// Which rows of x a block of products multiplies, and where in y their products go: those of neighbouring tokens, blockIdx.x times as many as
// it takes and on; or with EXPERTS those of the slots of one tile of moe_slots.h, number blockIdx.x, all of one expert.
// The block's token or slot i is number first + i of `count`.
// Invariants: without EXPERTS rows of x behind the last are there and read, whatever they hold; with them they are not.
// Defines: EXPERTS (optional), how many there are.

#ifndef BLOCK_TOKENS_H
#define BLOCK_TOKENS_H

#include "dialect.h"

#ifdef EXPERTS

#define TOKEN_PARAMETERS const int4 *slot_tiles, const int *sorted, int slots_of_input,
#define TOKEN_ARGUMENTS slot_tiles, sorted, slots_of_input,

struct block_tokens {
  static constexpr int first = 0;
  int count, expert;
  // In shared memory, of the tile's slots.
  int *x_rows, *y_rows;

  // `room` has 8 bytes for each of the `most` slots that a block takes. All threads call it and reach a barrier.
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
  // From x's row `first` on.
  inline size_t read_row(int i) const { return x_rows[i]; }
  inline size_t x_row(int number) const { return x_rows[number]; }
  inline size_t y_row(int number) const { return y_rows[number]; }
};

#else

#define TOKEN_PARAMETERS

struct block_tokens {
  int count, first;

  inline block_tokens(int most, int all) {
    first = blockIdx.x * most;
    count = all;
  }

  inline bool is_read(int i) const { return true; }
  inline size_t read_row(int i) const { return i; }
  inline size_t x_row(int number) const { return number; }
  inline size_t y_row(int number) const { return number; }
};

#endif

#endif
