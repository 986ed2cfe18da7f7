// Attention of some queries to one page of keys and values of some KV heads, one after the other.
//
// Mapping: 16 keys at a time become a tile, turned so that lanes are keys, and are multiplied with all queries of their head, as products with float
// weights are; 16 columns of all values likewise, whose weights are the activations. So keys and values are read and converted once for all queries.
// Traffic: keys and values once; scores, and sums of values, once each way, from the first-level cache. A head's rows are short and far apart, so that
// the processor does not see what comes next: each call sends for a later page.
//
// Invariants: lanes without a key are zeros, or scores that nobody reads; widths are at most MOST_WIDTH, pages at most MOST_KEYS keys, rows of scores
// as long as pages. What a query gets does not depend on the others, nor on keys of its page that it does not see.
//
// State of a head's `count` queries, so far: the largest score of each, the sum of e^(score - largest) of each, floats up to a multiple of 16, then
// the sum of values with these weights, in rows of a multiple of 16 floats.

#define MOST_WIDTH 1024
#define MOST_KEYS 256
#define MOST_QUERIES 64

enum { CACHE_F32, CACHE_F16, CACHE_BF16, CACHE_Q8_0, CACHE_F8_E4M3 };

// Calls what takes a cache's type first with it as a constant.
#define OF_TYPE(type, call, ...) \
  switch (type) { \
    case CACHE_F32: call(CACHE_F32, __VA_ARGS__); break; \
    case CACHE_F16: call(CACHE_F16, __VA_ARGS__); break; \
    case CACHE_BF16: call(CACHE_BF16, __VA_ARGS__); break; \
    case CACHE_Q8_0: call(CACHE_Q8_0, __VA_ARGS__); break; \
    case CACHE_F8_E4M3: call(CACHE_F8_E4M3, __VA_ARGS__); break; \
  }

// Numbers of E4M3 come divided by this, a power of two, and what they are multiplied with makes up for it where that costs less.
static INLINE float unit_of(const int type) { return type == CACHE_F8_E4M3 ? 256 : 1; }
static INLINE floats in_whole(const int type, floats x) { return type == CACHE_F8_E4M3 ? multiply(x, all(unit_of(type))) : x; }

static INLINE floats load_cache(const int type, const uint8_t *row, int column) {
  switch (type) {
    case CACHE_F32: return load((const float *)row + column);
    case CACHE_F16: return from_halves((const uint16_t *)row + column);
    case CACHE_BF16: return from_brain_floats((const uint16_t *)row + column);
    case CACHE_F8_E4M3: return from_e4m3(row + column);
    default: {
      const uint8_t *block = row + 34 * (column / 32);
      return multiply(all_half(block), from_signed(block + 2 + column % 32));
    }
  }
}

// Fewer columns than a register holds.
static INLINE void load_cache_end(const int type, const uint8_t *row, int column, int count, float *to) {
  uint8_t some[4 * LANES] = {0};
  int size = type == CACHE_F32 ? 4 : type == CACHE_F8_E4M3 ? 1 : 2;
  memcpy(some, row + size * column, (size_t)(size * count));
  float lanes[LANES];
  store(lanes, load_cache(type, some, 0));
  memcpy(to, lanes, sizeof(float) * (size_t)count);
}

