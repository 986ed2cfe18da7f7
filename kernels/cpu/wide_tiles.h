// Superblocks with many rows of x by tiles of AMX: weights times their scales, and x, are whole numbers of at most 13 bits and a sign, and each is
// high · 128 + low, both signed bytes. The sums are those of words, to the bit.
//
// Mapping: 16 rows of x with 16 rows of weights, 64 columns at once; the four products of high and low go to a tile each, so that none waits for the one
// before it. What put_quants leaves of 64 columns, 16 registers of four columns each, is a tile of weights, and rows of x are tiles as they lie.
// Traffic: a superblock's weights lie in the first-level cache for WIDE_AT_ONCE rows of x, and take 16 KB; x comes from there or the second level.

typedef struct {
  // Each register's rows, each 64 columns: high and low.
  bytes of[REGISTERS][SUPER_COLUMNS / TILE_COLUMNS][2][16];
} wide_quants;

static INLINE words above_seven_bits(words x) { return _mm512_srai_epi16(_mm512_add_epi16(x, _mm512_set1_epi16(64)), 7); }
static INLINE bytes low_bytes(words even, words odd) {
  return _mm512_or_si512(_mm512_and_si512(even, _mm512_set1_epi16(255)), _mm512_slli_epi16(odd, 8));
}

// Takes block b of some lanes as register r: quants less 2^offset, unless that is negative; each 16 columns have scales of their own, or not.
static INLINE void put_quants(
    wide_quants *w, int b, const bytes *q, const int offset, const ints *scales, const int halves, int r, int registers) {
  (void)registers;
  bytes(*to)[16] = w->of[r][b * BLOCK / TILE_COLUMNS];
  words scale[2] = {both_words(scales[0]), both_words(scales[halves])};
  UNROLL for (int j = 0; j < 8; j++) {
    word_pair w_j = scaled_words(q[j], offset, scale[j / 4]);
    words even_high = above_seven_bits(w_j.even), odd_high = above_seven_bits(w_j.odd);
    int at = 8 * b % 16 + j;
    to[0][at] = low_bytes(even_high, odd_high);
    to[1][at] = low_bytes(
        _mm512_sub_epi16(w_j.even, _mm512_slli_epi16(even_high, 7)), _mm512_sub_epi16(w_j.odd, _mm512_slli_epi16(odd_high, 7)));
  }
}

// whole[registers t] = Σ w x, of the columns of some tiles.
static INLINE void multiply_tiles(const bytes (*w)[2][16], int steps, const uint8_t *x, long x_bytes, ints *whole, int tokens, int registers) {
  ints high[TILE_TOKENS], middle[TILE_TOKENS], other_middle[TILE_TOKENS], low[TILE_TOKENS];
  TILE_ZERO(0);
  TILE_ZERO(1);
  TILE_ZERO(2);
  TILE_ZERO(3);
  for (int i = 0; i < steps; i++) {
    const uint8_t *from = WORDS_AT(x, TILE_COLUMNS * i);
    TILE_LOAD(4, from, x_bytes);
    TILE_LOAD(6, w[i][0], 64);
    TILE_DOT_BYTES(0, 4, 6);
    TILE_LOAD(7, w[i][1], 64);
    TILE_DOT_BYTES(1, 4, 7);
    TILE_LOAD(5, from + TILE_COLUMNS, x_bytes);
    TILE_DOT_BYTES(2, 5, 6);
    TILE_DOT_BYTES(3, 5, 7);
  }
  TILE_STORE(0, high, 64);
  TILE_STORE(1, middle, 64);
  TILE_STORE(2, other_middle, 64);
  TILE_STORE(3, low, 64);
  for (int t = 0; t < tokens; t++) {
    ints both = _mm512_slli_epi32(_mm512_add_epi32(middle[t], other_middle[t]), 7);
    whole[registers * t] = _mm512_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(high[t], 14), both), low[t]);
  }
}

// sums += scale · x_scale · Σ w x, of one piece of a superblock's columns.
static NOINLINE void add_quants_products(
    const wide_quants *w, int piece, int pieces, const uint8_t *x, long x_bytes, const floats *scale, const float *x_scales, floats *sums, int tokens,
    int registers) {
  ints whole[REGISTERS * TILE_TOKENS];
  int steps = SUPER_COLUMNS / TILE_COLUMNS / pieces;
  for (int r = 0; r < registers; r++) {
    multiply_tiles(w->of[r] + steps * piece, steps, x, x_bytes, whole + r, tokens, registers);
  }
  add_scaled(whole, x_bytes, scale, x_scales, sums, tokens, registers);
}

// The same of words of weights, which are minimums, too few for tiles.
static NOINLINE void add_words_products(
    const words *w, int pairs, const uint8_t *x, long x_bytes, const floats *scale, const float *x_scales, floats *sums, int tokens,
    int registers) {
  ints whole[REGISTERS * TILE_TOKENS];
  for (int t = 0; t < tokens; t++) {
    for (int r = 0; r < registers; r++) {
      ints sum = no_ints();
      for (int k = 0; k < pairs; k++) {
        sum = add_word_products(sum, w[registers * k + r], all_pairs(x + t * x_bytes + 4 * k));
      }
      whole[registers * t + r] = sum;
    }
  }
  add_scaled(whole, x_bytes, scale, x_scales, sums, tokens, registers);
}
