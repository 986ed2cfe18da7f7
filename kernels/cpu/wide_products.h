// Products of steps of many rows of x, whose sums go to memory after some columns of all of them, so that what is done for weights is done once for
// WIDE_AT_ONCE rows, and lies in the first-level cache: groups of WIDE_TOKENS rows of x, each with REGISTERS registers of rows of weights, which
// share what is loaded of x.
//
// Superblocks: weights are whole numbers times whole scales, which are words; so are activations (activations.h), with one scale for as many columns,
// and nothing is scaled before a superblock ends. (What multiplies bytes faster than words takes both apart, for the same sums.) Minimums are multiplied with sums of blocks alike.
// Invariants: a sum is at most 15 · 63 · 4095 · 256 (Q4_K), 31 · 63 · 4095 · 256 (Q5_K), 32 · 128 · 4095 · 128 (Q6_K), 4 · 32 · 4095 · 128 (Q3_K), 127 · 32 · 4095 · 128 (IQ4_XS)
// or, of codebooks, 43 · 31 · 4095 · 256 (IQ2) < 2^31.

#define REGISTERS 2

// More rows share what is unpacked, but their sums lie in the first-level cache, too: 12 KB, beside 16 KB of weights.
#ifdef TILES
#define WIDE_AT_ONCE 64
#else
#define WIDE_AT_ONCE 96
#endif

// Numbers of rows of x that are a constant: all, two thirds and a third.
#define WIDE_CASE(count, many, call, ...) \
  case count * 2 + many: call(__VA_ARGS__, count, many + 1); break;
#define WIDE_CASES(tokens, registers, ...) \
  switch ((tokens) * 2 + (registers) - 1) { \
    WIDE_CASE(WIDE_TOKENS, 1, __VA_ARGS__) WIDE_CASE(WIDE_TOKENS, 0, __VA_ARGS__) \
    WIDE_CASE(WIDE_TOKENS / 3 * 2, 1, __VA_ARGS__) WIDE_CASE(WIDE_TOKENS / 3 * 2, 0, __VA_ARGS__) \
    WIDE_CASE(WIDE_TOKENS / 3, 1, __VA_ARGS__) WIDE_CASE(WIDE_TOKENS / 3, 0, __VA_ARGS__) \
    default: __builtin_unreachable(); \
  }

// The rows of x of a group that begins at t.
typedef struct {
  int first, count;
} wide_group;

static INLINE wide_group group_at(int t, int end) {
  int left = end - t;
#ifdef TILES
  int count = end < WIDE_TOKENS ? end : WIDE_TOKENS;
#else
  int third = WIDE_TOKENS / 3;
  int count = left >= WIDE_TOKENS ? WIDE_TOKENS : (left + third - 1) / third * third;
#endif
  // What is computed twice comes out alike.
  return (wide_group){count > left ? end - count : t, count};
}

// What holds the sums of WIDE_AT_ONCE rows meanwhile, a group after the other.
typedef struct {
  floats of[REGISTERS * WIDE_AT_ONCE];
} wide_sums;

static INLINE void clear(wide_sums *sums) {
  for (int i = 0; i < REGISTERS * WIDE_AT_ONCE; i++) {
    sums->of[i] = zero();
  }
}

static INLINE void put(const wide_sums *sums, int begin, int end, int registers, float *y, long y_floats, int rows) {
  const floats *at = sums->of;
  for (int t = begin; t < end; t += WIDE_TOKENS) {
    wide_group group = group_at(t, end);
    for (int i = 0; i < group.count; i++) {
      for (int r = 0; r < registers; r++) {
        store_some(y + (group.first + i) * y_floats + LANES * r, *at++, rows - LANES * r);
      }
    }
  }
}

// sums += scale · x_scale · whole.
static INLINE void add_scaled(
    const ints *whole, long x_bytes, const floats *scale, const float *x_scales, floats *sums, int tokens, int registers) {
  for (int t = 0; t < tokens; t++) {
    floats x_scale = all(*(const float *)((const uint8_t *)x_scales + t * x_bytes));
    for (int r = 0; r < registers; r++) {
      floats *to = sums + registers * t + r;
      *to = multiply_add(multiply(scale[r], x_scale), from_ints(whole[registers * t + r]), *to);
    }
  }
}

#ifndef WIDE_BYTES
// Quants of four columns less 2^offset, unless that is negative, times their scale: the even ones, and the odd ones.
typedef struct {
  words even, odd;
} word_pair;

static INLINE word_pair scaled_words(bytes q, const int offset, words scale) {
  words even = even_words(q), odd = odd_words(q);
  if (offset >= 0) {
    even = subtract_words(even, 1 << offset);
    odd = subtract_words(odd, 1 << offset);
  }
  return (word_pair){multiply_words(even, scale), multiply_words(odd, scale)};
}
#endif

#ifdef TILES
#include "wide_tiles.h"
#else

// Every third row of x has a pointer: each would take more registers than there are.
#define X_AT(base, t) (base[(t) / 3] + (t) % 3 * x_bytes)
#define EACH_THIRD UNROLL for (int i = 0; i < (tokens + 2) / 3; i++)
// Else the compiler takes a register for each row nevertheless.
#define KEEP(pointer) __asm__("" : "+r"(pointer))

