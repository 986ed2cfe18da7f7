// mat_vec: y = x · Wᵀ for each of few tokens, where up to three matrices share x; with GLU, y = activation(x · W₀ᵀ) · (x · W₁ᵀ);
// with EXPERTS, for each slot of each token with the matrix of its expert, which ids tells.
//
// Blocks: y is the token or slot.
// A block of WARPS warps goes through tiles of 16 rows, a grid's width apart; its warps share the columns of a tile, chunks beside
// each other, and their sums are added up in one order. Each warp has its next chunks on their way while it multiplies. Warps do not wait
// for each other after each tile: one of PERIOD, in turns, adds up what all have left for it in one of TURNS rooms, and waits for that;
// the others only say that they have come. So no warp is more than a period ahead of another, and no room is taken that is not free.
// x becomes two halves a number (high and low, 22 bits; three bfloats for weights of that type, 24 bits), which are columns of one
// B fragment, so that products are those of float32 but for the last bits, at no cost: a single token fills one column of eight.
// It is scaled by a power of two to the middle of the halves' range, and back at the end.
// Traffic: each weight once; x once a block, from L2.
// Invariants: columns behind the last are zeros in x and weights; a NaN or an infinity in x makes NaNs.
// Defines: WARPS, SLOTS, BLOCKS_PER_UNIT, COLUMNS, PARTS (1 to 3), FORMAT_0 to FORMAT_2 (tiles of weight_tiles.h), GLU (optional) with ACTIVATION_*,
// EXPERTS (optional), how many there are, and held_row.h's, so that x may be a norm that nobody else needs; or a slice of its columns (FIRST_COLUMN is a
// multiple of 256), whose products a launch for the next slice adds to: of rows that are too long for a block.

#define THREADS (32 * WARPS)

#include "async_copies.h"
#include "held_row.h"
#include "parts.h"
#ifdef GLU
#include "activations.h"
#define MATRICES 2
#else
#define MATRICES 1
#endif

#define SPLIT_COLUMNS (FORMAT_0::IS_BFLOAT ? 4 : 2)
#define ALL_STEPS (PADDED_COLUMNS / 16)

// Without indexing registers, which would move them to memory.
static inline part part_of(const part (&all)[PARTS], int index) {
  return index == 0 ? all[0] : PARTS > 1 && index == 1 ? all[1 % PARTS] : all[2 % PARTS];
}

// Tiles between two for which a warp waits, and rooms for sums; barriers 1 to TURNS are theirs.
#define PERIOD (WARPS < 7 ? WARPS : 7)
#define TURNS (PERIOD + 1)

static inline void come_to(int turn) { asm volatile("bar.arrive %0, %1;" : : "r"(turn + 1), "n"(THREADS) : "memory"); }
static inline void wait_for_all_at(int turn) { asm volatile("bar.sync %0, %1;" : : "r"(turn + 1), "n"(THREADS) : "memory"); }

#define X_LANES (4 * SPLIT_COLUMNS)

// x as B fragments of two steps each, for the lanes of the columns that it has; the others repeat them, since nobody reads their sums.
// Then what minima multiply: for super blocks, fragments of the sums of 16 columns each; else sums of 32.
struct activations_in_shared {
  uint4 *fragments;
  uint2 *sum_fragments;
  float *sums;
  float inverse;

  inline uint4 fragments_of_two(int pair, int lane) const { return fragments[pair * X_LANES + lane % X_LANES]; }
  inline uint2 sum_fragment(int chunk, int lane) const { return sum_fragments[chunk * 8 + lane % 8]; }
};

