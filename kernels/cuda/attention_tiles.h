// attention_tiles: attention of rows of one sequence together, on tensor cores, for caches of halves, bfloats or eight-bit floats
// (FlashAttention: Dao et al. 2022). attention_plain says plainly what comes out. Tiles in which rows of several sequences lie are left out.
//
// Blocks: dimension 0 the KV head and its values in parts of VALUE_PART columns, dimension 1 the tile, last rows first, since they take
// longest. A tile is TILE_ROWS rows, with all heads that share the KV head: up to 16 queries for each of WARPS warps.
// A block goes through the pages that any of its rows sees, the next page on its way while one is computed; a warp passes over those that
// none of its queries sees.
// Eight-bit floats are copied as they are, and become halves (eight_bit_halves.h) where all warps read them: each thread's own.
// Queries are split into two numbers each of the cache's type (halves for eight-bit floats), high and low, so that scores lose nothing that
// counts; weights are rounded to halves, or split into two bfloats. Sums are float32.
// Shared memory: two pages of keys and values, their rows 16 bytes apart, so that matrices are read without conflicts; then, where they
// would fill the registers, the queries. Eight-bit floats of a page lie between.
// Traffic: keys and values once for each tile. Bound by tensor cores.
// Invariants: no key outside of what the tile's rows may see is read. A value that is no finite number is set to zero where a row of the
// tile does not see it, and rows that do see it become NaN; so it reaches nobody else.
// Defines: WARPS, TILE_ROWS, VALUE_PART, which divides VALUE_WIDTH.

#include "async_copies.h"
#include "attention_row.h"
#include "launches.h"
#include "matrix_units.h"

#define THREADS (32 * WARPS)
#define KEYS PAGE_TOKENS
#define KEY_TILES (KEYS / 8)
#define KEY_STEPS (KEY_WIDTH / 16)
#define SUM_TILES (VALUE_PART / 8)
#define KEY_STRIDE (KEY_WIDTH * 2 + 16)
#define VALUE_STRIDE (VALUE_PART * 2 + 16)
#define STAGE_BYTES (KEYS * (KEY_STRIDE + VALUE_STRIDE))
#ifdef KEY_F8_E4M3
#define NUMBER_BYTES 1
#define UNIT EIGHT_BIT_UNIT
#define COPIED_BYTES (KEYS * (KEY_WIDTH + VALUE_PART))
#else
#define NUMBER_BYTES 2
#define UNIT 1
#define COPIED_BYTES 0
#endif
#define VALUE_PARTS (VALUE_WIDTH / VALUE_PART)
#define QUERIES_AT_HAND (KEY_WIDTH <= 128)

static inline void multiply(c_fragment &c, const a_fragment &a, uint2 b) {
#ifdef KEY_BF16
  multiply_bfloats(c, a, b);
#else
  multiply_halves(c, a, b);
#endif
}

static inline uint pair_of(float a, float b) {
#ifdef KEY_BF16
  return bfloats_of(a, b);
#else
  return halves_of(a, b);
#endif
}

// What a pair leaves of two numbers, as another.
static inline uint rest_of(float a, float b, uint pair) {
#ifdef KEY_BF16
  return pair_of(a - low_bfloat(pair), b - high_bfloat(pair));
#else
  return pair_of(a - low_half(pair), b - high_half(pair));
#endif
}

// The same matrices, each transposed.
static inline uint4 load_transposed(const uchar *at) {
  uint4 m;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(m.x), "=r"(m.y), "=r"(m.z), "=r"(m.w)
               : "r"((uint)__cvta_generic_to_shared(at))
               : "memory");
  return m;
}

// Keys that some row of the tile may see, and those that all of them do.
struct tile_range {
  int first, last, first_of_all, last_of_all;
};

static inline int warp_min(int x) {
  for (int distance = 16; distance > 0; distance /= 2) {
    int other = __shfl_xor_sync(0xffffffff, x, distance);
    x = other < x ? other : x;
  }
  return x;
}

static inline tile_range range_of(const int *positions, int first_row, int end_row, int length) {
  tile_range r = {0x7fffffff, -1, 0, 0x7fffffff};
  for (int row = first_row + threadIdx.x % 32; row < end_row; row += 32) {
    int2 range = keys_of(positions[row], length);
    if (range.x <= range.y) {
      r.first = range.x < r.first ? range.x : r.first;
      r.last = range.y > r.last ? range.y : r.last;
    }
    r.first_of_all = range.x > r.first_of_all ? range.x : r.first_of_all;
    r.last_of_all = range.y < r.last_of_all ? range.y : r.last_of_all;
  }
  r.first = warp_min(r.first);
  r.last = -warp_min(-r.last);
  r.first_of_all = -warp_min(-r.first_of_all);
  r.last_of_all = warp_min(r.last_of_all);
  return r;
}

