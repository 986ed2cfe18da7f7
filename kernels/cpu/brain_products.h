// Products of BF16 weights with many rows of x that are BF16, too: what a register has of two columns is multiplied at once (vdpbf16ps). That takes
// what is below the least normal float for zero, and rounds sums to the nearest.
//
// A tile is pairs of columns, one after the other: 16 rows of two elements each; where the number of columns is odd, of the last pair the second ones are zeros.

static INLINE void add_brain_floats(
    const uint8_t *tile, long tile_bytes, long pairs, const uint8_t *x, long x_bytes, floats *sums, const int tokens, const int registers) {
  const uint8_t *base[(WIDE_TOKENS + 2) / 3];
  floats sum[WIDE_TOKENS][REGISTERS];
  EACH_THIRD { base[i] = x + 3 * i * x_bytes; }
  UNROLL for (int t = 0; t < tokens; t++) {
    UNROLL for (int r = 0; r < registers; r++) {
      sum[t][r] = sums[registers * t + r];
    }
  }
  // As a macro, since lambdas there are none.
#define ADD_PAIR(j) \
  { \
    __m512bh w[REGISTERS]; \
    UNROLL for (int r = 0; r < registers; r++) { \
      w[r] = (__m512bh)_mm512_loadu_si512(tile + r * tile_bytes + 64 * (j)); \
    } \
    UNROLL for (int t = 0; t < tokens; t++) { \
      words pair = all_pairs(X_AT(base, t) + 4 * (j)); \
      UNROLL for (int r = 0; r < registers; r++) { \
        sum[t][r] = _mm512_dpbf16_ps(sum[t][r], w[r], (__m512bh)pair); \
      } \
    } \
  }
  long k = 0;
  for (; k + 4 <= pairs; k += 4) {
    EACH_THIRD { KEEP(base[i]); }
    UNROLL for (int j = 0; j < 4; j++) { ADD_PAIR(j) }
    EACH_THIRD { base[i] += 16; }
    tile += 256;
  }
  for (; k < pairs; k++) {
    ADD_PAIR(0)
    EACH_THIRD { base[i] += 4; }
    tile += 64;
  }
#undef ADD_PAIR
  UNROLL for (int t = 0; t < tokens; t++) {
    UNROLL for (int r = 0; r < registers; r++) {
      sums[registers * t + r] = sum[t][r];
    }
  }
}

static NOINLINE void add_brain_products(
    const uint8_t *tile, long tile_bytes, long pairs, const uint8_t *x, long x_bytes, floats *sums, int tokens, int registers) {
  WIDE_CASES(tokens, registers, add_brain_floats, tile, tile_bytes, pairs, x, x_bytes, sums)
}

// Adds the products of some columns with rows `begin` to `end` of x, as wide_sums has them.
static INLINE void add_brain_rows(
    const uint8_t *tile, long tile_bytes, long pairs, const uint8_t *x, long x_bytes, int begin, int end, floats *to, int registers) {
  for (int t = begin; t < end; t += WIDE_TOKENS) {
    wide_group group = group_at(t, end);
    add_brain_products(tile, tile_bytes, pairs, x + group.first * x_bytes, x_bytes, to, group.count, registers);
    to += registers * group.count;
  }
}
