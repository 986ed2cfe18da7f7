// mat_mul: y = x · Wᵀ for many tokens, whose activations are rounded to halves (round_rows.h; bfloats for weights of that type).
//
// A block takes BLOCK_ROWS rows of weights and BLOCK_TOKENS tokens: WARPS_DOWN x WARPS_ACROSS warps, each ROW_TILES tiles of 16 rows and
// TOKEN_TILES of 8 tokens, whose sums stay in registers.
// Stages of DEPTH columns come to shared memory by asynchronous copies, STAGES deep: weights as they lie, and x with its 16-byte units
// exchanged by the token's number, so that ldmatrix finds its eight rows in different banks. Each warp makes halves of its weights in
// registers, rounded once (exactly scaled quants, minus minima that are kept in two parts).
// Blocks: x tokens, which share weights and run together; y rows.
// Traffic: weights once for each BLOCK_TOKENS tokens, x once for each BLOCK_ROWS rows, both mostly from L2.
// Invariants: x has BLOCK_TOKENS rows more than tokens, rounded down, and columns to a multiple of 256, zeros behind the last; what the
// rows behind the last token hold comes to no sum that is written.
// Defines: FORMAT, COLUMNS, DEPTH, STAGES, WARPS_DOWN, WARPS_ACROSS, ROW_TILES, TOKEN_TILES.

#include "async_copies.h"
#include "weight_tiles.h"

#define THREADS (32 * WARPS_DOWN * WARPS_ACROSS)
#define BLOCK_ROW_TILES (WARPS_DOWN * ROW_TILES)
#define BLOCK_TOKENS (WARPS_ACROSS * TOKEN_TILES * 8)
#define ROUNDED_COLUMNS ((COLUMNS + 255) / 256 * 256)
#define CHUNKS ((COLUMNS + FORMAT::CHUNK - 1) / FORMAT::CHUNK)
#define STAGE_CHUNKS (DEPTH / FORMAT::CHUNK)
#define TILE_STAGE_BYTES (STAGE_CHUNKS * FORMAT::BYTES)
#define WEIGHT_STAGE_BYTES (BLOCK_ROW_TILES * TILE_STAGE_BYTES)
#define UNITS (DEPTH / 8)
#define STAGE_BYTES (WEIGHT_STAGE_BYTES + BLOCK_TOKENS * DEPTH * 2)

static inline uint twice(uint half_bits) { return half_bits | half_bits << 16; }
static inline uint lower_twice(uint pair) { return __byte_perm(pair, 0, 0x1010); }
static inline uint upper_twice(uint pair) { return __byte_perm(pair, 0, 0x3232); }

// Quants minus `offset`, exactly: as mantissas of 1024 + q, or of 64 + q for rows g + 8 of types with few bits, whose quants stand four
// bits higher.
template <bool WIDE>
static inline a_fragment numbers(a_fragment a, int offset) {
  for (int i = 0; i < 4; i++) {
    bool high = !WIDE && i % 2 == 1;
    // -(1024 + offset), whose unit is 1 up to 2048; -(64 + offset), whose unit is 1/16 up to 128.
    uint minus = high ? 0xd400 + 16 * offset : 0xe400 + offset;
    a.pair[i] = add_halves(a.pair[i] | (high ? 0x54005400 : 0x64006400), twice(minus));
  }
  return a;
}

template <int BITS, bool MINIMUM, int OFFSET>
static inline a_fragment weights_of(const typename small_blocks<BITS, MINIMUM, OFFSET>::raw &r, int step,
                                    small_blocks<BITS, MINIMUM, OFFSET>) {
  typedef small_blocks<BITS, MINIMUM, OFFSET> F;
  a_fragment a = numbers<BITS == 8>(F::quants(r, step), OFFSET);
  for (int i = 0; i < 4; i++) {
    uint both = i % 2 == 0 ? r.scales.x : r.scales.y;
    uint scale = step < 2 ? lower_twice(both) : upper_twice(both);
    if (MINIMUM) {
      uint minima = i % 2 == 0 ? r.minima.x : r.minima.y;
      a.pair[i] = fma_halves(a.pair[i], scale, step < 2 ? lower_twice(minima) : upper_twice(minima));
    } else {
      a.pair[i] = multiplied_halves(a.pair[i], scale);
    }
  }
  return a;
}