// ---- Copies of a page, and a look at its values

struct page_copies {
  attention_row cache;
  tile_range range;

  template <int CHUNKS, int STRIDE>
  static inline void copy(uchar *to, const uchar *from, size_t row_bytes, int first_key, const tile_range &range) {
    for (int i = threadIdx.x; i < KEYS * CHUNKS; i += THREADS) {
      int key = i / CHUNKS, chunk = i % CHUNKS;
      uchar *target = to + key * STRIDE + 16 * chunk;
      if (first_key + key >= range.first && first_key + key <= range.last) {
        copy_16_bytes(target, from + key * row_bytes + 16 * chunk);
      } else {
        *(uint4 *)target = make_uint4(0, 0, 0, 0);
      }
    }
  }

  // To `stage`, or to `copied` what is not yet as it is multiplied.
  inline void begin(uchar *stage, uchar *copied, int page, int first_key) const {
    const uchar *keys = cache.key_row(page, 0) + cache.kv_head * KEY_WIDTH * NUMBER_BYTES;
    const uchar *values = cache.value_row(page, 0) + (cache.kv_head * VALUE_WIDTH + cache.first_column) * NUMBER_BYTES;
    size_t key_bytes = KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH), value_bytes = VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH);
#ifdef KEY_F8_E4M3
    copy<KEY_WIDTH / 16, KEY_WIDTH>(copied, keys, key_bytes, first_key, range);
    copy<VALUE_PART / 16, VALUE_PART>(copied + KEYS * KEY_WIDTH, values, value_bytes, first_key, range);
#else
    copy<KEY_WIDTH / 8, KEY_STRIDE>(stage, keys, key_bytes, first_key, range);
    copy<VALUE_PART / 8, VALUE_STRIDE>(stage + KEYS * KEY_STRIDE, values, value_bytes, first_key, range);
#endif
  }

#ifdef KEY_F8_E4M3
  static inline uint4 eight_halves(uint first, uint second) {
    return make_uint4(halves_of_neighbours(first, 0), halves_of_neighbours(first, 2), halves_of_neighbours(second, 0),
                      halves_of_neighbours(second, 2));
  }

  template <int WIDTH, int STRIDE>
  static inline void widen(uchar *to, const uchar *from) {
    for (int i = threadIdx.x; i < KEYS * WIDTH / 16; i += THREADS) {
      uint4 v = *(const uint4 *)(from + 16 * i);
      uint4 *at = (uint4 *)(to + i / (WIDTH / 16) * STRIDE + 32 * (i % (WIDTH / 16)));
      at[0] = eight_halves(v.x, v.y);
      at[1] = eight_halves(v.z, v.w);
    }
  }
#endif

  // What this thread has copied, to `stage` as it is multiplied.
  static inline void widen_own(uchar *stage, const uchar *copied) {
#ifdef KEY_F8_E4M3
    widen<KEY_WIDTH, KEY_STRIDE>(stage, copied);
    widen<VALUE_PART, VALUE_STRIDE>(stage + KEYS * KEY_STRIDE, copied + KEYS * KEY_WIDTH);
#endif
  }

  // Halves or bfloats of a word whose exponent is all ones, as a mask.
  static inline uint not_finite(uint word) {
#ifdef KEY_BF16
    uint exponent = 0x7f80;
#else
    uint exponent = 0x7c00;
#endif
    uint low = (word & exponent) == exponent ? 0xffff : 0;
    return low | ((word >> 16 & exponent) == exponent ? 0xffff0000 : 0);
  }

  // Of what this thread has copied, sets to zero what is no finite number, and notes the keys.
  static inline void set_right(uchar *stage, uint *bad_keys) {
    // Eight-bit floats that were copied together have become two runs.
    constexpr int CHUNKS = VALUE_PART / 8, RUNS = 2 / NUMBER_BYTES;
    for (int first = RUNS * threadIdx.x; first < KEYS * CHUNKS; first += RUNS * THREADS) {
      for (int i = first; i < first + RUNS; i++) {
        int key = i / CHUNKS;
        uint4 *at = (uint4 *)(stage + KEYS * KEY_STRIDE + key * VALUE_STRIDE + 16 * (i % CHUNKS));
        uint4 v = *at;
        uint4 bad = make_uint4(not_finite(v.x), not_finite(v.y), not_finite(v.z), not_finite(v.w));
        if (bad.x | bad.y | bad.z | bad.w) {
          *at = make_uint4(v.x & ~bad.x, v.y & ~bad.y, v.z & ~bad.z, v.w & ~bad.w);
          atomicOr(bad_keys, 1u << key);
        }
      }
    }
  }
};

