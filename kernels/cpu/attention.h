// Attention of some queries to one page of keys and values of their KV head.
//
// Mapping: 16 keys at a time become a tile, turned so that lanes are keys, and are multiplied with all queries, as products with float weights are;
// 16 columns of all values likewise, whose weights are the activations. So keys and values are read and converted once for all queries.
// Traffic: keys and values once; scores, and sums of values, once each way, from the first-level cache.
//
// Invariants: lanes without a key are zeros, or scores that nobody reads; widths are at most MOST_WIDTH, pages at most MOST_KEYS keys, rows of scores
// as long as pages. What a query gets does not depend on the others, nor on keys of its page that it does not see.

#define MOST_WIDTH 1024
#define MOST_KEYS 256
#define MOST_QUERIES 64

enum { CACHE_F32, CACHE_F16, CACHE_BF16, CACHE_Q8_0 };

// Calls what takes a cache's type first with it as a constant.
#define OF_TYPE(type, call, ...) \
  switch (type) { \
    case CACHE_F32: call(CACHE_F32, __VA_ARGS__); break; \
    case CACHE_F16: call(CACHE_F16, __VA_ARGS__); break; \
    case CACHE_BF16: call(CACHE_BF16, __VA_ARGS__); break; \
    case CACHE_Q8_0: call(CACHE_Q8_0, __VA_ARGS__); break; \
  }

static INLINE floats load_cache(const int type, const uint8_t *row, int column) {
  switch (type) {
    case CACHE_F32: return load((const float *)row + column);
    case CACHE_F16: return from_halves((const uint16_t *)row + column);
    case CACHE_BF16: return from_brain_floats((const uint16_t *)row + column);
    default: {
      const uint8_t *block = row + 34 * (column / 32);
      uint16_t halves[LANES] = {0};
      memcpy(halves, block, 2);
      return multiply(all(first_lane(from_halves(halves))), from_signed(block + 2 + column % 32));
    }
  }
}

// Fewer columns than a register holds.
static INLINE void load_cache_end(const int type, const uint8_t *row, int column, int count, float *to) {
  uint8_t some[4 * LANES] = {0};
  int size = type == CACHE_F32 ? 4 : 2;
  memcpy(some, row + size * column, (size_t)(size * count));
  float lanes[LANES];
  store(lanes, load_cache(type, some, 0));
  memcpy(to, lanes, sizeof(float) * (size_t)count);
}

// Some columns of LANES keys, of which there may be fewer, each in a register of its own.
static INLINE void load_turned(const int type, const uint8_t *keys, long row_bytes, int count, int column, floats block[LANES]) {
  if (count >= LANES) {
    UNROLL for (int i = 0; i < LANES; i++) {
      block[i] = load_cache(type, keys + i * row_bytes, column);
    }
  } else {
    for (int i = 0; i < LANES; i++) {
      block[i] = i < count ? load_cache(type, keys + i * row_bytes, column) : zero();
    }
  }
  turn(block);
}

// All columns of 16 keys.
static INLINE void turn_keys(const int type, const uint8_t *keys, long row_bytes, int count, int width, float *tile) {
  for (int lane = 0; lane < TILE_ROWS; lane += LANES) {
    const uint8_t *first = keys + lane * row_bytes;
    int column = 0;
    for (; column + LANES <= width; column += LANES) {
      floats block[LANES];
      load_turned(type, first, row_bytes, count - lane, column, block);
      UNROLL for (int i = 0; i < LANES; i++) {
        store(tile + TILE_ROWS * (column + i) + lane, block[i]);
      }
    }
    for (int i = 0; i < LANES && column < width; i++) {
      float end[LANES] = {0};
      if (lane + i < count) {
        load_cache_end(type, first + i * row_bytes, column, width - column, end);
      }
      for (int j = column; j < width; j++) {
        tile[TILE_ROWS * j + lane + i] = end[j - column];
      }
    }
  }
}

// Sends for what the next call reads: rows that lie too far apart for the processor to do it by itself.
static INLINE void fetch(const uint8_t *rows, long row_bytes, int count, int bytes) {
  for (int i = 0; i < count; i++) {
    for (int at = 0; at < bytes; at += 64) {
      __builtin_prefetch(rows + i * row_bytes + at);
    }
  }
}

