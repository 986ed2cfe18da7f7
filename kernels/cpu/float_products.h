// Products of weights that are floats, mapped as those of quantised ones are: a lane is a row of a tile, and x is float32, as it lies.
// A lane's sum has PARTS parts, of every so many columns, so that additions neither wait for each other nor lose much.
//
// A tile is its columns, one after the other: 16 elements each.

#define PARTS 4

static INLINE floats sum_of_parts(const floats *part) { return add(add(part[0], part[1]), add(part[2], part[3])); }

static INLINE long tile_bytes_f32(long columns) { return 64 * columns; }
static INLINE long tile_bytes_f16(long columns) { return 32 * columns; }
static INLINE long tile_bytes_bf16(long columns) { return 32 * columns; }

#define FLOAT_PRODUCT(name, type, load_weights) \
  static INLINE void few_##name( \
      const uint8_t *tile, long columns, const uint8_t *x, long x_bytes, const int tokens, const int parts, const int lane, floats *results) { \
    (void)parts; \
    const type *weights = (const type *)tile + lane; \
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
      prefetch((const uint8_t *)(weights + 16 * k), (int)(PARTS * 16 * sizeof(type))); \
      UNROLL for (int p = 0; p < PARTS; p++) { \
        floats w = load_weights(weights + 16 * (k + p)); \
        UNROLL for (int t = 0; t < tokens; t++) { \
          sum[t][p] = multiply_add(w, all(rows[t][k + p]), sum[t][p]); \
        } \
      } \
    } \
    for (; k < columns; k++) { \
      floats w = load_weights(weights + 16 * k); \
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

FLOAT_PRODUCT(f32, float, load)
FLOAT_PRODUCT(f16, uint16_t, from_halves)
FLOAT_PRODUCT(bf16, uint16_t, from_brain_floats)
