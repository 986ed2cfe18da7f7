// mat_mul_warpgroups: mat_mul for many tokens where four warps multiply together (warpgroups.h); activations are rounded as there.
// Up to three matrices that share x are one launch; with GLU, y = activation(x · W₀ᵀ) · (x · W₁ᵀ); with EXPERTS for the slots of one expert
// at a time, with its matrices (block_tokens.h).
//
// A block takes 64 rows of weights for each of its GROUPS groups of four warps, and TOKENS tokens, whose sums stay in registers. With GLU
// two groups have the same rows of both matrices, and each finishes half of the tokens.
// Stages of 64 columns come to shared memory by asynchronous copies: x, STAGES deep, and weights with them, or, where a chunk has 256
// columns, two chunks. While tensor cores multiply a stage, each warp makes the next one's weights in registers. So two stages are in use
// at a time, and their products under way; four fragments of weights each.
// Blocks: x tokens, which share weights and run together; y rows.
// Traffic: weights once for each TOKENS tokens (or tile of slots), x once for each BLOCK_ROWS rows, both mostly from L2.
// Invariants: as mat_mul's; all threads of a block reach all barriers. What a tile of slots lacks is multiplied, too, whatever lies there.
// Defines: COLUMNS, TOKENS (64, 128 or 256), STAGES, GROUPS, PARTS (1 to 3), FORMAT_0 to FORMAT_2, GLU (optional: PARTS and GROUPS are 2) with
// ACTIVATION_*, EXPERTS (optional: PARTS is 1, or 2 with GLU).

#include "async_copies.h"
#include "block_tokens.h"
#include "padded_columns.h"
#include "parts.h"
#include "rounded_weights.h"
#include "warpgroups.h"
#ifdef GLU
#include "activations.h"
#define BLOCK_ROWS 64
#else
#define BLOCK_ROWS (64 * GROUPS)
#endif

#define THREADS (128 * GROUPS)
// Tiles of the block's warps, one each, and of y.
#define ALL_TILES (4 * GROUPS)
#define BLOCK_TILES (BLOCK_ROWS / TILE_ROWS)
#define DEPTH 64
#define ALL_STAGES ((COLUMNS + DEPTH - 1) / DEPTH)
#define ACTIVATION_BYTES (TOKENS * DEPTH * 2)

template <class F>
struct product_of_block {
  static constexpr int CHUNKS = (COLUMNS + F::CHUNK - 1) / F::CHUNK;
  // Stages that share a chunk of weights.
  static constexpr int SHARE = F::CHUNK / DEPTH;
  static constexpr int WEIGHT_SLOTS = SHARE == 1 ? STAGES : 2;
  static constexpr int WEIGHT_BYTES = ALL_TILES * F::BYTES;
  static constexpr int UNROLL = 4;

  // From the row of the block's first token on.
  const ushort *x;
  const block_tokens &tokens;
  // Of the groups from BLOCK_TILES tiles on, with GLU.
  const uchar *weights, *more_weights;
  uchar *activations, *chunks;
  // That exist, of BLOCK_TILES.
  int tiles;

  // Chunk number `chunk` of all tiles of the block.
  inline void fetch_weights(int chunk) {
    if (chunk < CHUNKS) {
      uchar *to = chunks + chunk % WEIGHT_SLOTS * WEIGHT_BYTES;
#pragma unroll
      for (int i = 0; i < (WEIGHT_BYTES / 16 + THREADS - 1) / THREADS; i++) {
        int unit = threadIdx.x + i * THREADS;
        int number = unit / (F::BYTES / 16), at = unit % (F::BYTES / 16);
        int tile = number % BLOCK_TILES;
        if (number < ALL_TILES && tile < tiles) {
          const uchar *from = number < BLOCK_TILES ? weights : more_weights;
          copy_16_bytes(to + 16 * unit, from + ((size_t)tile * CHUNKS + chunk) * F::BYTES + 16 * at);
        }
      }
    }
  }

