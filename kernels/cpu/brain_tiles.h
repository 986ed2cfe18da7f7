// Products of BF16 weights with many rows of x that are BF16, too, by tiles of AMX. That takes what is below the least normal float for zero, and adds
// the products of a tile's 32 columns, even and odd ones apart, before they go to a sum.
//
// Mapping: two tiles of 16 rows of x with two of 16 rows of weights (whose pairs of columns are a tile as they lie), 32 columns at once: four sums, so
// that none waits for the one before it.
// Traffic: of 32 rows of weights some columns lie in the first-level cache, 32 KB, for WIDE_AT_ONCE rows of x.

// Pairs of columns of a tile.
#define TILE_PAIRS 16

// Of some pairs, fewer than a tile has, rows of 64 bytes.
static void copy_pairs(const uint8_t *from, long from_bytes, int rows, long pairs, uint8_t to[][64]) {
  memset(to, 0, 64 * (size_t)rows);
  for (int i = 0; i < rows; i++) {
    memcpy(to[i], from + i * from_bytes, 4 * (size_t)pairs);
  }
}

// sums += w x, of 32 columns; of x one tile or two, of w likewise.
static INLINE void add_brain_tiles(
    const uint8_t *w, const uint8_t *other_w, const uint8_t *x, const uint8_t *other_x, long x_bytes, const int two_of_x, const int two_of_w) {
  TILE_LOAD(4, x, x_bytes);
  TILE_LOAD(6, w, 64);
  TILE_DOT_BRAIN_FLOATS(0, 4, 6);
  if (two_of_w) {
    TILE_LOAD(7, other_w, 64);
    TILE_DOT_BRAIN_FLOATS(1, 4, 7);
  }
  if (two_of_x) {
    TILE_LOAD(5, other_x, x_bytes);
    TILE_DOT_BRAIN_FLOATS(2, 5, 6);
    if (two_of_w) {
      TILE_DOT_BRAIN_FLOATS(3, 5, 7);
    }
  }
}

// sums[registers t + r] += Σ w x, of one group of rows of x or two, and the second one's sums behind the first's.
static INLINE void multiply_brain_tiles(
    const uint8_t *tile, long tile_bytes, long pairs, const uint8_t *x, const uint8_t *other_x, long x_bytes, floats *sums, int tokens,
    const int two_of_x, const int two_of_w) {
  long stride = 64 * (1 + two_of_w);
  floats *other_sums = sums + (1 + two_of_w) * tokens;
#define EACH_SUM(act) \
  act(0, sums, stride); \
  if (two_of_w) { \
    act(1, sums + 1, stride); \
  } \
  if (two_of_x) { \
    act(2, other_sums, stride); \
  } \
  if (two_of_x && two_of_w) { \
    act(3, other_sums + 1, stride); \
  }
  EACH_SUM(TILE_LOAD)
  long k = 0;
  for (; k + TILE_PAIRS <= pairs; k += TILE_PAIRS) {
    add_brain_tiles(
        tile + 64 * k, tile + tile_bytes + 64 * k, x + 4 * k, two_of_x ? other_x + 4 * k : NULL, x_bytes, two_of_x, two_of_w);
  }
  if (k < pairs) {
    uint8_t last[4][TILE_PAIRS][64];
    memset(last, 0, sizeof last);
    memcpy(last[0], tile + 64 * k, 64 * (size_t)(pairs - k));
    copy_pairs(x + 4 * k, x_bytes, tokens, pairs - k, last[2]);
    if (two_of_w) {
      memcpy(last[1], tile + tile_bytes + 64 * k, 64 * (size_t)(pairs - k));
    }
    if (two_of_x) {
      copy_pairs(other_x + 4 * k, x_bytes, tokens, pairs - k, last[3]);
    }
    add_brain_tiles(last[0][0], last[1][0], last[2][0], last[3][0], 64, two_of_x, two_of_w);
  }
  EACH_SUM(TILE_STORE)
#undef EACH_SUM
}

static NOINLINE void add_brain_products(
    const uint8_t *tile, long tile_bytes, long pairs, const uint8_t *x, const uint8_t *other_x, long x_bytes, floats *sums, int tokens,
    int registers) {
  if (registers == 2 && other_x != NULL) {
    multiply_brain_tiles(tile, tile_bytes, pairs, x, other_x, x_bytes, sums, tokens, 1, 1);
  } else if (registers == 2) {
    multiply_brain_tiles(tile, tile_bytes, pairs, x, NULL, x_bytes, sums, tokens, 0, 1);
  } else if (other_x != NULL) {
    multiply_brain_tiles(tile, tile_bytes, pairs, x, other_x, x_bytes, sums, tokens, 1, 0);
  } else {
    multiply_brain_tiles(tile, tile_bytes, pairs, x, NULL, x_bytes, sums, tokens, 0, 0);
  }
}

// Adds the products of some columns with rows `begin` to `end` of x, as wide_sums has them, two groups at once.
static INLINE void add_brain_rows(
    const uint8_t *tile, long tile_bytes, long pairs, const uint8_t *x, long x_bytes, int begin, int end, floats *to, int registers) {
  for (int t = begin; t < end; t += 2 * TILE_TOKENS) {
    wide_group group = group_at(t, end);
    int has_other = t + TILE_TOKENS < end;
    const uint8_t *other = has_other ? x + group_at(t + TILE_TOKENS, end).first * x_bytes : NULL;
    add_brain_products(tile, tile_bytes, pairs, x + group.first * x_bytes, other, x_bytes, to, group.count, registers);
    to += registers * group.count * (1 + has_other);
  }
}