// ---- A warp's 16 queries: of each lane rows g and g + 8

struct warp_queries {
  sight sights[2];
  int rows[2], heads[2];
  bool exist[2];
  float inverse[2];
  // Keys that some query of the warp may see, and those that all do.
  tile_range range;
  a_fragment high[QUERIES_AT_HAND ? KEY_STEPS : 1], low[QUERIES_AT_HAND ? KEY_STEPS : 1];
  // [step][high, low][lane]
  uint4 *in_shared;
  float base[2], total[2];
  c_fragment sums[SUM_TILES];

  inline void prepare(const float *q, const int *positions, int first_row, int end_row, int length, int kv_head, uint4 *shared
                      BIAS_PARAMETER) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, place = lane % 4;
    in_shared = shared + warp * KEY_STEPS * 64 + lane;
    const float *columns[2];
    float factors[2];
    range = {0x7fffffff, -1, 0, 0x7fffffff};
    for (int i = 0; i < 2; i++) {
      int query = warp * 16 + lane / 4 + 8 * i;
      rows[i] = first_row + query / GROUP;
      heads[i] = kv_head * GROUP + query % GROUP;
      exist[i] = query < TILE_ROWS * GROUP && rows[i] < end_row;
      columns[i] = q + ((size_t)(exist[i] ? rows[i] : first_row) * HEADS + heads[i]) * KEY_WIDTH;
      sights[i].position = exist[i] ? positions[rows[i]] : 0;
      sights[i].range = exist[i] ? keys_of(sights[i].position, length) : INT2(0, -1);
#ifdef RELATIVE_BIAS
      sights[i].relative_bias = relative_bias;
#endif
      if (sights[i].range.x <= sights[i].range.y) {
        range.first = sights[i].range.x < range.first ? sights[i].range.x : range.first;
        range.last = sights[i].range.y > range.last ? sights[i].range.y : range.last;
      }
      if (exist[i]) {
        range.first_of_all = sights[i].range.x > range.first_of_all ? sights[i].range.x : range.first_of_all;
        range.last_of_all = sights[i].range.y < range.last_of_all ? sights[i].range.y : range.last_of_all;
      }
      float most = 0;
      for (int at = 2 * place; at < KEY_WIDTH; at += 8) {
        float2 x = *(const float2 *)(columns[i] + at);
        most = fmaxf(most, fmaxf(fabsf(x.x), fabsf(x.y)));
      }
      most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
      float factor = power_of_two_to(QUERY_EXPONENT, most, inverse[i]);
      inverse[i] *= UNIT;
      factors[i] = exist[i] ? factor : 0;
      base[i] = NOTHING;
      total[i] = 0;
    }
    range.first = warp_min(range.first);
    range.last = -warp_min(-range.last);
    range.first_of_all = -warp_min(-range.first_of_all);
    range.last_of_all = warp_min(range.last_of_all);
    for (int step = 0; step < KEY_STEPS; step++) {
      a_fragment h, l;
      for (int pair = 0; pair < 4; pair++) {
        float2 x = *(const float2 *)(columns[pair % 2] + 16 * step + 2 * place + pair / 2 * 8);
        x.x *= factors[pair % 2];
        x.y *= factors[pair % 2];
        h.pair[pair] = pair_of(x.x, x.y);
        l.pair[pair] = rest_of(x.x, x.y, h.pair[pair]);
      }
      if constexpr (QUERIES_AT_HAND) {
        high[step] = h;
        low[step] = l;
      } else {
        in_shared[step * 64] = make_uint4(h.pair[0], h.pair[1], h.pair[2], h.pair[3]);
        in_shared[step * 64 + 32] = make_uint4(l.pair[0], l.pair[1], l.pair[2], l.pair[3]);
      }
    }
    for (int i = 0; i < SUM_TILES; i++) {
      for (int j = 0; j < 4; j++) {
        sums[i][j] = 0;
      }
    }
  }

  inline a_fragment query(int step, bool is_low) const {
    if constexpr (QUERIES_AT_HAND) {
      return is_low ? low[step] : high[step];
    } else {
      uint4 v = in_shared[step * 64 + 32 * is_low];
      return {v.x, v.y, v.z, v.w};
    }
  }

  inline void attend(const uchar *stage, int first_key, uint bad_keys) {
    if (first_key > range.last || first_key + KEYS <= range.first) {
      return;
    }
    int lane = threadIdx.x % 32;
    c_fragment scores[KEY_TILES];
    for (int n = 0; n < KEY_TILES; n++) {
      for (int i = 0; i < 4; i++) {
        scores[n][i] = 0;
      }
    }
    const uchar *keys = stage + (lane / 16 * 8 + lane % 8) * KEY_STRIDE + lane / 8 % 2 * 16;
    for (int step = 0; step < KEY_STEPS; step++) {
      a_fragment h = query(step, false), l = query(step, true);
      for (int n = 0; n < KEY_TILES; n += 2) {
        uint4 m = load_matrices(keys + 8 * n * KEY_STRIDE + 32 * step);
        multiply(scores[n], h, make_uint2(m.x, m.y));
        multiply(scores[n + 1], h, make_uint2(m.z, m.w));
        multiply(scores[n], l, make_uint2(m.x, m.y));
        multiply(scores[n + 1], l, make_uint2(m.z, m.w));
      }
    }
    weigh(scores, first_key, bad_keys);
    const uchar *values = stage + KEYS * KEY_STRIDE + (lane / 8 % 2 * 8 + lane % 8) * VALUE_STRIDE + lane / 16 * 16;
    for (int n = 0; n < KEY_TILES; n += 2) {
      a_fragment w;
      for (int pair = 0; pair < 4; pair++) {
        w.pair[pair] = pair_of(scores[n + pair / 2][pair % 2 * 2], scores[n + pair / 2][pair % 2 * 2 + 1]);
      }
#ifdef KEY_BF16
      a_fragment rest;
      for (int pair = 0; pair < 4; pair++) {
        rest.pair[pair] =
            rest_of(scores[n + pair / 2][pair % 2 * 2], scores[n + pair / 2][pair % 2 * 2 + 1], w.pair[pair]);
      }
#endif
      for (int i = 0; i < SUM_TILES; i += 2) {
        uint4 m = load_transposed(values + 8 * n * VALUE_STRIDE + 16 * i);
        multiply(sums[i], w, make_uint2(m.x, m.y));
        multiply(sums[i + 1], w, make_uint2(m.z, m.w));
#ifdef KEY_BF16
        multiply(sums[i], rest, make_uint2(m.x, m.y));
        multiply(sums[i + 1], rest, make_uint2(m.z, m.w));
#endif
      }
    }
  }

  // Dot products become weights.
  inline void weigh(c_fragment (&scores)[KEY_TILES], int first_key, uint bad_keys) {
    int place = threadIdx.x % 4;
#ifdef MASK_IS_INTERVAL
    bool all_seen = first_key >= range.first_of_all && first_key + KEYS - 1 <= range.last_of_all;
#else
    bool all_seen = false;
#endif
    float most[2] = {-INFINITY, -INFINITY};
    for (int n = 0; n < KEY_TILES; n++) {
      for (int i = 0; i < 4; i++) {
        int key = 8 * n + 2 * place + i % 2;
        float dot = scores[n][i] * inverse[i / 2];
        float score = all_seen ? sights[i / 2].seen_score(dot, first_key + key, heads[i / 2])
                               : sights[i / 2].score(dot, first_key + key, heads[i / 2]);
        most[i / 2] = fmaxf(most[i / 2], score);
        scores[n][i] = score;
      }
    }
    if (bad_keys != 0) {
      for (int n = 0; n < KEY_TILES; n++) {
        for (int i = 0; i < 4; i++) {
          int key = 8 * n + 2 * place + i % 2;
          if (bad_keys >> key & 1 && sights[i / 2].is_seen(first_key + key)) {
            scores[n][i] = NAN;
          }
        }
      }
    }
    float to[2];
    for (int i = 0; i < 2; i++) {
      most[i] = fmaxf(most[i], __shfl_xor_sync(0xffffffff, most[i], 1));
      most[i] = fmaxf(most[i], __shfl_xor_sync(0xffffffff, most[i], 2));
      to[i] = fmaxf(base[i], base_of(most[i]));
    }
    if (__any_sync(0xffffffff, to[0] > base[0] || to[1] > base[1])) {
      float factors[2] = {factor_between(base[0], to[0]), factor_between(base[1], to[1])};
      for (int i = 0; i < 2; i++) {
        total[i] *= factors[i];
        base[i] = to[i];
      }
      for (int n = 0; n < SUM_TILES; n++) {
        for (int i = 0; i < 4; i++) {
          sums[n][i] *= factors[i / 2];
        }
      }
    }
    for (int n = 0; n < KEY_TILES; n++) {
      for (int i = 0; i < 4; i++) {
        scores[n][i] = weight_of(scores[n][i], base[i / 2]);
        total[i / 2] += scores[n][i];
      }
    }
  }

  inline void store(float *y, int first_column, const float *sinks) {
    int place = threadIdx.x % 4;
    for (int i = 0; i < 2; i++) {
      total[i] += __shfl_xor_sync(0xffffffff, total[i], 1);
      total[i] += __shfl_xor_sync(0xffffffff, total[i], 2);
      if (exist[i]) {
        float *to = y + ((size_t)rows[i] * HEADS + heads[i]) * VALUE_WIDTH + first_column + 2 * place;
        float inverse_total = base[i] > NOTHING ? UNIT / with_sink(total[i], base[i], sinks, heads[i]) : 0;
        for (int n = 0; n < SUM_TILES; n++) {
          *(float2 *)(to + 8 * n) = make_float2(sums[n][2 * i] * inverse_total, sums[n][2 * i + 1] * inverse_total);
        }
      }
    }
  }
};

