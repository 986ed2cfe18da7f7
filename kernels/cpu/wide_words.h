// Superblocks with many rows of x as words: quants times their scales.

typedef struct {
  words of[REGISTERS * SUPER_COLUMNS / 2];
} wide_quants;

// Takes block b of some lanes as register r: quants less 2^offset, unless that is negative; each 16 columns have scales of their own, or not.
static INLINE void put_quants(
    wide_quants *w, int b, const bytes *q, const int offset, const ints *scales, const int halves, int r, int registers) {
  words *to = w->of + registers * 16 * b + r;
  words scale[2] = {both_words(scales[0]), both_words(scales[halves])};
  UNROLL for (int j = 0; j < 8; j++) {
    word_pair w_j = scaled_words(q[j], offset, scale[j / 4]);
    to[registers * 2 * j] = w_j.even;
    to[registers * (2 * j + 1)] = w_j.odd;
  }
}

// sums += scale · x_scale · Σ w x, of one piece of a superblock's columns.
static INLINE void add_quants_products(
    const wide_quants *w, int piece, const int pieces, const uint8_t *x, long x_bytes, const floats *scale, const float *x_scales, floats *sums,
    int tokens, int registers) {
  const int pairs = SUPER_COLUMNS / 2 / pieces;
  add_words_products(w->of + registers * pairs * piece, pairs, x, x_bytes, scale, x_scales, sums, tokens, registers);
}
