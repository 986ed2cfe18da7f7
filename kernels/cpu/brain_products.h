// Products of BF16 weights with many rows of x that are BF16, too: what a register has of two columns is multiplied at once (vdpbf16ps). That takes
// what is below the least normal float for zero, and rounds sums to the nearest.
//
// A tile is pairs of columns, one after the other: 16 rows of two elements each; where the number of columns is odd, of the last pair the second ones are zeros.

// Columns of all rows of x that are multiplied before the next ones are.
#define BRAIN_PAIRS 256

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

static void wide_bf16(
    const uint8_t *tiles, long columns, const uint8_t *x, long x_bytes, int tokens, float *y, long y_floats, int rows) {
  wide_sums sums;
  long pairs = (columns + 1) / 2, tile_bytes = 64 * pairs;
  for (int begin = 0; begin < tokens; begin += TOKENS_AT_ONCE) {
    int end = begin + TOKENS_AT_ONCE < tokens ? begin + TOKENS_AT_ONCE : tokens;
    for (int row = 0; row < rows; row += REGISTERS * LANES) {
      int registers = rows - row > LANES ? REGISTERS : 1;
      clear(&sums);
      for (long k = 0; k < pairs; k += BRAIN_PAIRS) {
        floats *to = sums.of;
        for (int t = begin; t < end; t += WIDE_TOKENS) {
          wide_group group = group_at(t, end);
          add_brain_products(
              tiles + row / TILE_ROWS * tile_bytes + 64 * k, tile_bytes, pairs - k < BRAIN_PAIRS ? pairs - k : BRAIN_PAIRS,
              x + group.first * x_bytes + 4 * k, x_bytes, to, group.count, registers);
          to += registers * group.count;
        }
      }
      put(&sums, begin, end, registers, y + row, y_floats, rows - row);
    }
  }
}
