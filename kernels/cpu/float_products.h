// Products of weights that are floats, mapped as those of quantised ones are: a lane is a row of a tile, and x is float32, as it lies.
// A lane's sum has PARTS parts, of every so many columns, so that additions neither wait for each other nor lose much.
//
// A tile is its columns, one after the other: 16 elements each. (Of BF16, brain_products.h lays pairs of columns instead.)

#define PARTS 4

static INLINE floats sum_of_parts(const floats *part) { return add(add(part[0], part[1]), add(part[2], part[3])); }

static INLINE long tile_bytes_f32(long columns) { return 64 * columns; }
static INLINE long tile_bytes_f16(long columns) { return 32 * columns; }
#ifdef __AVX512BF16__
static INLINE long tile_bytes_bf16(long columns) { return 64 * ((columns + 1) / 2); }
#else
static INLINE long tile_bytes_bf16(long columns) { return 32 * columns; }
#endif

// Column k of a tile, which is an odd one or not.
static INLINE floats column_f32(const uint8_t *tile, long k, const int odd, const int lane) {
  (void)odd;
  return load((const float *)tile + 16 * k + lane);
}
static INLINE floats column_f16(const uint8_t *tile, long k, const int odd, const int lane) {
  (void)odd;
  return from_halves((const uint16_t *)tile + 16 * k + lane);
}
static INLINE floats column_bf16(const uint8_t *tile, long k, const int odd, const int lane) {
#ifdef __AVX512BF16__
  (void)lane;
  return odd ? odd_brain_floats(tile + 64 * (k / 2)) : even_brain_floats(tile + 64 * (k / 2));
#else
  (void)odd;
  return from_brain_floats((const uint16_t *)tile + 16 * k + lane);
#endif
}

#define FLOAT_PRODUCT(name, element_bytes) \
  static INLINE void few_##name( \
      const uint8_t *tile, long columns, const uint8_t *x, long x_bytes, const int tokens, const int parts, const int lane, floats *results) { \
    (void)parts; \
    const float *rows[MANY_TOKENS]; \
    floats sum[MANY_TOKENS][PARTS]; \
    UNROLL for (int t = 0; t < tokens; t++) { \
      rows[t] = (const float *)(x + t * x_bytes); \
      UNROLL for (int p = 0; p < PARTS; p++) { \
        sum[t][p] = zero(); \
      } \
    } \
    long k = 0; \
    for (; k + PARTS <= columns; k += PARTS) { \
      prefetch(tile + 16 * element_bytes * k, PARTS * 16 * element_bytes); \
      UNROLL for (int p = 0; p < PARTS; p++) { \
        floats w = column_##name(tile, k + p, p % 2, lane); \
        UNROLL for (int t = 0; t < tokens; t++) { \
          sum[t][p] = multiply_add(w, all(rows[t][k + p]), sum[t][p]); \
        } \
      } \
    } \
    for (; k < columns; k++) { \
      floats w = column_##name(tile, k, k % 2, lane); \
      UNROLL for (int t = 0; t < tokens; t++) { \
        sum[t][0] = multiply_add(w, all(rows[t][k]), sum[t][0]); \
      } \
    } \
    UNROLL for (int t = 0; t < tokens; t++) { \
      results[t] = sum_of_parts(sum[t]); \
    } \
  } \
  static NOINLINE void multiply_##name( \
      const uint8_t *tile, long columns, const uint8_t *x, long x_bytes, int tokens, int parts, int lane, floats *results) { \
    CASES(parts, tokens, few_##name, tile, columns, x, x_bytes) \
  }

FLOAT_PRODUCT(f32, 4)
FLOAT_PRODUCT(f16, 2)
FLOAT_PRODUCT(bf16, 2)