// sums = Σ w x.
static INLINE void multiply_words_of(
    const words *w, int pairs, const uint8_t *x, long x_bytes, ints *sums, const int tokens, const int registers) {
  const uint8_t *base[(WIDE_TOKENS + 2) / 3];
  ints sum[WIDE_TOKENS][REGISTERS];
  EACH_THIRD { base[i] = x + 3 * i * x_bytes; }
  UNROLL for (int t = 0; t < tokens; t++) {
    UNROLL for (int r = 0; r < registers; r++) {
      sum[t][r] = no_ints();
    }
  }
  for (int k = 0; k < pairs; k += 4) {
    EACH_THIRD { KEEP(base[i]); }
    UNROLL for (int j = 0; j < 4; j++) {
      UNROLL for (int t = 0; t < tokens; t++) {
        words pair = all_pairs(X_AT(base, t) + 4 * j);
        UNROLL for (int r = 0; r < registers; r++) {
          sum[t][r] = add_word_products(sum[t][r], w[registers * (k + j) + r], pair);
        }
      }
    }
    EACH_THIRD { base[i] += 16; }
  }
  UNROLL for (int t = 0; t < tokens; t++) {
    UNROLL for (int r = 0; r < registers; r++) {
      sums[registers * t + r] = sum[t][r];
    }
  }
}

// sums += scale · x_scale · Σ w x.
static NOINLINE void add_words_products(
    const words *w, int pairs, const uint8_t *x, long x_bytes, const floats *scale, const float *x_scales, floats *sums, int tokens,
    int registers) {
  ints whole[REGISTERS * WIDE_TOKENS];
  WIDE_CASES(tokens, registers, multiply_words_of, w, pairs, x, x_bytes, whole)
  add_scaled(whole, x_bytes, scale, x_scales, sums, tokens, registers);
}

#ifdef WIDE_BYTES
#include "wide_bytes.h"
#else
#include "wide_words.h"
#endif

#endif

// A superblock of weights: scale · Σ quants x - minimum · Σ minimums x.
typedef struct {
  wide_quants quants;
  words minimums[REGISTERS * SUPER_COLUMNS / BLOCK];
  floats scale[REGISTERS], minus_minimum[REGISTERS];
} wide_weights;

// Adds a superblock's products, its columns in so many pieces, to the sums of a group of rows of x, of which x is the first one's `super`.
static INLINE void add_super(
    const wide_weights *w, const int pieces, const int has_minimum, const uint8_t *x, long x_bytes, long blocks, long super, floats *sums, int tokens,
    int registers) {
  word_activations of = word_activations_at(x, blocks);
  const uint8_t *numbers = of.numbers + 2 * SUPER_COLUMNS * super;
  for (int i = 0; i < pieces; i++) {
    add_quants_products(
        &w->quants, i, pieces, numbers + 2 * SUPER_COLUMNS / pieces * i, x_bytes, w->scale, of.scales + super, sums, tokens, registers);
  }
  if (has_minimum) {
    add_words_products(
        w->minimums, SUPER_COLUMNS / BLOCK, of.sums + 4 * (SUPER_COLUMNS / BLOCK) * super, x_bytes, w->minus_minimum, of.scales + super, sums, tokens,
        registers);
  }
}

// Unpacks some lanes of a superblock, as its register r.
typedef void unpack_super(const uint8_t *at, int lane, wide_weights *w, int r, int registers);

// y[t][row] = row · x[t], as `many` has it.
static INLINE void wide(
    unpack_super *unpack, long super_bytes, const int pieces, const int has_minimum, const uint8_t *tiles, long blocks, const uint8_t *x, long x_bytes,
    int tokens, float *y, long y_floats, int rows) {
  wide_weights w;
  wide_sums sums;
  long supers = blocks / (SUPER_COLUMNS / BLOCK);
  for (int begin = 0; begin < tokens; begin += WIDE_AT_ONCE) {
    int end = begin + WIDE_AT_ONCE < tokens ? begin + WIDE_AT_ONCE : tokens;
    for (int row = 0; row < rows; row += REGISTERS * LANES) {
      int registers = rows - row > LANES ? REGISTERS : 1;
      clear(&sums);
      for (long super = 0; super < supers; super++) {
        for (int r = 0; r < registers; r++) {
          int at = row + LANES * r;
          unpack(tiles + (at / TILE_ROWS * supers + super) * super_bytes, at % TILE_ROWS, &w, r, registers);
        }
        floats *to = sums.of;
        for (int t = begin; t < end; t += WIDE_TOKENS) {
          wide_group group = group_at(t, end);
          add_super(&w, pieces, has_minimum, x + group.first * x_bytes, x_bytes, blocks, super, to, group.count, registers);
          to += registers * group.count;
        }
      }
      put(&sums, begin, end, registers, y + row, y_floats, rows - row);
    }
  }
}

#ifdef __AVX512BF16__

#ifdef TILES
#include "brain_tiles.h"
#else
#include "brain_products.h"
#endif

// Pairs of columns of all rows of x that are multiplied before the next ones are.
#define BRAIN_PAIRS 256

static void wide_bf16(
    const uint8_t *tiles, long columns, const uint8_t *x, long x_bytes, int tokens, float *y, long y_floats, int rows) {
  wide_sums sums;
  long pairs = (columns + 1) / 2, tile_bytes = 64 * pairs;
  for (int begin = 0; begin < tokens; begin += WIDE_AT_ONCE) {
    int end = begin + WIDE_AT_ONCE < tokens ? begin + WIDE_AT_ONCE : tokens;
    for (int row = 0; row < rows; row += REGISTERS * LANES) {
      int registers = rows - row > LANES ? REGISTERS : 1;
      clear(&sums);
      for (long k = 0; k < pairs; k += BRAIN_PAIRS) {
        const uint8_t *w = tiles + row / TILE_ROWS * tile_bytes + 64 * k;
        add_brain_rows(w, tile_bytes, pairs - k < BRAIN_PAIRS ? pairs - k : BRAIN_PAIRS, x + 4 * k, x_bytes, begin, end, sums.of, registers);
      }
      put(&sums, begin, end, registers, y + row, y_floats, rows - row);
    }
  }
}

#endif