template <bool FIFTH>
static inline a_fragment weights_of(const typename super_blocks<FIFTH>::raw &r, int step, super_blocks<FIFTH>) {
  a_fragment a = numbers<false>(super_blocks<FIFTH>::quants(r, step), 0);
  int sub = step / 2;
  for (int row = 0; row < 2; row++) {
    super_header h = super_header_of(r.headers[row]);
    uint scales = sub < 4 ? h.scales.x : h.scales.y, minima = sub < 4 ? h.minima.x : h.minima.y;
    // Twice the byte as a half, exactly.
    uint selector = 0x4040 | sub % 4 * 0x0101;
    uint scale = add_halves(__byte_perm(scales, 0x64646464, selector), 0xe400e400);
    float minimum = -h.dmin * (float)(minima >> 8 * (sub % 4) & 255);
    uint high = halves_of(minimum, minimum);
    float rest = minimum - low_half(high);
    uint low = halves_of(rest, rest);
    uint d = lower_twice(r.headers[row].x);
    for (int i = row; i < 4; i += 2) {
      a.pair[i] = add_halves(fma_halves(multiplied_halves(a.pair[i], scale), d, high), low);
    }
  }
  return a;
}

static inline a_fragment weights_of(const six_bits::raw &r, int step, six_bits) {
  a_fragment a = numbers<false>(six_bits::quants(r, step), 32);
  for (int row = 0; row < 2; row++) {
    uint word = word_of(r.scales[row], step / 4);
    float scale = (row == 0 ? low_half(r.d) : high_half(r.d)) * (float)((int)(word >> 8 * (step % 4) & 255) - 128);
    uint high = halves_of(scale, scale);
    float rest = scale - low_half(high);
    uint low = halves_of(rest, rest);
    for (int i = row; i < 4; i += 2) {
      a.pair[i] = fma_halves(a.pair[i], high, multiplied_halves(a.pair[i], low));
    }
  }
  return a;
}

template <bool BFLOAT>
static inline a_fragment weights_of(const typename sixteen_bits<BFLOAT>::raw &r, int step, sixteen_bits<BFLOAT>) {
  return sixteen_bits<BFLOAT>::quants(r, step);
}

extern "C" __global__ void __launch_bounds__(THREADS) mat_mul(
    const ushort *x, const float *inverses, const uchar *weights, float *y, int rows, const int *counts, int which) {
  BEGIN_LAUNCH();
  extern __shared__ uint4 shared[];
  uchar *stages = (uchar *)shared;
  int tokens = counts[which], first_token = blockIdx.x * BLOCK_TOKENS;
  if (first_token >= tokens) {
    return;
  }
  int tiles = (rows + TILE_ROWS - 1) / TILE_ROWS, first_tile = blockIdx.y * (WARPS_DOWN * ROW_TILES);
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, down = warp % WARPS_DOWN, across = warp / WARPS_DOWN;
  x += (size_t)first_token * ROUNDED_COLUMNS;

  auto fetch = [&](int stage) {
    if (stage * STAGE_CHUNKS < CHUNKS) {
      uchar *to = stages + stage % STAGES * STAGE_BYTES;
      int bytes = min(STAGE_CHUNKS, CHUNKS - stage * STAGE_CHUNKS) * FORMAT::BYTES;
#pragma unroll 4
      for (int unit = threadIdx.x; unit < WEIGHT_STAGE_BYTES / 16; unit += THREADS) {
        int tile = unit / (TILE_STAGE_BYTES / 16), at = unit % (TILE_STAGE_BYTES / 16) * 16;
        if (first_tile + tile < tiles && at < bytes) {
          const uchar *from = weights + ((size_t)(first_tile + tile) * CHUNKS + stage * STAGE_CHUNKS) * FORMAT::BYTES;
          copy_16_bytes(to + 16 * unit, from + at);
        }
      }
      uchar *activations = to + WEIGHT_STAGE_BYTES;
#pragma unroll 4
      for (int i = threadIdx.x; i < BLOCK_TOKENS * UNITS; i += THREADS) {
        int token = i / UNITS, unit = i % UNITS;
        int column = stage * DEPTH + 8 * unit;
        if (column < ROUNDED_COLUMNS) {
          copy_16_bytes(activations + (token * UNITS + (unit ^ token % 8)) * 16, x + (size_t)token * ROUNDED_COLUMNS + column);
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
    const uchar *activations = from + WEIGHT_STAGE_BYTES;
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
#pragma unroll
        for (int j = 0; j < TOKEN_TILES; j += 2) {
          int token = (across * TOKEN_TILES + j) * 8 + lane / 16 * 8 + lane % 8;
          int unit = (chunk * FORMAT::STEPS + step) * 2 + lane / 8 % 2;
          uint4 b = load_matrices(activations + (token * UNITS + (unit ^ token % 8)) * 16);
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
  for (int i = 0; i < ROW_TILES; i++) {
#pragma unroll
    for (int j = 0; j < TOKEN_TILES; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int row = (first_tile + down * ROW_TILES + i) * TILE_ROWS + lane / 4 + k / 2 * 8;
        int token = first_token + (across * TOKEN_TILES + j) * 8 + lane % 4 * 2 + k % 2;
        if (row < rows && token < tokens) {
          y[(size_t)token * rows + row] = sums[i][j][k] * inverses[token];
        }
      }
    }
  }
}