// Some columns of LANES keys, of which there may be fewer, each in a register of its own.
static INLINE void load_turned(const int type, const uint8_t *keys, long row_bytes, int count, int column, floats block[LANES]) {
#ifdef TURNS_E4M3
  if (type == CACHE_F8_E4M3 && count >= LANES) {
    turned_e4m3(keys + column, row_bytes, block);
    return;
  }
#endif
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

// Rows that a later call reads. They are sent for, into the second-level cache, a few at a time beside the work: what is more than the processor has
// room for on its way is dropped.
typedef struct {
  const uint8_t *row;
  long row_bytes;
  int rows, bytes;
} ahead;

static INLINE void send(ahead *next, int rows) {
  for (int i = 0; i < rows && next->rows > 0; i++) {
    for (int at = 0; at < next->bytes; at += 64) {
      __builtin_prefetch(next->row + at, 0, 2);
    }
    next->row += next->row_bytes;
    next->rows--;
  }
}

// All columns of 16 keys.
static INLINE void turn_keys(
    const int type, const uint8_t *keys, long row_bytes, int count, int width, float *tile, ahead *next, int send_rows) {
  for (int lane = 0; lane < TILE_ROWS; lane += LANES) {
    const uint8_t *first = keys + lane * row_bytes;
    int column = 0;
    for (; column + LANES <= width; column += LANES) {
      floats block[LANES];
      send(next, send_rows);
      load_turned(type, first, row_bytes, count - lane, column, block);
      UNROLL for (int i = 0; i < LANES; i++) {
        store(tile + TILE_ROWS * (column + i) + lane, in_whole(type, block[i]));
      }
    }
    for (int i = 0; i < LANES && column < width; i++) {
      float end[LANES] = {0};
      if (lane + i < count) {
        load_cache_end(type, first + i * row_bytes, column, width - column, end);
      }
      for (int j = column; j < width; j++) {
        tile[TILE_ROWS * j + lane + i] = end[j - column] * unit_of(type);
      }
    }
  }
}

// Scores of LANES keys for a constant number of queries, as multiply_f32 adds them up, without a tile between; width is whole registers.
static INLINE void few_scores(
    const int type, const float *queries, int width, const uint8_t *keys, long row_bytes, int key_count, ahead *next, int send_rows, const int count,
    const int parts, const int lane, floats *results) {
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
    send(next, send_rows);
    load_turned(type, keys, row_bytes, key_count, column, block);
    UNROLL for (int i = 0; i < LANES; i++) {
      UNROLL for (int q = 0; q < count; q++) {
        sum[q][i % PARTS] = multiply_add(block[i], all(queries[q * width + column + i]), sum[q][i % PARTS]);
      }
    }
  }
  UNROLL for (int q = 0; q < count; q++) {
    results[q] = in_whole(type, sum_of_parts(sum[q]));
  }
}

static INLINE void scores_of(
    const int type, const float *queries, int count, const uint8_t *keys, long row_bytes, int key_count, int width, float *scores, int page,
    ahead *next) {
  int registers = (key_count + LANES - 1) / LANES * (width / LANES);
  int send_rows = registers == 0 ? next->rows : (next->rows + registers - 1) / registers;
  if (count <= FEW_TOKENS && width % LANES == 0) {
    const int lane = 0;
    for (int key = 0; key < key_count; key += LANES) {
      floats results[MANY_TOKENS];
      switch (count) { FEW_CASES(few_scores, type, queries, width, keys + key * row_bytes, row_bytes, key_count - key, next, send_rows) }
      for (int i = 0; i < count; i++) {
        store(scores + i * page + key, results[i]);
      }
    }
    return;
  }
  float tile[TILE_ROWS * MOST_WIDTH];
  for (int key = 0; key < key_count; key += TILE_ROWS) {
    turn_keys(type, keys + key * row_bytes, row_bytes, key_count - key, width, tile, next, send_rows);
    many(multiply_f32, 1, (const uint8_t *)tile, 0, width, (const uint8_t *)queries, 4 * width, count, 3, scores + key, page, TILE_ROWS);
  }
}

// Of each of `heads` KV heads, which are `head_bytes` apart and have `count` queries each: scores[query][key] = query · key, in rows of `page`; up to
// the next multiple of 16 keys they are numbers of no meaning. `next` are keys of a later page.
void EXPORT(attention_scores)(
    int type, const float *queries, int count, int heads, const uint8_t *keys, long row_bytes, int head_bytes, int key_count, int width, float *scores,
    int page, const uint8_t *next, int next_count) {
  for (int head = 0; head < heads; head++) {
    ahead later = {next + head * head_bytes, row_bytes, next_count, head_bytes};
    const float *from = queries + head * count * width;
    float *to = scores + head * count * page;
    OF_TYPE(type, scores_of, from, count, keys + head * head_bytes, row_bytes, key_count, width, to, page, &later)
  }
}

// Turns a page of a query's scores into weights e^(score - largest), times what values are divided by, and tells what sums of earlier pages are to be
// multiplied with.
static INLINE float weigh(float *scores, int page, float unit, float *largest, float *sum) {
  floats most = all(*largest);
  for (int i = 0; i < page; i += LANES) {
    most = maximum(most, load(scores + i));
  }
  float now = largest_lane(most);
  if (now == -__builtin_inff()) {
    memset(scores, 0, sizeof(float) * (size_t)page);
    return 1;
  }
  for (int i = 0; i < page; i++) {
    scores[i] = exponential(scores[i] - now);
  }
  sixteen weights = {{0}};
  for (int i = 0; i < page; i += 16) {
    UNROLL for (int j = 0; j < 16; j++) {
      weights.of[j] += scores[i + j];
    }
  }
  for (int i = 0; i < page && unit != 1; i++) {
    scores[i] *= unit;
  }
  float factor = now > *largest ? exponential(*largest - now) : 1;
  *sum = *sum * factor + sum_of_sixteen(&weights);
  *largest = now;
  return factor;
}

