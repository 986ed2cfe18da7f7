// Kernels for processors, compiled once for each instruction set: SET names it, and ends the name of each function.

#include <stdint.h>
#include <string.h>

#define INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 16")
// Weights are fetched so many bytes before they are used, into the second-level cache.
#define AHEAD 12288
static INLINE void prefetch(const uint8_t *at, const int bytes) {
  UNROLL for (int i = 0; i < bytes; i += 64) {
    __builtin_prefetch(at + AHEAD + i, 0, 2);
  }
}

#define WITH_SET(name, set) name##_##set
#define IN_SET(name, set) WITH_SET(name, set)
#define EXPORT(name) __attribute__((visibility("default"))) IN_SET(kancil_##name, SET)

#define BLOCK 32
// The largest magnitude of a block's activations of two or three bytes: all bytes 127, less what rounding may add before it is whole.
#define LEVELS(parts) ((parts) == 3 ? 127 * 65793 - 8 : 127 * 257)

static INLINE float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

#if defined(__AVX512BW__)
#include "simd_avx512.h"
#elif defined(__AVX2__)
#include "simd_avx2.h"
#else
#include "simd_plain.h"
#endif

#define TILE_ROWS 16

// Calls what multiplies `tokens` rows with their number, and that of their parts, as constants.
#define CASE(count, call, ...) \
  case count: call(__VA_ARGS__, count, 3, lane, results); break;
#if FEW_TOKENS == 4
#define FEW_CASES(...) \
  CASE(1, __VA_ARGS__) CASE(2, __VA_ARGS__) CASE(3, __VA_ARGS__) CASE(4, __VA_ARGS__) \
  default: __builtin_unreachable();
#else
#define FEW_CASES(...) \
  CASE(1, __VA_ARGS__) CASE(2, __VA_ARGS__) \
  default: __builtin_unreachable();
#endif
#define CASES(parts, tokens, call, ...) \
  if (parts == 2) { \
    call(__VA_ARGS__, MANY_TOKENS, 2, lane, results); \
  } else { \
    switch (tokens) { FEW_CASES(call, __VA_ARGS__) } \
  }

#include "functions.h"
#include "rows.h"
#include "activations.h"

// Rows of x that are multiplied with some tiles before the next ones are.
#define TOKENS_AT_ONCE 60

long EXPORT(round_bytes)(long blocks, int parts) { return activation_bytes(blocks, parts); }

static INLINE void round_rows(const float *x, long x_floats, long blocks, int rows, uint8_t *to, long row_bytes, const int parts) {
  for (int row = 0; row < rows; row++) {
    activations of = activations_at(to + row * row_bytes, blocks, parts);
    for (long b = 0; b < blocks; b++) {
      const float *from = x + row * x_floats + BLOCK * b;
      uint8_t *numbers = of.numbers + 8 * FOUR_BYTES(parts) * b;
      uint32_t first = largest_of_sixteen(from), second = largest_of_sixteen(from + 16);
      float largest = float_of_bits(first > second ? first : second);
      // Below this the inverse is no float.
      int is_zero = largest < 1e-30f;
      float inverse = is_zero ? 0 : LEVELS(parts) / largest;
      // Of what is endless, no number.
      float scale = is_zero ? 0 : largest / LEVELS(parts) + (largest - largest);
      int32_t high[2] = {0, 0}, low[2] = {0, 0};
      UNROLL for (int half = 0; half < 2; half++) {
        round_sixteen(from + 16 * half, inverse, numbers + 4 * FOUR_BYTES(parts) * half, parts, high + half, low + half);
        of.minus_halves[2 * b + half] = -high[half];
        of.minus_low_halves[2 * b + half] = -low[half];
      }
      float sum = (float)(high[0] + high[1]);
      of.scales[b] = scale;
      of.sums[b] = scale * (parts == 3 ? sum * 256 + (float)(low[0] + low[1]) : sum);
      of.minus[b] = -high[0] - high[1];
      of.minus_low[b] = -low[0] - low[1];
    }
  }
}