kernel void __launch_bounds__(THREADS)
    attention_tiles(const float *q, const uchar *keys, const uchar *values, const int *positions, const int *row_sequence,
                    const int *table_starts, const int *tables, const int *lengths, const int *counts, int which, float *y
                    ATTENTION_WEIGHTS) {
  extern __shared__ uint4 shared[];
  // Those of a page, of the one before and of the one after: the last are set to zero before anyone notes one.
  __shared__ uint bad_keys[3];
  start_next_launch();
  await_last_launch();
  int part = blockIdx.x, count = counts[which];
  int first_row = (gridDim.y - 1 - blockIdx.y) * TILE_ROWS;
  int end_row = first_row + TILE_ROWS < count ? first_row + TILE_ROWS : count;
  if (first_row >= count || row_sequence[first_row] != row_sequence[end_row - 1]) {
    return;
  }
  int sequence = row_sequence[first_row], length = lengths[sequence];
  page_copies copies;
  copies.cache.keys = keys;
  copies.cache.values = values;
  copies.cache.pages = tables + table_starts[sequence];
  copies.cache.kv_head = part / VALUE_PARTS;
  copies.cache.first_column = part % VALUE_PARTS * VALUE_PART;
  copies.range = range_of(positions, first_row, end_row, length);
  const tile_range &range = copies.range;
  uchar *stages = (uchar *)shared, *copied = stages + 2 * STAGE_BYTES;
  const int *pages = copies.cache.pages;
  int first_page = range.first / KEYS, pages_seen = range.last < 0 ? 0 : range.last / KEYS + 1 - first_page;
  int page = 0;
  if (pages_seen > 0) {
    copies.begin(stages, copied, pages[first_page], first_page * KEYS);
    page = pages_seen > 1 ? pages[first_page + 1] : 0;
  }
  commit_copies();
  if (threadIdx.x < 3) {
    bad_keys[threadIdx.x] = 0;
  }
  __syncthreads();
  warp_queries mine;
  mine.prepare(q, positions, first_row, end_row, length, copies.cache.kv_head, shared + (2 * STAGE_BYTES + COPIED_BYTES) / 16
               BIAS_ARGUMENT);
  for (int i = 0; i < pages_seen; i++) {
    uchar *stage = stages + i % 2 * STAGE_BYTES;
    int first_key = (first_page + i) * KEYS;
    wait_for_copies<0>();
    page_copies::widen_own(stage, copied);
#ifdef MASK_IS_INTERVAL
    bool all_seen = first_key >= range.first_of_all && first_key + KEYS - 1 <= range.last_of_all;
#else
    bool all_seen = false;
#endif
    if (!all_seen) {
      page_copies::set_right(stage, bad_keys + i % 3);
    }
    // All have copied this page, and are done with the one before.
    __syncthreads();
    if (threadIdx.x == 0) {
      bad_keys[(i + 2) % 3] = 0;
    }
    if (i + 1 < pages_seen) {
      copies.begin(stages + (i + 1) % 2 * STAGE_BYTES, copied, page, first_key + KEYS);
      page = i + 2 < pages_seen ? pages[first_page + i + 2] : 0;
    }
    commit_copies();
    mine.attend(stage, first_key, bad_keys[i % 3]);
  }
#ifndef SINKS
  const float *sinks = nullptr;
#endif
  mine.store(y, copies.cache.first_column, sinks);
}
