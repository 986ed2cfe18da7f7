// mat_mul: y = x · Wᵀ for many tokens, whose activations are rounded to halves (round_rows.h; bfloats for weights of that type); with GLU,
// y = activation(x · W₀ᵀ) · (x · W₁ᵀ); with EXPERTS for the slots of one expert at a time, with its matrices (block_tokens.h).
//
// A block takes BLOCK_ROWS rows of weights and BLOCK_TOKENS tokens: WARPS_DOWN x WARPS_ACROSS warps, each ROW_TILES tiles of 16 rows and
// TOKEN_TILES of 8 tokens, whose sums stay in registers. With GLU a warp's two tiles of rows are the same of both matrices, so that it has
// what the activation takes.
// Stages of DEPTH columns come to shared memory by asynchronous copies, STAGES deep: weights as they lie, and x with its 16-byte units
// exchanged by the token's number, so that ldmatrix finds its eight rows in different banks. Each warp makes halves of its weights in
// registers (rounded_weights.h).
// Blocks: x tokens, which share weights and run together; y rows.
// Traffic: weights once for each BLOCK_TOKENS tokens (or tile of slots), x once for each BLOCK_ROWS rows, both mostly from L2.
// Invariants: x has BLOCK_TOKENS rows more than tokens, rounded down, and columns to a multiple of 256, zeros behind the last; what the
// rows behind the last token hold comes to no sum that is written. With EXPERTS each expert's matrix begins with a tile of its own; tiles of slots
// are of at most BLOCK_TOKENS, and warps leave out each 32 of them that have no slots.
// Defines: FORMAT_0, COLUMNS, DEPTH, STAGES, WARPS_DOWN, WARPS_ACROSS, ROW_TILES, TOKEN_TILES, PARTS (1, or 2 with GLU), GLU (optional: ROW_TILES
// is 2) with ACTIVATION_*, EXPERTS (optional).

#include "async_copies.h"
#include "block_tokens.h"
#include "padded_columns.h"
#include "parts.h"
#include "rounded_weights.h"
#ifdef GLU
#include "activations.h"
#define MATRICES 2
#else
#define MATRICES 1
#endif

#define FORMAT FORMAT_0

#define THREADS (32 * WARPS_DOWN * WARPS_ACROSS)
// Of all matrices.
#define BLOCK_TILES (WARPS_DOWN * ROW_TILES)
#define BLOCK_TOKENS (WARPS_ACROSS * TOKEN_TILES * 8)
#define CHUNKS ((COLUMNS + FORMAT::CHUNK - 1) / FORMAT::CHUNK)
#define STAGE_CHUNKS (DEPTH / FORMAT::CHUNK)
#define TILE_STAGE_BYTES (STAGE_CHUNKS * FORMAT::BYTES)
#define WEIGHT_STAGE_BYTES (BLOCK_TILES * TILE_STAGE_BYTES)
#define UNITS (DEPTH / 8)
#define STAGE_BYTES (WEIGHT_STAGE_BYTES + BLOCK_TOKENS * DEPTH * 2)