// Eight threads share 32 columns, four each.
static inline void split_activations(const held_row &held, activations_in_shared &to) {
  float factor = 1;
  to.inverse = 1;
  if (!FORMAT_0::IS_BFLOAT) {
    factor = power_of_two_to(ACTIVATION_EXPONENT, held.most, to.inverse);
  }
  to.inverse *= held.factor;
#pragma unroll
  for (int i = 0; i < ROW_RUNS; i++) {
    int column = held_row::column(i);
    float4 x = held.values[i];
    float v[4] = {x.x * factor, x.y * factor, x.z * factor, x.w * factor};
    float sum = (v[0] + v[1]) + (v[2] + v[3]);
    sum += __shfl_xor_sync(0xffffffff, sum, 1);
    sum += __shfl_xor_sync(0xffffffff, sum, 2);
    float sum_of_32 = sum + __shfl_xor_sync(0xffffffff, sum, 4);
    if (column < PADDED_COLUMNS) {
      int step = column / 16;
      if (column % 32 == 0) {
        to.sums[column / 32] = sum_of_32;
      }
      if (column % 16 == 0) {
        // Number `step` of the chunk: half e of pair t, lower or higher.
        ushort *halves = (ushort *)(to.sum_fragments + step / 16 * 8);
        int k = step % 16, at = k % 8 / 2 * 4 + k / 8 * 2 + k % 2;
        uint both = halves_of(sum, 0);
        halves[at] = (ushort)both;
        halves[16 + at] = (ushort)halves_of(sum - low_half(both), 0);
      }
      // Two pairs of columns: places t and t + 1 of the lower or the higher pair of their step.
      int high = column % 16 / 8, t = column % 8 / 2;
      uint *words = (uint *)(to.fragments + step / 2 * X_LANES) + step % 2 * 2 + high;
      for (int pair = 0; pair < 2; pair++) {
        float a = v[2 * pair], b = v[2 * pair + 1];
        if (FORMAT_0::IS_BFLOAT) {
          for (int n = 0; n < 4; n++) {
            uint both = bfloats_of(a, b);
            words[(n * 4 + t + pair) * 4] = n < 3 ? both : 0;
            a -= low_bfloat(both);
            b -= high_bfloat(both);
          }
        } else {
          uint first = halves_of(a, b);
          words[(t + pair) * 4] = first;
          words[(4 + t + pair) * 4] = halves_of(a - low_half(first), b - high_half(first));
        }
      }
    }
  }
  __syncthreads();
}

template <bool first, class A, class B>
struct either {
  typedef A type;
};
template <class A, class B>
struct either<false, A, B> {
  typedef B type;
};

#if PARTS < 3
#define FORMAT_2 FORMAT_0
#endif
#if PARTS < 2
#define FORMAT_1 FORMAT_0
#endif

template <class F>
static inline size_t matrix_bytes(int rows) {
  return (size_t)tiles_of(rows) * ((ROW_COLUMNS + F::CHUNK - 1) / F::CHUNK) * F::BYTES;
}

static constexpr int larger(int a, int b) { return a > b ? a : b; }
// Chunks of a row of tiles, and those before the slice.
template <class F>
static constexpr int ROW_CHUNKS = (ROW_COLUMNS + F::CHUNK - 1) / F::CHUNK;
template <class F>
static constexpr int CHUNKS_BEFORE = FIRST_COLUMN / F::CHUNK;

// The largest piece of the formats.
static constexpr int RING_SLOT_BYTES = larger(FORMAT_0::UNROLL * FORMAT_0::BYTES,
                                              larger(FORMAT_1::UNROLL * FORMAT_1::BYTES, FORMAT_2::UNROLL * FORMAT_2::BYTES));

// Tiles of the matrices from FIRST on, which share a format, whose numbers in the launch begin with `base`. Each warp has a ring of
// SLOTS pieces of its chunks, which are on their way while it multiplies.
template <class F, int FIRST, int COUNT>
struct run {
  static constexpr int CHUNKS = (COLUMNS + F::CHUNK - 1) / F::CHUNK;
  static constexpr int SLOT_BYTES = F::UNROLL * F::BYTES;

  const part (&parts)[PARTS];
  int lane, begin, end, tiles, tile;
  // The warp's ring, where the lane's bytes begin.
  uchar *ring;
  // What is to be copied next: where it lies, where its tile begins, and the slot where it goes, all for the lane.
  const uchar *next_from, *next_tile_from;
  uchar *next_to;
  int next_tile, next_matrix, next_chunk;

