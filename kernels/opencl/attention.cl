/* attention: softmax(score(SCALE · q·kᵀ), masked) · v of each row over its own sequence's cached keys and values, for all
 * the heads that share a KV head at once, BLOCK keys at a time, with a running maximum (FlashAttention; Dao et al.
 * 2022). Where SPLITS > 1 the keys are divided among work-groups, and attention_combine puts their results together
 * (Flash-Decoding; Dao et al. 2023): for steps of few rows. The grid does not depend on the length of a context.
 *
 * Groups: dimension 0 has one for each KV head and split, dimension 1 one for each TILE rows of the step. Rows of a tile
 * that are of one sequence share the loads of keys. LANES items share a group's work; on a processor LANES is 1,
 * and the vectors of 16 floats are the processor's own.
 * Traffic: keys and values of what the mask's bounds allow, once for each tile; q and y once.
 * Local memory: (BLOCK · widest + TILE · GROUP · (key width + value width + BLOCK)) floats, widths rounded up to 16.
 * Invariants: only pages between the bounds of the tile's masks are touched; every item reaches every barrier, since
 * all bounds are the same for a whole group; what lies behind a width is zero in local memory.
 * A row that sees no key yields zeros. */

#include "cache_elements.h"

#define GROUP (HEADS / KV_HEADS)
#define KEY_CHUNKS ((KEY_WIDTH + 15) / 16)
#define VALUE_CHUNKS ((VALUE_WIDTH + 15) / 16)
#define MOST_CHUNKS (KEY_CHUNKS > VALUE_CHUNKS ? KEY_CHUNKS : VALUE_CHUNKS)
#define PARTIAL_FLOATS (VALUE_CHUNKS * 16 + 2)

#if LANES > 1
#define ALL_HERE barrier(CLK_LOCAL_MEM_FENCE)
#else
#define ALL_HERE
#endif

static inline float sum_of(float16 x) {
  float8 eight = x.lo + x.hi;
  float4 four = eight.lo + eight.hi;
  return (four.x + four.y) + (four.z + four.w);
}

static inline float most_of(float16 x) {
  float8 eight = fmax(x.lo, x.hi);
  float4 four = fmax(eight.lo, eight.hi);
  return fmax(fmax(four.x, four.y), fmax(four.z, four.w));
}

/* Up to 16 elements from column `from` of a head on, zeros behind `count`. */
#define CHUNK(name, element, vector)                                                              \
  static inline float16 name(global const uchar *row, int from, int count) {                      \
    if (count >= 16 && from % 16 == 0) {                                                          \
      return vector(row, from);                                                                   \
    }                                                                                             \
    float x[16];                                                                                  \
    for (int i = 0; i < 16; i++) {                                                                \
      x[i] = i < count ? element(row, from + i) : 0;                                              \
    }                                                                                             \
    return vload16(0, x);                                                                         \
  }

CHUNK(key_chunk, key_element, key_vector)
CHUNK(value_chunk, value_element, value_vector)

/* Where the pages of one sequence are, and which of its keys a tile can see. */
typedef struct {
  global const int *pages;
  int first;
  int last;
} key_range;

static inline size_t row_of(key_range range, int key) {
  return (size_t)range.pages[key / PAGE_TOKENS] * PAGE_TOKENS + key % PAGE_TOKENS;
}

/* The keys that rows from .. to - 1, all of one sequence, can see. */
static inline key_range range_of(int from, int to, global const int *positions, global const int *row_sequence,
                                 global const int *table_starts, global const int *tables,
                                 global const int *lengths) {
  int sequence = row_sequence[from];
  long first = LONG_MAX, last = -1;
  for (int row = from; row < to; row++) {
    long query = positions[row];
    first = min(first, (long)(FIRST_KEY(query)));
    last = max(last, (long)(LAST_KEY(query)));
  }
  key_range range;
  range.pages = tables + table_starts[sequence];
  range.first = (int)clamp(first, (long)0, (long)lengths[sequence]);
  range.last = (int)clamp(last, (long)-1, (long)lengths[sequence] - 1);
  return range;
}

