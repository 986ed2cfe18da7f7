// Kernels for processors, compiled once for each instruction set: SET names it, and ends the name of each function.

#include <stdint.h>
#include <string.h>

#define INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#ifdef __clang__
// Which else unrolls loops of an unknown number of rounds, too, before they are where it is known, and takes hours.
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
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
// TILES is the set that has what a set of tiles has not.
#define BELOW(name) IN_SET(kancil_##name, TILES)

#define BLOCK 32
// The largest magnitude of a block's activations of two or three bytes: all bytes 127, less what rounding may add before it is whole.
#define LEVELS(parts) ((parts) == 3 ? 127 * 65793 - 8 : 127 * 257)

static INLINE float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

// What the compiler makes without being asked may be more than plain C.
#if defined(PLAIN)
#include "simd_plain.h"
#elif defined(__AVX512BW__)
#include "simd_avx512.h"
#elif defined(__AVX2__)
#include "simd_avx2.h"
#else
#include "simd_neon.h"
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
#ifndef TILES
#include "rows.h"
#endif
#include "activations.h"

// Rows of x that are multiplied with some tiles before the next ones are.
#define TOKENS_AT_ONCE 60

// What numbers of so many levels are multiplied with, to become them and to be x again.
typedef struct {
  float inverse, scale;
} scaling;

static INLINE scaling scaling_to(int levels, float largest) {
  // Below this the inverse is no float.
  int is_zero = largest < 1e-30f;
  // Of what is endless, no number.
  return (scaling){is_zero ? 0 : (float)levels / largest, is_zero ? 0 : largest / (float)levels + (largest - largest)};
}

static INLINE void round_rows(const float *x, long x_floats, long blocks, int rows, uint8_t *to, long row_bytes, const int parts) {
  for (int row = 0; row < rows; row++) {
    activations of = activations_at(to + row * row_bytes, blocks, parts);
    for (long b = 0; b < blocks; b++) {
      const float *from = x + row * x_floats + BLOCK * b;
      uint8_t *numbers = of.numbers + 8 * FOUR_BYTES(parts) * b;
      uint32_t first = largest_of_sixteen(from), second = largest_of_sixteen(from + 16);
      scaling of_block = scaling_to(LEVELS(parts), float_of_bits(first > second ? first : second));
      int32_t high[2] = {0, 0}, low[2] = {0, 0};
      UNROLL for (int half = 0; half < 2; half++) {
        round_sixteen(from + 16 * half, of_block.inverse, numbers + 4 * FOUR_BYTES(parts) * half, parts, high + half, low + half);
        of.minus_halves[2 * b + half] = -high[half];
        of.minus_low_halves[2 * b + half] = -low[half];
      }
      float sum = (float)(high[0] + high[1]);
      of.scales[b] = of_block.scale;
      of.sums[b] = of_block.scale * (parts == 3 ? sum * 256 + (float)(low[0] + low[1]) : sum);
      of.minus[b] = -high[0] - high[1];
      of.minus_low[b] = -low[0] - low[1];
    }
  }
}

static void round_rows_to_words(const float *x, long x_floats, long columns, int rows, uint8_t *to, long row_bytes) {
  for (int row = 0; row < rows; row++) {
    word_activations of = word_activations_at(to + row * row_bytes, columns / BLOCK);
    for (long k = 0; k < columns; k += SUPER_COLUMNS) {
      const float *from = x + row * x_floats + k;
      uint32_t largest = 0;
      for (int i = 0; i < SUPER_COLUMNS; i += 16) {
        uint32_t some = largest_of_sixteen(from + i);
        largest = some > largest ? some : largest;
      }
      scaling of_super = scaling_to(WORD_LEVELS, float_of_bits(largest));
      of.scales[k / SUPER_COLUMNS] = of_super.scale;
      for (int i = 0; i < SUPER_COLUMNS; i += BLOCK) {
        int32_t sum = round_words(from + i, of_super.inverse, WORDS_AT(of.numbers, k + i)) +
            round_words(from + i + 16, of_super.inverse, WORDS_AT(of.numbers, k + i + 16));
        int16_t pair[2] = {(int16_t)(sum >> 6), (int16_t)(sum & 63)};
        memcpy(of.sums + 4 * ((k + i) / BLOCK), pair, 4);
      }
    }
  }
}

#ifdef __AVX512BF16__
static void round_rows_to_brain_floats(const float *x, long x_floats, long columns, int rows, uint8_t *to, long row_bytes) {
  for (int row = 0; row < rows; row++) {
    const float *from = x + row * x_floats;
    uint16_t *numbers = (uint16_t *)(to + row * row_bytes);
    for (long k = 0; k < columns; k += 16) {
      // Where the number of columns is odd, the last one's neighbour is zero.
      long left = columns - k, stored = (left + 1) / 2 * 2;
      __mmask16 some = left >= 16 ? 0xffff : (__mmask16)((1 << left) - 1);
      __m256i rounded = rounded_brain_floats(_mm512_maskz_loadu_ps(some, from + k));
      _mm256_mask_storeu_epi16(numbers + k, stored >= 16 ? 0xffff : (__mmask16)((1 << stored) - 1), rounded);
    }
  }
}
#endif

long EXPORT(round_bytes)(long columns, int form) {
  return form == BRAIN_FLOATS ? (columns + 1) / 2 * 4 : form == WORDS ? word_activation_bytes(columns) : activation_bytes(columns / BLOCK, form);
}