  inline run(const part (&all)[PARTS], int base, uchar *rings) : parts(all) {
    lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
    ring = rings + warp * SLOTS * RING_SLOT_BYTES + 16 * lane;
    begin = warp * CHUNKS / WARPS;
    end = (warp + 1) * CHUNKS / WARPS;
    tiles = 0;
    for (int i = 0; i < COUNT / MATRICES; i++) {
      tiles += tiles_of(all[FIRST + i].rows);
    }
    int width = gridDim.x;
    tile = ((int)blockIdx.x - base % width + width) % width;
    next_tile = begin < end ? tile : tiles;
    next_matrix = 0;
    next_chunk = begin;
    next_to = ring;
    next_from = next_tile_from = place_of_tile();
    for (int i = 0; i < SLOTS; i++) {
      fetch();
    }
  }

  // The matrix of a tile, whose number becomes that in the matrix.
  static inline int matrix_of(const part (&all)[PARTS], int &number) {
    int i = 0;
    if (MATRICES == 1) {
      for (; i < COUNT - 1; i++) {
        int count = tiles_of(all[FIRST + i].rows);
        if (number < count) {
          break;
        }
        number -= count;
      }
    }
    return FIRST + i;
  }

  inline const uchar *place_of_tile() const {
    int number = next_tile;
    int index = matrix_of(parts, number);
    return part_of(parts, index).weights + ((size_t)number * ROW_CHUNKS<F> + CHUNKS_BEFORE<F> + begin) * F::BYTES + 16 * lane;
  }

  inline void fetch() {
    if (next_tile < tiles) {
      int bytes = min(F::UNROLL, end - next_chunk) * F::BYTES;
#pragma unroll
      for (int at = 0; at < SLOT_BYTES; at += 512) {
        if (F::UNROLL == 1 ? at + 512 <= SLOT_BYTES || 16 * lane < SLOT_BYTES - at : at + 16 * lane < bytes) {
          copy_16_bytes(next_to + at, next_from + at);
        }
      }
      next_to = next_to == ring + (SLOTS - 1) * RING_SLOT_BYTES ? ring : next_to + RING_SLOT_BYTES;
      next_from += SLOT_BYTES;
      next_chunk += F::UNROLL;
      if (next_chunk >= end) {
        go_to_next_tile();
      }
    }
    commit_copies();
  }

  // Without a multiplication where the next tile is of the same matrix.
  inline void go_to_next_tile() {
    next_chunk = begin;
    if (MATRICES == 2 && next_matrix == 0) {
      next_matrix = 1;
      next_from = next_tile_from + (parts[FIRST + 1].weights - parts[FIRST].weights);
      return;
    }
    next_matrix = 0;
    next_tile += gridDim.x;
    if (COUNT == MATRICES) {
      next_tile_from += (size_t)gridDim.x * (ROW_CHUNKS<F> * F::BYTES);
    } else {
      next_tile_from = place_of_tile();
    }
    next_from = next_tile_from;
  }

  inline void finish(const activations_in_shared &x, float (*room)[MATRICES][WARPS][TILE_ROWS]) {
    int warp = threadIdx.x / 32, turn = 0, until_wait = warp % PERIOD;
    const uchar *from = ring;
    while (tile < tiles) {
      for (int matrix = 0; matrix < MATRICES; matrix++) {
        float sums[2] = {0, 0};
        for (int chunk = begin; chunk < end; chunk += F::UNROLL) {
          wait_for_copies<SLOTS - 1>();
          __syncwarp();
#pragma unroll
          for (int u = 0; u < F::UNROLL; u++) {
            if (F::UNROLL == 1 || chunk + u < end) {
              F::multiply(F::load(from - 16 * lane + u * F::BYTES, lane), x, chunk + u, lane, sums);
            }
          }
          from = from == ring + (SLOTS - 1) * RING_SLOT_BYTES ? ring : from + RING_SLOT_BYTES;
          __syncwarp();
          fetch();
        }
        if (F::IS_BFLOAT) {
          sums[0] += __shfl_down_sync(0xffffffff, sums[0], 1);
          sums[1] += __shfl_down_sync(0xffffffff, sums[1], 1);
        }
        if (lane % 4 == 0) {
          room[turn][matrix][warp][lane / 4] = sums[0];
          room[turn][matrix][warp][lane / 4 + 8] = sums[1];
        }
      }
      if (until_wait == 0) {
        wait_for_all_at(turn);
        if (warp < PERIOD && lane < TILE_ROWS) {
          write(x, room[turn]);
        }
        until_wait = PERIOD;
      } else {
        come_to(turn);
      }
      until_wait--;
      turn = turn + 1 == TURNS ? 0 : turn + 1;
      tile += gridDim.x;
    }
    wait_for_copies<0>();
  }