// Scores of LANES keys for a constant number of queries, as multiply_f32 adds them up, without a tile between; width is whole registers.
static INLINE void few_scores(
    const int type, const float *queries, int width, const uint8_t *keys, long row_bytes, int key_count, const int count, const int parts,
    const int lane, floats *results) {
  (void)parts;
  (void)lane;
  floats sum[FEW_TOKENS][PARTS];
  UNROLL for (int q = 0; q < count; q++) {
    UNROLL for (int p = 0; p < PARTS; p++) {
      sum[q][p] = zero();
    }
  }
  for (int column = 0; column < width; column += LANES) {
    floats block[LANES];
    load_turned(type, keys, row_bytes, key_count, column, block);
    UNROLL for (int i = 0; i < LANES; i++) {
      UNROLL for (int q = 0; q < count; q++) {
        sum[q][i % PARTS] = multiply_add(block[i], all(queries[q * width + column + i]), sum[q][i % PARTS]);
      }
    }
  }
  UNROLL for (int q = 0; q < count; q++) {
    results[q] = sum_of_parts(sum[q]);
  }
}

static INLINE void scores_of(
    const int type, const float *queries, int count, const uint8_t *keys, long row_bytes, int key_count, int width, float *scores, int page) {
  if (count <= FEW_TOKENS && width % LANES == 0) {
    const int lane = 0;
    for (int key = 0; key < key_count; key += LANES) {
      floats results[MANY_TOKENS];
      switch (count) { FEW_CASES(few_scores, type, queries, width, keys + key * row_bytes, row_bytes, key_count - key) }
      for (int i = 0; i < count; i++) {
        store(scores + i * page + key, results[i]);
      }
    }
    return;
  }
  float tile[TILE_ROWS * MOST_WIDTH];
  for (int key = 0; key < key_count; key += TILE_ROWS) {
    turn_keys(type, keys + key * row_bytes, row_bytes, key_count - key, width, tile);
    many(multiply_f32, (const uint8_t *)tile, 0, width, (const uint8_t *)queries, 4 * width, count, 3, scores + key, page, TILE_ROWS);
  }
}

// scores[query][key] = query · key, in rows of `page`; up to the next multiple of 16 keys they are numbers of no meaning. The page's values, of which
// each row has `value_bytes`, are sent for.
void EXPORT(attention_scores)(
    int type, const float *queries, int count, const uint8_t *keys, long row_bytes, int key_count, int width, float *scores, int page,
    const uint8_t *values, long value_row_bytes, int value_bytes) {
  fetch(values, value_row_bytes, key_count, value_bytes);
  OF_TYPE(type, scores_of, queries, count, keys, row_bytes, key_count, width, scores, page)
}

// Turns a page of a query's scores into weights e^(score - largest), and tells what sums of earlier pages are to be multiplied with.
static INLINE float weigh(float *scores, int page, float *largest, float *sum) {
  floats most = all(*largest);
  for (int i = 0; i < page; i += LANES) {
    most = maximum(most, load(scores + i));
  }
  float now = largest_lane(most);
  if (now == -__builtin_inff()) {
    memset(scores, 0, sizeof(float) * (size_t)page);
    return 1;
  }
  floats weights = zero();
  for (int i = 0; i < page; i += LANES) {
    floats weight = exponential(subtract(load(scores + i), all(now)));
    store(scores + i, weight);
    weights = add(weights, weight);
  }
  float factor = 1;
  if (now > *largest) {
    factor = first_lane(exponential(all(*largest - now)));
  }
  *sum = *sum * factor + sum_of_lanes(weights);
  *largest = now;
  return factor;
}