  inline void fetch_activations(int stage) {
    if (stage < ALL_STAGES) {
      uchar *to = activations + stage % STAGES * ACTIVATION_BYTES;
      int unit = threadIdx.x % 8, token = threadIdx.x / 8;
      const ushort *columns = x + stage * DEPTH + 8 * unit;
      to += token * (DEPTH * 2) + (unit ^ token % 8) * 16;
#pragma unroll
      for (int i = 0; i < TOKENS * 8 / THREADS; i++) {
#ifdef EXPERTS
        int slot = token + i * (THREADS / 8);
        if (tokens.is_read(slot)) {
          copy_16_bytes(to + i * (THREADS / 8) * (DEPTH * 2), columns + tokens.read_row(slot) * PADDED_COLUMNS);
        }
#else
        const ushort *from = columns + (size_t)token * PADDED_COLUMNS;
        copy_16_bytes(to + i * (THREADS / 8) * (DEPTH * 2), from + (size_t)i * (THREADS / 8) * PADDED_COLUMNS);
#endif
      }
    }
  }

  inline void multiply(c_fragment (&sums)[TOKENS / 8]) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int i = 0; i < WEIGHT_SLOTS - 1 && SHARE > 1; i++) {
      fetch_weights(i);
    }
    for (int stage = 0; stage < STAGES - 2; stage++) {
      if (SHARE == 1) {
        fetch_weights(stage);
      }
      fetch_activations(stage);
      commit_copies();
    }
#pragma unroll 1
    for (int first = 0; first < ALL_STAGES; first += UNROLL) {
      typename F::raw raw;
#pragma unroll
      for (int i = 0; i < UNROLL; i++) {
        int stage = first + i;
        if (ALL_STAGES % UNROLL != 0 && stage >= ALL_STAGES) {
          break;
        }
        wait_for_copies<STAGES - 3>();
        publish_to_products();
        __syncthreads();
        if (SHARE == 1) {
          fetch_weights(stage + STAGES - 2);
        } else if (i == 0) {
          fetch_weights(stage / SHARE + 1);
        }
        fetch_activations(stage + STAGES - 2);
        commit_copies();
        if (i % SHARE == 0) {
          int chunk = stage / SHARE;
          raw = F::load(chunks + chunk % WEIGHT_SLOTS * WEIGHT_BYTES + warp * F::BYTES, lane);
        }
        a_fragment a[4];
#pragma unroll
        for (int step = 0; step < 4; step++) {
          a[step] = weights_of(raw, i % SHARE * 4 + step, F());
          settle(a[step]);
        }
        const uchar *rows = activations + stage % STAGES * ACTIVATION_BYTES;
        begin_products();
#pragma unroll
        for (int step = 0; step < 4; step++) {
          multiply_tokens<F::IS_BFLOAT>(sums, a[step], activations_at(rows, step));
        }
        commit_products();
        wait_for_products<1>();
      }
    }
    wait_for_copies<0>();
    wait_for_products<0>();
  }

  inline void run(const part &p, const float *inverses, int first_tile) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    c_fragment sums[TOKENS / 8];
#pragma unroll
    for (int j = 0; j < TOKENS / 8; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        sums[j][k] = 0;
      }
      settle(sums[j]);
    }
    multiply(sums);
    int row = (first_tile + warp % BLOCK_TILES) * TILE_ROWS + lane / 4;
#ifdef GLU
    constexpr int HALF = TOKENS / 16;
    // Each group hands the other what it needs for its half: number by number, threads side by side.
    bool is_up = warp >= BLOCK_TILES;
    float *room = (float *)activations + threadIdx.x % 128, *next_room = room + HALF * 4 * 128;
    float *given = is_up ? next_room : room, *taken = is_up ? room : next_room;
    __syncthreads();
#pragma unroll
    for (int j = 0; j < HALF; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        given[(4 * j + k) * 128] = is_up ? sums[j][k] : sums[HALF + j][k];
      }
    }
    __syncthreads();