  inline void write(const activations_in_shared &x, float (*room)[WARPS][TILE_ROWS]) {
    float total[MATRICES];
    for (int matrix = 0; matrix < MATRICES; matrix++) {
      float sum = room[matrix][0][lane];
      for (int i = 1; i < WARPS; i++) {
        sum += room[matrix][i][lane];
      }
      total[matrix] = sum * x.inverse;
    }
    int number = tile;
    int index = matrix_of(parts, number);
    part chosen = part_of(parts, index);
    int row = number * TILE_ROWS + lane;
    if (row < chosen.rows) {
#ifdef GLU
      chosen.y[row] = activation(total[0]) * total[1];
#else
      chosen.y[row] = FIRST_COLUMN > 0 ? chosen.y[row] + total[0] : total[0];
#endif
    }
  }
};

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_PER_UNIT) mat_vec(
    ROW_PARAMETERS,
#ifdef EXPERTS
    const int *ids, int used, int slots_of_input,
#endif
    PART_PARAMETERS,
    const int *counts, int which) {
  extern __shared__ uint4 shared[];
  activations_in_shared activations;
  activations.fragments = shared;
  activations.sum_fragments = (uint2 *)(activations.fragments + ALL_STEPS / 2 * X_LANES);
  activations.sums = (float *)(activations.sum_fragments + ALL_STEPS / 2);
  uchar *rings = (uchar *)(activations.sums + ALL_STEPS / 2);
  __shared__ float room[TURNS][MATRICES][WARPS][TILE_ROWS];
  part parts[PARTS];
  size_t row = blockIdx.y;
  parts[0] = {w0, y0 + row * rows0, rows0};
#if PARTS > 1
  parts[1] = {w1, y1 + row * rows1, rows1};
#endif
#if PARTS > 2
  parts[2] = {w2, y2 + row * rows2, rows2};
#endif
  start_next_launch();
  // Brought by the host.
  int count = counts[which];
#ifdef EXPERTS
  await_last_launch();
  if (row >= (size_t)count * used) {
    return;
  }
  size_t x_row = row / slots_of_input;
  size_t expert = clamp(ids[row], 0, EXPERTS - 1);
  parts[0].weights += expert * matrix_bytes<FORMAT_0>(rows0);
#if PARTS > 1
  parts[1].weights += expert * matrix_bytes<FORMAT_1>(rows1);
#endif
#else
  size_t x_row = row;
#endif
  row_arguments given = ROW_ARGUMENTS;
  held_row held;
  held.load_weights(given);
  constexpr bool two = PARTS > 1 && same<FORMAT_0, FORMAT_1>::value;
  constexpr bool three = PARTS > 2 && two && same<FORMAT_0, FORMAT_2>::value;
  constexpr int together = three ? 3 : two ? 2 : 1;
  typedef either<together == 1, FORMAT_1, FORMAT_2>::type second_format;
  run<FORMAT_0, 0, together> first(parts, 0, rings);
#ifndef EXPERTS
  await_last_launch();
  if (row >= count) {
    wait_for_copies<0>();
    return;
  }
#endif
  held.load(given, x_row, blockIdx.x == 0, &room[0][0][0][0]);
  split_activations(held, activations);
  first.finish(activations, room);
  if constexpr (PARTS > together) {
    constexpr bool last_two = PARTS - together == 2 && same<FORMAT_1, FORMAT_2>::value;
    __syncthreads();
    run<second_format, together, last_two ? 2 : 1> second(parts, first.tiles, rings);
    second.finish(activations, room);
    if constexpr (PARTS - together == 2 && !last_two) {
      __syncthreads();
      run<FORMAT_2, 2, 1> third(parts, first.tiles + second.tiles, rings);
      third.finish(activations, room);
    }
  }
}