// Some rows of x in blocks, as activations.h lays them out. What is no number or endless makes its block's scale no number.
void EXPORT(round)(const float *x, long x_floats, long blocks, int rows, uint8_t *to, long row_bytes, int parts) {
  if (parts == 3) {
    round_rows(x, x_floats, blocks, rows, to, row_bytes, 3);
  } else {
    round_rows(x, x_floats, blocks, rows, to, row_bytes, 2);
  }
}

#include "products.h"
#include "float_products.h"
#include "pack.h"

// Multiplies some lanes of a tile with at most FEW_TOKENS rows of x, or MANY_TOKENS of two parts; `blocks` are columns where weights are floats.
typedef void product(
    const uint8_t *tile, long blocks, const uint8_t *x, long x_bytes, int tokens, int parts, int lane, floats *results);

// y[t][row] = row · x[t] for the first `rows` rows of some tiles.
static INLINE void many(
    product *multiply_tile, const uint8_t *tiles, long tile_bytes, long blocks, const uint8_t *x, long x_bytes, int tokens, int parts, float *y,
    long y_floats, int rows) {
  int group = parts == 2 ? MANY_TOKENS : FEW_TOKENS;
  for (int begin = 0; begin < tokens; begin += TOKENS_AT_ONCE) {
    int end = begin + TOKENS_AT_ONCE < tokens ? begin + TOKENS_AT_ONCE : tokens;
    for (int row = 0; row < rows; row += LANES) {
      const uint8_t *tile = tiles + row / TILE_ROWS * tile_bytes;
      for (int t = begin; t < end; t += group) {
        floats results[MANY_TOKENS];
        int few = end - t < group ? end - t : group;
        // What is computed twice comes out alike.
        int first = parts == 2 && few < group ? end - group : t;
        int count = parts == 2 ? group : few;
        multiply_tile(tile, blocks, x + first * x_bytes, x_bytes, count, parts, row % TILE_ROWS, results);
        for (int i = 0; i < count; i++) {
          float *to = y + (first + i) * y_floats + row;
          if (rows - row >= LANES) {
            store(to, results[i]);
          } else {
            float lanes[LANES];
            store(lanes, results[i]);
            memcpy(to, lanes, sizeof(float) * (size_t)(rows - row));
          }
        }
      }
    }
  }
}

#include "attention.h"

// `blocks` of 32 columns, or columns where weights are floats, whose x has 3 parts by name. pack: rows of a matrix become tiles, which have been
// zeroed. multiply: x of two parts has at least MANY_TOKENS rows.
#define TYPE(name) \
  long EXPORT(tile_bytes_##name)(long blocks) { return tile_bytes_##name(blocks); } \
  void EXPORT(pack_##name)(const uint8_t *rows, long row_bytes, long blocks, long count, uint8_t *tiles) { \
    for (long row = 0; row < count; row++) { \
      pack_row_##name(rows + row * row_bytes, blocks, row % TILE_ROWS, tiles + row / TILE_ROWS * tile_bytes_##name(blocks)); \
    } \
  } \
  void EXPORT(multiply_##name)( \
      const uint8_t *tiles, long blocks, const uint8_t *x, long x_bytes, int tokens, int parts, float *y, long y_floats, int rows) { \
    many(multiply_##name, tiles, tile_bytes_##name(blocks), blocks, x, x_bytes, tokens, parts, y, y_floats, rows); \
  }
TYPE(f32)
TYPE(f16)
TYPE(bf16)
TYPE(q4_0)
TYPE(q4_1)
TYPE(q5_0)
TYPE(q5_1)
TYPE(q8_0)
TYPE(iq4_nl)
TYPE(mxfp4)
TYPE(q4_k)
TYPE(q5_k)
TYPE(q6_k)