// LANES columns of sums of weighted values for a constant number of queries, as multiply_f32 adds them up, but of rows as they lie.
static INLINE void few_values(
    const int type, const float *weights, int page, const uint8_t *values, long row_bytes, int key_count, int column, const int queries,
    const int parts, const int lane, floats *results) {
  (void)parts;
  (void)lane;
  floats sum[FEW_TOKENS][PARTS];
  UNROLL for (int q = 0; q < queries; q++) {
    UNROLL for (int p = 0; p < PARTS; p++) {
      sum[q][p] = zero();
    }
  }
  int key = 0;
  for (; key + PARTS <= key_count; key += PARTS) {
    UNROLL for (int p = 0; p < PARTS; p++) {
      floats value = load_cache(type, values + (key + p) * row_bytes, column);
      UNROLL for (int q = 0; q < queries; q++) {
        sum[q][p] = multiply_add(value, all(weights[q * page + key + p]), sum[q][p]);
      }
    }
  }
  UNROLL for (int p = 0; p < PARTS - 1; p++) {
    if (key + p < key_count) {
      floats value = load_cache(type, values + (key + p) * row_bytes, column);
      UNROLL for (int q = 0; q < queries; q++) {
        sum[q][p] = multiply_add(value, all(weights[q * page + key + p]), sum[q][p]);
      }
    }
  }
  UNROLL for (int q = 0; q < queries; q++) {
    results[q] = sum_of_parts(sum[q]);
  }
}

static INLINE void values_of(
    const int type, const float *weights, const float *factors, int count, const uint8_t *values, long row_bytes, int key_count, int width,
    float *sums, int sum_floats, int page) {
  // Products end as those of whole groups of columns do, so that keys nobody sees change no bit.
  int padded = (key_count + PARTS - 1) / PARTS * PARTS;
  float tile[TILE_ROWS * MOST_KEYS];
  for (int column = 0; column < width; column += LANES) {
    if (count <= FEW_TOKENS && column + LANES <= width) {
      floats results[MANY_TOKENS];
      const int lane = 0;
      switch (count) { FEW_CASES(few_values, type, weights, page, values, row_bytes, key_count, column) }
      for (int i = 0; i < count; i++) {
        float *to = sums + i * sum_floats + column;
        store(to, multiply_add(load(to), all(factors[i]), results[i]));
      }
      continue;
    }
    for (int key = 0; key < padded; key++) {
      float *to = tile + TILE_ROWS * key;
      if (key >= key_count) {
        store(to, zero());
      } else if (column + LANES <= width) {
        store(to, load_cache(type, values + key * row_bytes, column));
      } else {
        store(to, zero());
        load_cache_end(type, values + key * row_bytes, column, width - column, to);
      }
    }
    for (int query = 0; query < count; query += FEW_TOKENS) {
      floats results[MANY_TOKENS];
      int few = count - query < FEW_TOKENS ? count - query : FEW_TOKENS;
      multiply_f32((const uint8_t *)tile, padded, (const uint8_t *)(weights + query * page), 4 * page, few, 3, 0, results);
      for (int i = 0; i < few; i++) {
        float *to = sums + (query + i) * sum_floats + column;
        store(to, multiply_add(load(to), all(factors[query + i]), results[i]));
      }
    }
  }
}

// Softmax and sums of values of a page: scores become weights; largest and total are each query's so far, sums its weighted values, in rows of
// `sum_floats`, a multiple of 16. Scores behind key_count, and of keys that a query does not see, are -infinity. `next_count` keys of the next page are
// sent for.
void EXPORT(attention_values)(
    int type, float *scores, int count, const uint8_t *values, long row_bytes, int key_count, int width, float *largest, float *total,
    float *sums, int sum_floats, int page, const uint8_t *next_keys, long next_row_bytes, int next_count, int next_bytes) {
  fetch(next_keys, next_row_bytes, next_count, next_bytes);
  for (int query = 0; query < count; query += MOST_QUERIES) {
    float factors[MOST_QUERIES];
    int some = count - query < MOST_QUERIES ? count - query : MOST_QUERIES;
    float *from = scores + query * page, *to = sums + query * sum_floats;
    for (int i = 0; i < some; i++) {
      factors[i] = weigh(from + i * page, page, largest + query + i, total + query + i);
    }
    OF_TYPE(type, values_of, from, factors, some, values, row_bytes, key_count, width, to, sum_floats, page)
  }
}