extern "C" __global__ void __launch_bounds__(THREADS) mat_mul(
    const ushort *x, const float *inverses, TOKEN_PARAMETERS PART_PARAMETERS, const int *counts, int which) {
  BEGIN_LAUNCH();
  extern __shared__ uint4 shared[];
  uchar *stages = (uchar *)shared;
#ifdef EXPERTS
  block_tokens tokens(TOKEN_ARGUMENTS BLOCK_TOKENS, THREADS, stages + STAGES * STAGE_BYTES);
#else
  block_tokens tokens(BLOCK_TOKENS, counts[which]);
#endif
  if (tokens.first >= tokens.count) {
    return;
  }
  int rows = rows0, tiles = tiles_of(rows), first_tile = blockIdx.y * (BLOCK_TILES / MATRICES);
  const uchar *weights[MATRICES] = {w0};
#ifdef GLU
  weights[1] = w1;
#endif
#ifdef EXPERTS
  for (int i = 0; i < MATRICES; i++) {
    weights[i] += (size_t)tokens.expert * tiles * CHUNKS * FORMAT::BYTES;
  }
#endif
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, down = warp % WARPS_DOWN, across = warp / WARPS_DOWN;
  x += (size_t)tokens.first * PADDED_COLUMNS;

  auto fetch = [&](int stage) {
    if (stage * STAGE_CHUNKS < CHUNKS) {
      uchar *to = stages + stage % STAGES * STAGE_BYTES;
      int bytes = min(STAGE_CHUNKS, CHUNKS - stage * STAGE_CHUNKS) * FORMAT::BYTES;
#pragma unroll 4
      for (int unit = threadIdx.x; unit < WEIGHT_STAGE_BYTES / 16; unit += THREADS) {
        int number = unit / (TILE_STAGE_BYTES / 16), at = unit % (TILE_STAGE_BYTES / 16) * 16;
        int tile = first_tile + number / MATRICES;
        if (tile < tiles && at < bytes) {
          const uchar *matrix = MATRICES == 2 && number % 2 == 1 ? weights[MATRICES - 1] : weights[0];
          const uchar *from = matrix + ((size_t)tile * CHUNKS + stage * STAGE_CHUNKS) * FORMAT::BYTES;
          copy_16_bytes(to + 16 * unit, from + at);
        }
      }
      uchar *activations = to + WEIGHT_STAGE_BYTES;
#pragma unroll 4
      for (int i = threadIdx.x; i < BLOCK_TOKENS * UNITS; i += THREADS) {
        int token = i / UNITS, unit = i % UNITS;
        int column = stage * DEPTH + 8 * unit;
        if (column < PADDED_COLUMNS && tokens.is_read(token)) {
          copy_16_bytes(activations + (token * UNITS + (unit ^ token % 8)) * 16, x + tokens.read_row(token) * PADDED_COLUMNS + column);
        }
      }
    }
    commit_copies();
  };

  c_fragment sums[ROW_TILES][TOKEN_TILES];
#pragma unroll
  for (int i = 0; i < ROW_TILES; i++) {
#pragma unroll
    for (int j = 0; j < TOKEN_TILES; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        sums[i][j][k] = 0;
      }
    }
  }
  for (int stage = 0; stage < STAGES - 1; stage++) {
    fetch(stage);
  }
  for (int stage = 0; stage * STAGE_CHUNKS < CHUNKS; stage++) {
    wait_for_copies<STAGES - 2>();
    __syncthreads();
    fetch(stage + STAGES - 1);
    const uchar *from = stages + stage % STAGES * STAGE_BYTES;
    // The lane's in the first two tiles of the warp's tokens.
    const uchar *first_row = from + WEIGHT_STAGE_BYTES + (across * TOKEN_TILES * 8 + lane / 16 * 8 + lane % 8) * (UNITS * 16);
    int chunks = min(STAGE_CHUNKS, CHUNKS - stage * STAGE_CHUNKS);
#pragma unroll 1
    for (int chunk = 0; chunk < chunks; chunk++) {
      FORMAT::raw raw[ROW_TILES];
      for (int i = 0; i < ROW_TILES; i++) {
        raw[i] = FORMAT::load(from + (down * ROW_TILES + i) * TILE_STAGE_BYTES + chunk * FORMAT::BYTES, lane);
      }
#pragma unroll
      for (int step = 0; step < FORMAT::STEPS; step++) {
        a_fragment a[ROW_TILES];
        for (int i = 0; i < ROW_TILES; i++) {
          a[i] = weights_of(raw[i], step, FORMAT());
        }
        int unit = (chunk * FORMAT::STEPS + step) * 2 + lane / 8 % 2;
        const uchar *rows = first_row + (unit ^ lane % 8) * 16;
#pragma unroll
        for (int j = 0; j < TOKEN_TILES; j += 2) {
#ifdef EXPERTS
          if (j % 4 == 0 && j > 0 && (across * TOKEN_TILES + j) * 8 >= tokens.count) {
            break;
          }
#endif
          uint4 b = load_matrices(rows + j * (8 * UNITS * 16));
          for (int i = 0; i < ROW_TILES; i++) {
            if (FORMAT::IS_BFLOAT) {
              multiply_bfloats(sums[i][j], a[i], make_uint2(b.x, b.y));
              multiply_bfloats(sums[i][j + 1], a[i], make_uint2(b.z, b.w));
            } else {
              multiply_halves(sums[i][j], a[i], make_uint2(b.x, b.y));
              multiply_halves(sums[i][j + 1], a[i], make_uint2(b.z, b.w));
            }
          }
        }
      }
    }
  }
  wait_for_copies<0>();
#pragma unroll
  for (int i = 0; i < ROW_TILES / MATRICES; i++) {
#pragma unroll
    for (int j = 0; j < TOKEN_TILES; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int row = (first_tile + down * (ROW_TILES / MATRICES) + i) * TILE_ROWS + lane / 4 + k / 2 * 8;
        int token = tokens.first + (across * TOKEN_TILES + j) * 8 + lane % 4 * 2 + k % 2;
        if (row < rows && token < tokens.count) {
          float inverse = inverses[tokens.x_row(token)];
#ifdef GLU
          float product = activation(sums[0][j][k] * inverse) * (sums[1][j][k] * inverse);
#else
          float product = sums[i][j][k] * inverse;
#endif
          y0[tokens.y_row(token) * rows + row] = product;
        }
      }
    }
  }
}