#pragma unroll
    for (int j = 0; j < HALF; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        float other = taken[(4 * j + k) * 128];
        float gate = is_up ? other : sums[j][k], up = is_up ? sums[HALF + j][k] : other;
        int token = tokens.first + (is_up ? TOKENS / 2 : 0) + 8 * j + lane % 4 * 2 + k % 2, y_row = row + k / 2 * 8;
        if (token < tokens.count && y_row < p.rows) {
          float inverse = inverses[tokens.x_row(token)];
          p.y[tokens.y_row(token) * p.rows + y_row] = activation(gate * inverse) * (up * inverse);
        }
      }
    }
#else
#pragma unroll
    for (int j = 0; j < TOKENS / 8; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int token = tokens.first + 8 * j + lane % 4 * 2 + k % 2, y_row = row + k / 2 * 8;
        if (token < tokens.count && y_row < p.rows) {
          p.y[tokens.y_row(token) * p.rows + y_row] = sums[j][k] * inverses[tokens.x_row(token)];
        }
      }
    }
#endif
  }
};

// Tiles of all blocks of a matrix.
static inline int blocks_tiles(int rows) { return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_TILES; }

extern __shared__ __align__(1024) uchar shared[];

template <class F>
static inline void multiply_part(
    const ushort *x, const float *inverses, const part &p, const uchar *more, int first_tile, const block_tokens &tokens) {
  typedef product_of_block<F> product;
  size_t tile = first_tile;
#ifdef EXPERTS
  tile += (size_t)tokens.expert * tiles_of(p.rows);
#endif
  x += (size_t)tokens.first * PADDED_COLUMNS;
  size_t at = tile * product::CHUNKS * F::BYTES;
  int tiles = min(BLOCK_TILES, tiles_of(p.rows) - first_tile);
  product block = {x, tokens, p.weights + at, more + at, shared, shared + STAGES * ACTIVATION_BYTES, tiles};
  block.run(p, inverses, first_tile);
}

extern "C" __global__ void __launch_bounds__(THREADS) mat_mul_warpgroups(
    const ushort *x, const float *inverses, TOKEN_PARAMETERS PART_PARAMETERS, const int *counts, int which) {
  BEGIN_LAUNCH();
#ifdef EXPERTS
  typedef product_of_block<FORMAT_0> product;
  uchar *places = shared + STAGES * ACTIVATION_BYTES + product::WEIGHT_SLOTS * product::WEIGHT_BYTES;
  block_tokens tokens(TOKEN_ARGUMENTS TOKENS, THREADS, places);
#else
  block_tokens tokens(TOKENS, counts[which]);
#endif
  if (tokens.first >= tokens.count) {
    return;
  }
  int tile = blockIdx.y * BLOCK_TILES;
#ifdef GLU
  multiply_part<FORMAT_0>(x, inverses, {w0, y0, rows0}, w1, tile, tokens);
#else
  part chosen = {w0, y0, rows0};
  int index = 0;
#if PARTS > 1
  if (tile >= blocks_tiles(rows0)) {
    tile -= blocks_tiles(rows0);
    chosen = {w1, y1, rows1};
    index = 1;
  }
#endif
#if PARTS > 2
  if (index == 1 && tile >= blocks_tiles(rows1)) {
    tile -= blocks_tiles(rows1);
    chosen = {w2, y2, rows2};
    index = 2;
  }
  if (index == 2 && !same<FORMAT_0, FORMAT_2>::value) {
    multiply_part<FORMAT_2>(x, inverses, chosen, chosen.weights, tile, tokens);
    return;
  }
#endif
#if PARTS > 1
  if (index == 1 && !same<FORMAT_0, FORMAT_1>::value) {
    multiply_part<FORMAT_1>(x, inverses, chosen, chosen.weights, tile, tokens);
    return;
  }
#endif
  multiply_part<FORMAT_0>(x, inverses, chosen, chosen.weights, tile, tokens);
#endif
}
