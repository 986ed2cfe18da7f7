// The product of one type of weights; products.h includes this for each.

#define PASTE(a, b) a##_##b
#define JOIN(a, b) PASTE(a, b)

// What superblocks' scales count.
#ifndef UNIT
#define UNIT 1
#endif
// In how many pieces a superblock's columns are multiplied as whole numbers (wide_products.h).
#ifndef PIECES
#define PIECES (HALVES + 1)
#endif

static INLINE long JOIN(tile_bytes, NAME)(long blocks) {
  return (QUANT_BYTES + SCALE_BYTES) * blocks + SUPER_BYTES * (blocks / 8);
}

// results[t] = some lanes of the tile, from `lane` on, · x[t] for `tokens` rows of x, a constant where this is inlined.
static INLINE void JOIN(few, NAME)(
    const uint8_t *tile, long blocks, const uint8_t *x, long x_bytes, const int tokens, const int parts, const int lane, floats *results) {
  const uint8_t *at = tile, *super = tile;
  activations of[MANY_TOKENS];
  floats result[MANY_TOKENS];
  UNROLL for (int t = 0; t < tokens; t++) {
    of[t] = activations_at(x + t * x_bytes, blocks, parts);
    result[t] = zero();
  }
  for (long b = 0; b < blocks; b++) {
    if (SUPER_BYTES > 0 && b % 8 == 0) {
      super = at;
      prefetch(super, SUPER_BYTES);
      at += SUPER_BYTES;
    }
    prefetch(at, QUANT_BYTES + SCALE_BYTES);
    quants q = QUANTS(at);
    block_scales s = SCALES(at + QUANT_BYTES, super);
    at += QUANT_BYTES + SCALE_BYTES;
    (void)super;
    UNROLL for (int t = 0; t < tokens; t++) {
      const uint8_t *numbers = of[t].numbers + 8 * FOUR_BYTES(parts) * b;
      floats scale = all(of[t].scales[b]);
#if HALVES
#if OFFSET >= 0
      sums first = begin_sums(of[t].minus_halves[2 * b], of[t].minus_low_halves[2 * b], OFFSET);
      sums second = begin_sums(of[t].minus_halves[2 * b + 1], of[t].minus_low_halves[2 * b + 1], OFFSET);
#else
      sums first = begin_sums(0, 0, 0), second = first;
#endif
      UNROLL for (int j = 0; j < 4; j++) {
        first = add_products(first, q.of[j], numbers + FOUR_BYTES(parts) * j, parts);
        second = add_products(second, q.of[4 + j], numbers + FOUR_BYTES(parts) * (4 + j), parts);
      }
      result[t] = multiply_add(multiply(s.scale, scale), total(first, parts), result[t]);
      result[t] = multiply_add(multiply(s.second_scale, scale), total(second, parts), result[t]);
#if MINIMUM < 0
      result[t] = multiply_add(s.minimum, all(minus_sum_of_half(of[t], 2 * b, parts)), result[t]);
      result[t] = multiply_add(s.second_minimum, all(minus_sum_of_half(of[t], 2 * b + 1, parts)), result[t]);
#endif
#else
#if OFFSET == 12
      sums sum = begin_sums(3 * of[t].minus[b], 3 * of[t].minus_low[b], 2);
#elif OFFSET >= 0
      sums sum = begin_sums(of[t].minus[b], of[t].minus_low[b], OFFSET);
#else
      sums sum = begin_sums(0, 0, 0);
#endif
      UNROLL for (int j = 0; j < 8; j++) {
        sum = add_products(sum, q.of[j], numbers + FOUR_BYTES(parts) * j, parts);
      }
      result[t] = multiply_add(multiply(s.scale, scale), total(sum, parts), result[t]);
#if MINIMUM > 0
      result[t] = multiply_add(s.minimum, all(of[t].sums[b]), result[t]);
#elif MINIMUM < 0
      result[t] = multiply_add(s.minimum, all(-of[t].sums[b]), result[t]);
#endif
#endif
    }
  }
  UNROLL for (int t = 0; t < tokens; t++) {
    results[t] = result[t];
  }
}

static NOINLINE void JOIN(multiply, NAME)(
    const uint8_t *tile, long blocks, const uint8_t *x, long x_bytes, int tokens, int parts, int lane, floats *results) {
#if WIDE
  // Never two.
  (void)parts;
  switch (tokens) { FEW_CASES(JOIN(few, NAME), tile, blocks, x, x_bytes) }
#else
  CASES(parts, tokens, JOIN(few, NAME), tile, blocks, x, x_bytes)
#endif
}

#if WIDE
static void JOIN(unpack, NAME)(const uint8_t *super, int lane, wide_weights *w, int r, int registers) {
  w->scale[r] = super_scale(super, UNIT, lane);
#if MINIMUM
  w->minus_minimum[r] = multiply(from_halves((const uint16_t *)super + 16 + lane), all(-1));
#endif
  for (int b = 0; b < 8; b++) {
    const uint8_t *at = super + SUPER_BYTES + (QUANT_BYTES + SCALE_BYTES) * b;
    quants q = QUANTS(at);
    ints scales[2] = {WHOLE(at + QUANT_BYTES, super, 0), WHOLE(at + QUANT_BYTES, super, 1)};
    put_quants(&w->quants, b, q.of, OFFSET, scales, PIECES - 1, r, registers);
#if MINIMUM
    w->minimums[registers * b + r] = unsigned_words(at + QUANT_BYTES + 16 + lane, 64);
#endif
  }
}

static void JOIN(wide, NAME)(const uint8_t *tiles, long blocks, const uint8_t *x, long x_bytes, int tokens, float *y, long y_floats, int rows) {
  wide(
      JOIN(unpack, NAME), JOIN(tile_bytes, NAME)(8), PIECES, MINIMUM != 0, tiles, blocks, x, x_bytes, tokens, y, y_floats,
      rows);
}
#endif

#undef PASTE
#undef JOIN
#undef NAME
#undef UNIT
#undef PIECES
#undef QUANT_BYTES
#undef SCALE_BYTES
#undef SUPER_BYTES
#undef OFFSET
#undef MINIMUM
#undef HALVES
#undef WIDE
#undef QUANTS
#undef WHOLE
#undef SCALES