// LANES columns of sums of weighted values for a constant number of queries, as multiply_f32 adds them up, but of rows as they lie.
static INLINE void few_values(
    const int type, const float *weights, int page, const uint8_t *values, long row_bytes, int key_count, int column, ahead *next, int send_rows,
    const int queries, const int parts, const int lane, floats *results) {
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
    send(next, send_rows);
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
    float *sums, int sum_floats, int page, ahead *next) {
  // Products end as those of whole groups of columns do, so that keys nobody sees change no bit.
  int padded = (key_count + PARTS - 1) / PARTS * PARTS;
  int groups = padded / PARTS * ((width + LANES - 1) / LANES), send_rows = (next->rows + groups - 1) / groups;
  float tile[TILE_ROWS * MOST_KEYS];
  for (int column = 0; column < width; column += LANES) {
    if (count <= FEW_TOKENS && column + LANES <= width) {
      floats results[MANY_TOKENS];
      const int lane = 0;
      switch (count) { FEW_CASES(few_values, type, weights, page, values, row_bytes, key_count, column, next, send_rows) }
      for (int i = 0; i < count; i++) {
        float *to = sums + i * sum_floats + column;
        store(to, multiply_add(load(to), all(factors[i]), results[i]));
      }
      continue;
    }
    for (int key = 0; key < padded; key++) {
      if (key % PARTS == 0) {
        send(next, send_rows);
      }
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

static INLINE int whole_tiles(int floats) { return (floats + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS; }
static INLINE int state_floats(int count, int width) { return whole_tiles(2 * count) + count * whole_tiles(width); }

// Makes states of some heads those of no keys.
void EXPORT(attention_begin)(float *states, int count, int heads, int width) {
  memset(states, 0, sizeof(float) * (size_t)(heads * state_floats(count, width)));
  for (int head = 0; head < heads; head++) {
    for (int i = 0; i < count; i++) {
      states[head * state_floats(count, width) + i] = -__builtin_inff();
    }
  }
}

// Softmax and sums of values of a page, of each of `heads` KV heads: scores become weights, and states take them in. Scores behind key_count, and of
// keys that a query does not see, are -infinity. `next` are values of a later page.
void EXPORT(attention_values)(
    int type, float *scores, int count, int heads, const uint8_t *values, long row_bytes, int head_bytes, int key_count, int width, float *states,
    int page, const uint8_t *next, int next_count) {
  int sum_floats = whole_tiles(width);
  for (int head = 0; head < heads; head++) {
    ahead later = {next + head * head_bytes, row_bytes, next_count, head_bytes};
    float *largest = states + head * state_floats(count, width), *total = largest + count, *sums = largest + whole_tiles(2 * count);
    for (int query = 0; query < count; query += MOST_QUERIES) {
      float factors[MOST_QUERIES];
      int some = count - query < MOST_QUERIES ? count - query : MOST_QUERIES;
      float *from = scores + (head * count + query) * page, *to = sums + query * sum_floats;
      for (int i = 0; i < some; i++) {
        factors[i] = weigh(from + i * page, page, unit_of(type), largest + query + i, total + query + i);
      }
      OF_TYPE(type, values_of, from, factors, some, values + head * head_bytes, row_bytes, key_count, width, to, sum_floats, page, &later)
    }
  }
}

// States of some heads take in those of keys that come after theirs.
void EXPORT(attention_merge)(float *states, const float *later, int count, int heads, int width) {
  int sum_floats = whole_tiles(width), sums = whole_tiles(2 * count);
  for (int head = 0; head < heads; head++, states += state_floats(count, width), later += state_floats(count, width)) {
    for (int i = 0; i < count; i++) {
      if (states[i] == -__builtin_inff() && later[i] == states[i]) {
        continue;
      }
      float most = later[i] > states[i] ? later[i] : states[i];
      float factor = exponential(states[i] - most), later_factor = exponential(later[i] - most);
      states[i] = most;
      states[count + i] = states[count + i] * factor + later[count + i] * later_factor;
      float *to = states + sums + i * sum_floats;
      for (int at = 0; at < sum_floats; at += LANES) {
        store(to + at, multiply_add(load(to + at), all(factor), multiply(load(later + sums + i * sum_floats + at), all(later_factor))));
      }
    }
  }
}
