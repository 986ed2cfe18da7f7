// Products of blocks of eight-bit floats, as those of floats: x is float32, as it lies. A block's sum has PARTS parts, as there.
//
// A tile is its blocks, one after the other: 32 columns of 16 elements each, then the 16 rows' scales.

#define SCALED_BLOCK_BYTES (16 * BLOCK + 64)

static INLINE long tile_bytes_scaled_f8(long columns) { return SCALED_BLOCK_BYTES * (columns / BLOCK); }

static void pack_row_scaled_f8(const uint8_t *row, long columns, int lane, uint8_t *tile) {
  for (long b = 0; b < columns / BLOCK; b++) {
    const uint8_t *from = row + 36 * b;
    uint8_t *to = tile + SCALED_BLOCK_BYTES * b;
    for (int k = 0; k < BLOCK; k++) {
      to[16 * k + lane] = from[4 + k];
    }
    memcpy(to + 16 * BLOCK + 4 * lane, from, 4);
  }
}

static INLINE void few_scaled_f8(
    const uint8_t *tile, long columns, const uint8_t *x, long x_bytes, const int tokens, const int parts, const int lane, floats *results) {
  (void)parts;
  floats total[MANY_TOKENS];
  UNROLL for (int t = 0; t < tokens; t++) {
    total[t] = zero();
  }
  for (long b = 0; b < columns / BLOCK; b++) {
    const uint8_t *block = tile + SCALED_BLOCK_BYTES * b;
    floats sum[MANY_TOKENS][PARTS];
    UNROLL for (int t = 0; t < tokens; t++) {
      UNROLL for (int p = 0; p < PARTS; p++) {
        sum[t][p] = zero();
      }
    }
    prefetch(block, SCALED_BLOCK_BYTES);
    for (int k = 0; k < BLOCK; k += PARTS) {
      UNROLL for (int p = 0; p < PARTS; p++) {
        floats w = from_eight_bit_floats(block + 16 * (k + p) + lane);
        UNROLL for (int t = 0; t < tokens; t++) {
          sum[t][p] = multiply_add(w, all(((const float *)(x + t * x_bytes))[BLOCK * b + k + p]), sum[t][p]);
        }
      }
    }
    floats scale = load((const float *)(block + 16 * BLOCK) + lane);
    UNROLL for (int t = 0; t < tokens; t++) {
      total[t] = multiply_add(multiply(sum_of_parts(sum[t]), all(256)), scale, total[t]);
    }
  }
  UNROLL for (int t = 0; t < tokens; t++) {
    results[t] = total[t];
  }
}
static NOINLINE void multiply_scaled_f8(
    const uint8_t *tile, long columns, const uint8_t *x, long x_bytes, int tokens, int parts, int lane, floats *results) {
  CASES(parts, tokens, few_scaled_f8, tile, columns, x, x_bytes)
}