/* The part of a range that is this split's: whole blocks. */
static inline key_range split_of(key_range range, int split) {
#if SPLITS > 1
  long begin = range.first / BLOCK, blocks = range.last < range.first ? 0 : range.last / BLOCK + 1 - begin;
  int from = (int)((begin + blocks * split / SPLITS) * BLOCK);
  int to = (int)((begin + blocks * (split + 1) / SPLITS) * BLOCK);
  range.first = max(range.first, from);
  range.last = min(range.last, to - 1);
#endif
  return range;
}

kernel void attention(global const float *q, global const uchar *keys, global const uchar *values,
                      global const int *positions, global const int *row_sequence, global const int *table_starts,
                      global const int *tables, global const int *lengths, global const int *counts, int which,
                      global float *y) {
  local float queries[TILE * GROUP * KEY_CHUNKS * 16];
  local float cached[BLOCK * MOST_CHUNKS * 16];
  local float scores[TILE * GROUP * BLOCK];
  local float sums[TILE * GROUP * VALUE_CHUNKS * 16];
  local float maxima[TILE * GROUP], totals[TILE * GROUP], factors[TILE * GROUP];
  int lane = get_local_id(0);
  int kv_head = get_group_id(0) / SPLITS, split = get_group_id(0) % SPLITS;
  int tile_end = min(counts[which], (int)(get_group_id(1) + 1) * TILE);
  for (int from = get_group_id(1) * TILE, to; from < tile_end; from = to) {
    to = from + 1;
    while (to < tile_end && row_sequence[to] == row_sequence[from]) {
      to++;
    }
    int heads = (to - from) * GROUP;
    key_range range = split_of(
        range_of(from, to, positions, row_sequence, table_starts, tables, lengths), split);
    for (int i = lane; i < heads * KEY_CHUNKS * 16; i += LANES) {
      int head = i / (KEY_CHUNKS * 16), column = i % (KEY_CHUNKS * 16);
      size_t row_head = (size_t)(from + head / GROUP) * HEADS + kv_head * GROUP + head % GROUP;
      queries[i] = column < KEY_WIDTH ? q[row_head * KEY_WIDTH + column] : 0;
    }
    for (int i = lane; i < heads * VALUE_CHUNKS * 16; i += LANES) {
      sums[i] = 0;
    }
    for (int i = lane; i < heads; i += LANES) {
      maxima[i] = -INFINITY;
      totals[i] = 0;
    }
    for (int block = range.first / BLOCK * BLOCK; block <= range.last; block += BLOCK) {
      int begin = max(block, range.first) - block, end = min(block + BLOCK - 1, range.last) - block + 1;
      for (int i = lane; i < BLOCK * KEY_CHUNKS; i += LANES) {
        int key = i / KEY_CHUNKS, chunk = i % KEY_CHUNKS;
        float16 x = 0;
        if (key >= begin && key < end) {
          global const uchar *row = keys + row_of(range, block + key) * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH);
          x = key_chunk(row, kv_head * KEY_WIDTH + chunk * 16, KEY_WIDTH - chunk * 16);
        }
        vstore16(x, i, cached);
      }
      ALL_HERE;
      for (int i = lane; i < heads * BLOCK; i += LANES) {
        int head = i / BLOCK, key = i % BLOCK;
        float16 products = 0;
        for (int chunk = 0; chunk < KEY_CHUNKS; chunk++) {
          products = fma(vload16(head * KEY_CHUNKS + chunk, queries), vload16(key * KEY_CHUNKS + chunk, cached),
                         products);
        }
        float score = sum_of(products) * SCALE;
        long query_position = positions[from + head / GROUP], key_position = block + key;
        int head_number = kv_head * GROUP + head % GROUP;
        score = SCORE(score, query_position, key_position, head_number);
        scores[i] = key >= begin && key < end && SEES(query_position, key_position) ? score : -INFINITY;
      }
      ALL_HERE;
      for (int head = lane; head < heads; head += LANES) {
        float16 most = -INFINITY;
        for (int i = 0; i < BLOCK / 16; i++) {
          most = fmax(most, vload16(head * (BLOCK / 16) + i, scores));
        }
        float maximum = fmax(maxima[head], most_of(most));
        /* Where nothing was seen yet all weights are zero, whatever is taken for the maximum. */
        float base = maximum == -INFINITY ? 0 : maximum;
        float16 total = 0;
        for (int i = 0; i < BLOCK / 16; i++) {
          float16 weights = exp(vload16(head * (BLOCK / 16) + i, scores) - base);
          vstore16(weights, head * (BLOCK / 16) + i, scores);
          total += weights;
        }
        factors[head] = exp(maxima[head] - base);
        totals[head] = totals[head] * factors[head] + sum_of(total);
        maxima[head] = maximum;
      }
      for (int i = lane; i < BLOCK * VALUE_CHUNKS; i += LANES) {
        int key = i / VALUE_CHUNKS, chunk = i % VALUE_CHUNKS;
        float16 x = 0;
        if (key >= begin && key < end) {
          global const uchar *row = values + row_of(range, block + key) * VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH);
          x = value_chunk(row, kv_head * VALUE_WIDTH + chunk * 16, VALUE_WIDTH - chunk * 16);
        }
        vstore16(x, i, cached);
      }
      ALL_HERE;
      for (int i = lane; i < heads * VALUE_CHUNKS; i += LANES) {
        int head = i / VALUE_CHUNKS, chunk = i % VALUE_CHUNKS;
        float16 sum = vload16(i, sums) * factors[head];
        for (int key = 0; key < BLOCK; key++) {
          sum = fma((float16)(scores[head * BLOCK + key]), vload16(key * VALUE_CHUNKS + chunk, cached), sum);
        }
        vstore16(sum, i, sums);
      }
      ALL_HERE;
    }
    ALL_HERE;
    for (int i = lane; i < heads * VALUE_CHUNKS * 16; i += LANES) {
      int head = i / (VALUE_CHUNKS * 16), column = i % (VALUE_CHUNKS * 16);
      size_t row_head = (size_t)(from + head / GROUP) * HEADS + kv_head * GROUP + head % GROUP;
#if SPLITS > 1
      global float *partial = y + (row_head * SPLITS + split) * PARTIAL_FLOATS;
      partial[2 + column] = sums[i];
      if (column == 0) {
        partial[0] = maxima[head];
        partial[1] = totals[head];
      }
#else
      if (column < VALUE_WIDTH) {
        y[row_head * VALUE_WIDTH + column] = totals[head] > 0 ? sums[i] / totals[head] : 0;
      }
#endif
    }
    ALL_HERE;
  }
}

/* Puts the splits' results together. Items: one for each column of each row and head. */
kernel void attention_combine(global const float *partials, global float *y, global const int *counts, int which) {
  size_t item = get_global_id(0);
  if (item >= (size_t)counts[which] * HEADS * VALUE_WIDTH) {
    return;
  }
  size_t row_head = item / VALUE_WIDTH;
  int column = item % VALUE_WIDTH;
  partials += row_head * SPLITS * PARTIAL_FLOATS;
  float maximum = -INFINITY;
  for (int split = 0; split < SPLITS; split++) {
    maximum = fmax(maximum, partials[split * PARTIAL_FLOATS]);
  }
  float sum = 0, total = 0;
  for (int split = 0; split < SPLITS; split++) {
    global const float *partial = partials + split * PARTIAL_FLOATS;
    if (partial[0] > -INFINITY) {
      float factor = exp(partial[0] - maximum);
      total = fma(partial[1], factor, total);
      sum = fma(partial[2 + column], factor, sum);
    }
  }
  y[item] = total > 0 ? sum / total : 0;
}