// Some rows of x, as activations.h lays them out. What is no number or endless makes its block's scale no number.
void EXPORT(round)(const float *x, long x_floats, long columns, int rows, uint8_t *to, long row_bytes, int form) {
  switch (form) {
#ifdef __AVX512BF16__
    case BRAIN_FLOATS: round_rows_to_brain_floats(x, x_floats, columns, rows, to, row_bytes); break;
#endif
    case WORDS: round_rows_to_words(x, x_floats, columns, rows, to, row_bytes); break;
    case TWO_BYTES: round_rows(x, x_floats, columns / BLOCK, rows, to, row_bytes, 2); break;
    case THREE_BYTES: round_rows(x, x_floats, columns / BLOCK, rows, to, row_bytes, 3); break;
    default: __builtin_unreachable();
  }
}

// The first of some rows.
static INLINE void store_some(float *to, floats x, int rows) {
  if (rows >= LANES) {
    store(to, x);
  } else {
    float lanes[LANES];
    store(lanes, x);
    memcpy(to, lanes, sizeof(float) * (size_t)rows);
  }
}

#include "wide_products.h"
#include "products.h"
#include "float_products.h"
#include "scaled_floats.h"

// Multiplies some lanes of a tile with at most FEW_TOKENS rows of x, or MANY_TOKENS of two parts; `blocks` are columns where weights are floats.
typedef void product(
    const uint8_t *tile, long blocks, const uint8_t *x, long x_bytes, int tokens, int parts, int lane, floats *results);

// y[t][row] = row · x[t] for the first `rows` rows of some tiles. Types whose steps of many rows have products of their own don't take many here.
static INLINE void many(
    product *multiply_tile, const int takes_many, const uint8_t *tiles, long tile_bytes, long blocks, const uint8_t *x, long x_bytes, int tokens,
    int form, float *y, long y_floats, int rows) {
  int parts = takes_many && (form == TWO_BYTES || (form == FLOATS && tokens >= MANY_TOKENS)) ? 2 : 3;
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
          store_some(y + (first + i) * y_floats + row, results[i], rows - row);
        }
      }
    }
  }
}

// Of a form that is none of the type's.
#define no_product(...) __builtin_unreachable()

// `blocks` of 32 columns, or columns where weights are floats. pack: rows of a matrix become tiles, which have been zeroed.
// multiply: x of other forms than THREE_BYTES and FLOATS has at least 12 rows.
#define MULTIPLY(name, set) \
  void set(multiply_##name)( \
      const uint8_t *tiles, long blocks, const uint8_t *x, long x_bytes, int tokens, int form, float *y, long y_floats, int rows)

#ifdef TILES

#define TYPE(name)
#define WIDE_TYPE(name) \
  MULTIPLY(name, BELOW); \
  MULTIPLY(name, EXPORT) { \
    if (form <= WORDS) { \
      begin_tiles(tokens < TILE_TOKENS ? tokens : TILE_TOKENS); \
      wide_##name(tiles, blocks, x, x_bytes, tokens, y, y_floats, rows); \
      end_tiles(); \
    } else { \
      BELOW(multiply_##name)(tiles, blocks, x, x_bytes, tokens, form, y, y_floats, rows); \
    } \
  }
#define WIDE_AND_MANY_TYPE(name) WIDE_TYPE(name)

#else

#include "attention.h"
#include "pack.h"
#include "pack_codebooks.h"

#define TYPE_WITH(name, wide_product, takes_many) \
  long EXPORT(tile_bytes_##name)(long blocks) { return tile_bytes_##name(blocks); } \
  void EXPORT(pack_##name)(const uint8_t *rows, long row_bytes, long blocks, long count, uint8_t *tiles) { \
    for (long row = 0; row < count; row++) { \
      pack_row_##name(rows + row * row_bytes, blocks, row % TILE_ROWS, tiles + row / TILE_ROWS * tile_bytes_##name(blocks)); \
    } \
  } \
  MULTIPLY(name, EXPORT) { \
    if (form <= WORDS) { \
      wide_product(tiles, blocks, x, x_bytes, tokens, y, y_floats, rows); \
    } else { \
      many(multiply_##name, takes_many, tiles, tile_bytes_##name(blocks), blocks, x, x_bytes, tokens, form, y, y_floats, rows); \
    } \
  }
#define TYPE(name) TYPE_WITH(name, no_product, 1)
#define WIDE_TYPE(name) TYPE_WITH(name, wide_##name, 0)
#define WIDE_AND_MANY_TYPE(name) TYPE_WITH(name, wide_##name, 1)

#endif

TYPE(f32)
TYPE(f16)
#ifdef __AVX512BF16__
WIDE_AND_MANY_TYPE(bf16)
#else
TYPE(bf16)
#endif
TYPE(q4_0)
TYPE(q4_1)
TYPE(q5_0)
TYPE(q5_1)
TYPE(q8_0)
TYPE(iq4_nl)
TYPE(mxfp4)
WIDE_TYPE(q4_k)
WIDE_TYPE(q5_k)
WIDE_TYPE(q6_k)
WIDE_TYPE(q3_k)
TYPE(q2_k)
WIDE_TYPE(iq4_xs)
TYPE(nvfp4)
WIDE_TYPE(iq2_xxs)
WIDE_TYPE(iq2_xs)
WIDE_TYPE(iq2_s)
WIDE_TYPE(iq3_xxs)
WIDE_TYPE(iq3_s)
WIDE_TYPE(iq1_s)
WIDE_TYPE(iq1_m)
TYPE(tq1_0)
TYPE(tq2_0)
TYPE(scaled_f8)
