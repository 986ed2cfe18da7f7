// A warp's attention to tiles of keys in a cache of halves, bfloats or eight-bit floats, on tensor cores (matrix_units.h), from registers.
//
// Queries and weights are split into two halves a number (high and low, 22 bits; three bfloats, 24 bits), which are rows g and g + 8 of an
// A fragment: so eight heads fill its 16 rows, and products are those of float32 but for the last bits.
// A sum over columns may take them in any order, as long as both factors agree: lane t of a key's four reads 8 columns side by side
// (32 a pair of steps; 4 where only 16 are left), and has the same of its head's query. For the sums of values lane g reads 8 columns
// (of 64; 4 or 2 of what is left) of the four keys whose weights it has; two keys' words become pairs by a permutation of bytes.
// Eight-bit floats stay so until they are multiplied, and are then halves (eight_bit_halves.h).
// Scores come out where weights must go in: neither they nor keys and values pass through shared memory.
// While a tile's values are added the next keys are on their way, except where keys are so wide that registers would not do. The first
// tile's keys and values are on their way before the queries are there.
// Invariants: as attention_split's; what is hidden is zero in fragments. An infinity in a value makes NaNs.

#ifndef ATTENTION_HALVES_H
#define ATTENTION_HALVES_H

#include "attention_row.h"
#include "matrix_units.h"

#define TILE 16
#define KEY_PAIRS (KEY_WIDTH / 32)
#define KEY_STEPS (KEY_WIDTH / 16)
#define SUM_TILES (VALUE_PART / 8)

// Queries in registers; else in shared memory.
#ifdef KEY_BF16
#define QUERIES_AT_HAND false
#else
#define QUERIES_AT_HAND (KEY_WIDTH <= 128)
#endif
#define KEYS_AHEAD (KEY_WIDTH <= 128)

// Bytes of a number in the cache, and what it is a multiple of where it is multiplied; eight and four numbers side by side.
#ifdef KEY_F8_E4M3
#define NUMBER_BYTES 1
#define UNIT EIGHT_BIT_UNIT
typedef uint2 eight_numbers;
typedef uint four_numbers;
static inline uint2 pairs_of(uint four) { return make_uint2(halves_of_neighbours(four, 0), halves_of_neighbours(four, 2)); }
static inline uint2 first_pairs(uint2 eight) { return pairs_of(eight.x); }
static inline uint2 last_pairs(uint2 eight) { return pairs_of(eight.y); }
#else
#define NUMBER_BYTES 2
#define UNIT 1
typedef uint4 eight_numbers;
typedef uint2 four_numbers;
static inline uint2 pairs_of(uint2 four) { return four; }
static inline uint2 first_pairs(uint4 eight) { return make_uint2(eight.x, eight.y); }
static inline uint2 last_pairs(uint4 eight) { return make_uint2(eight.z, eight.w); }
#endif

struct alignas(16) split_fragment {
  a_fragment first;
#ifdef KEY_BF16
  // What two bfloats leave of three, rows g only.
  uint rest[2];
#endif
};

// Two pairs of numbers of row g.
static inline split_fragment split_pairs(float4 x) {
  split_fragment s;
  float v[4] = {x.x, x.y, x.z, x.w};
  for (int pair = 0; pair < 2; pair++) {
    float a = v[2 * pair], b = v[2 * pair + 1];
#ifdef KEY_BF16
    uint words[3];
    for (int n = 0; n < 3; n++) {
      words[n] = bfloats_of(a, b);
      a -= low_bfloat(words[n]);
      b -= high_bfloat(words[n]);
    }
    s.first.pair[2 * pair] = words[0];
    s.first.pair[2 * pair + 1] = words[1];
    s.rest[pair] = words[2];
#else
    uint high = halves_of(a, b);
    s.first.pair[2 * pair] = high;
    s.first.pair[2 * pair + 1] = halves_of(a - low_half(high), b - high_half(high));
#endif
  }
  return s;
}

static inline void multiply_split(c_fragment &c, const split_fragment &a, uint2 b) {
#ifdef KEY_BF16
  multiply_bfloats(c, a.first, b);
  a_fragment rest;
  rest.pair[0] = rest.pair[2] = 0;
  rest.pair[1] = a.rest[0];
  rest.pair[3] = a.rest[1];
  multiply_bfloats(c, rest, b);
#else
  multiply_halves(c, a.first, b);
#endif
}

// Rows of TILE keys: of key g and key g + 8 what lane t has.
struct key_words {
  eight_numbers pairs[2][KEY_PAIRS > 0 ? KEY_PAIRS : 1];
  four_numbers last[2];

  // But for key `missing`, whose words are zero.
  inline void load(const attention_row &a, int first, int page, int group, int place, int missing) {
    for (int n = 0; n < 2; n++) {
      int key = first + 8 * n + group;
      load(n, a.is_seen(key) && key != missing, a.key_row(page, key) + a.kv_head * KEY_WIDTH * NUMBER_BYTES, place);
    }
  }

  // That one, which is seen.
  inline void load_missing(const attention_row &a, int first, int page, int group, int place, int missing) {
    for (int n = 0; n < 2; n++) {
      if (first + 8 * n + group == missing) {
        load(n, true, a.key_row(page, missing) + a.kv_head * KEY_WIDTH * NUMBER_BYTES, place);
      }
    }
  }

  inline void load(int n, bool seen, const uchar *row, int place) {
    for (int i = 0; i < KEY_PAIRS; i++) {
      pairs[n][i] = seen ? *(const eight_numbers *)(row + NUMBER_BYTES * (32 * i + 8 * place)) : eight_numbers{};
    }
    if (KEY_WIDTH % 32 != 0) {
      last[n] = seen ? *(const four_numbers *)(row + NUMBER_BYTES * (32 * KEY_PAIRS + 4 * place)) : four_numbers{};
    }
  }

  inline uint2 fragment(int n, int step) const {
    if (step >= 2 * KEY_PAIRS) {
      return pairs_of(last[n]);
    }
    eight_numbers words = pairs[n][step / 2];
    return step % 2 == 0 ? first_pairs(words) : last_pairs(words);
  }
};

// Words of N columns from one on, of the four keys whose weights the lane has.
template <int N>
struct value_words {
  static constexpr int BYTES = N * NUMBER_BYTES, WORDS = (BYTES + 3) / 4;
  alignas(16) uint words[4][WORDS];

  inline void clear() {
    for (int key = 0; key < 4; key++) {
      for (int i = 0; i < WORDS; i++) {
        words[key][i] = 0;
      }
    }
  }

  // Of keys that are not to be loaded words stay as they are.
  inline void load(const uchar *const (&rows)[4], const bool (&loaded)[4], int column) {
    for (int key = 0; key < 4; key++) {
      if (loaded[key]) {
        const uchar *at = rows[key] + NUMBER_BYTES * column;
        if constexpr (BYTES == 16) {
          *(uint4 *)words[key] = *(const uint4 *)at;
        } else if constexpr (BYTES == 8) {
          *(uint2 *)words[key] = *(const uint2 *)at;
        } else if constexpr (BYTES == 4) {
          words[key][0] = *(const uint *)at;
        } else {
          words[key][0] = *(const ushort *)at;
        }
      }
    }
  }

  // Column i of two keys.
  inline uint pair(int key, int i) const {
#ifdef KEY_F8_E4M3
    uint tops = __byte_perm(words[key][i / 4], words[key + 1][i / 4], 0x4000 + 0x1010 * (i % 4));
    return halves_or_none_of_bytes(tops);
#else
    return __byte_perm(words[key][i / 2], words[key + 1][i / 2], i % 2 == 0 ? 0x5410 : 0x7632);
#endif
  }

  inline void add(const split_fragment &weights, c_fragment *sums) const {
    for (int i = 0; i < N; i++) {
      multiply_split(sums[i], weights, make_uint2(pair(0, i), pair(2, i)));
    }
  }
};

// A tile's values: what the lane has of them.
struct values {
  value_words<8> wide[VALUE_PART >= 64 ? VALUE_PART / 64 : 1];
  value_words<4> half_as_wide;
  value_words<2> narrow;

  inline void clear() {
    for (int i = 0; i < VALUE_PART / 64; i++) {
      wide[i].clear();
    }
    half_as_wide.clear();
    narrow.clear();
  }

  inline void load(const uchar *const (&rows)[4], const bool (&loaded)[4], int group, int columns) {
    for (int i = 0; i < VALUE_PART / 64; i++) {
      load(wide[i], rows, loaded, 64 * i + 8 * group, columns);
    }
    if constexpr (VALUE_PART % 64 >= 32) {
      load(half_as_wide, rows, loaded, VALUE_PART / 64 * 64 + 4 * group, columns);
    }
    if constexpr (VALUE_PART % 32 >= 16) {
      load(narrow, rows, loaded, VALUE_PART / 32 * 32 + 2 * group, columns);
    }
  }

  template <int N>
  static inline void load(value_words<N> &v, const uchar *const (&rows)[4], const bool (&loaded)[4], int column, int columns) {
    if constexpr (VALUE_WIDTH % VALUE_PART == 0) {
      v.load(rows, loaded, column);
    } else {
      bool exists = column < columns;
      bool both[4] = {loaded[0] && exists, loaded[1] && exists, loaded[2] && exists, loaded[3] && exists};
      v.load(rows, both, column);
    }
  }

  inline void add(const split_fragment &weights, c_fragment *sums) const {
    for (int i = 0; i < VALUE_PART / 64; i++) {
      wide[i].add(weights, sums + 8 * i);
    }
    if constexpr (VALUE_PART % 64 >= 32) {
      half_as_wide.add(weights, sums + VALUE_PART / 64 * 8);
    }
    if constexpr (VALUE_PART % 32 >= 16) {
      narrow.add(weights, sums + VALUE_PART / 32 * 4);
    }
  }
};

struct warp_attention {
  // Sums of the scores are to be multiplied by this, the lane's head's.
  float inverse;
  split_fragment at_hand[QUERIES_AT_HAND ? KEY_STEPS : 1];
  const split_fragment *in_shared;
  float base, total;
  c_fragment sums[SUM_TILES];
  // Of the tile at hand; and the pages of those to come.
  key_words k;
  values v;
  int pages;

  // The numbers of a step that lane t has of its head.
  static inline float4 numbers(const float *q, int step, int place) {
    int column = step < 2 * KEY_PAIRS ? step / 2 * 32 + 8 * place + step % 2 * 4 : 32 * KEY_PAIRS + 4 * place;
    return *(const float4 *)(q + column);
  }

  inline void prepare(const attention_row &a, const float *q) {
    int lane = threadIdx.x % 32, head = lane / 4, place = lane % 4;
    bool exists = head < a.heads;
    q += head * KEY_WIDTH;
    float most = 0;
    for (int step = 0; step < KEY_STEPS && exists; step++) {
      float4 x = numbers(q, step, place);
      most = fmaxf(most, fmaxf(fmaxf(fabsf(x.x), fabsf(x.y)), fmaxf(fabsf(x.z), fabsf(x.w))));
    }
    most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
    float factor = power_of_two_to(QUERY_EXPONENT, most, inverse);
    inverse *= UNIT;
#define FRAGMENT(step) split_pairs(exists ? scaled(numbers(q, step, place), factor) : make_float4(0, 0, 0, 0))
    if constexpr (QUERIES_AT_HAND) {
      for (int step = 0; step < KEY_STEPS; step++) {
        at_hand[step] = FRAGMENT(step);
      }
    } else {
      __shared__ split_fragment all[KEY_STEPS * 32];
      for (int step = threadIdx.x / 32; step < KEY_STEPS; step += WARPS) {
        all[step * 32 + lane] = FRAGMENT(step);
      }
      in_shared = all + lane;
      __syncthreads();
    }
#undef FRAGMENT
  }

  static inline float4 scaled(float4 x, float factor) {
    return make_float4(x.x * factor, x.y * factor, x.z * factor, x.w * factor);
  }

  // Of 32 tiles, each lane has the page of one.
  inline int pages_from(const attention_row &a, int tile, int end) const {
    int of_lane = tile + threadIdx.x % 32 * WARPS;
    return of_lane < end ? a.pages[of_lane * TILE / PAGE_TOKENS] : 0;
  }

  // Values of a tile's keys that `is_loaded` asks for.
  template <class F>
  inline void load_values(const attention_row &a, int first, int page, F is_loaded) {
    int lane = threadIdx.x % 32, group = lane / 4, place = lane % 4;
    const uchar *rows[4];
    bool loaded[4];
    for (int j = 0; j < 4; j++) {
      int key = first + 2 * place + j % 2 + j / 2 * 8;
      loaded[j] = is_loaded(key);
      rows[j] = a.value_row(page, key) + (a.kv_head * VALUE_WIDTH + a.first_column) * NUMBER_BYTES;
    }
    v.load(rows, loaded, group, VALUE_WIDTH - a.first_column);
  }

  // Sends for the first tile's keys and values, but for those of key `missing`, if it is not negative.
  inline void start(const attention_row &a, int tile, int end, int missing) {
    int lane = threadIdx.x % 32;
    pages = pages_from(a, tile, end);
    int page = __shfl_sync(0xffffffff, pages, 0);
    v.clear();
    if (tile < end) {
      if (KEYS_AHEAD) {
        k.load(a, tile * TILE, page, lane / 4, lane % 4, missing);
      }
      load_values(a, tile * TILE, page, [&](int key) { return a.is_seen(key) && key != missing; });
    }
  }

  // Brings what start left out.
  inline void bring(const attention_row &a, int tile, int end, int missing) {
    int lane = threadIdx.x % 32;
    int page = __shfl_sync(0xffffffff, pages, 0);
    if (tile < end && missing / TILE == tile) {
      if (KEYS_AHEAD) {
        k.load_missing(a, tile * TILE, page, lane / 4, lane % 4, missing);
      }
      load_values(a, tile * TILE, page, [&](int key) { return key == missing; });
    }
  }

  // This tile, which was started, and those that follow WARPS apart, up to `end`.
  inline void attend(const attention_row &a, int tile, int end) {
    int lane = threadIdx.x % 32, group = lane / 4, place = lane % 4;
    base = NOTHING;
    total = 0;
    for (int i = 0; i < SUM_TILES; i++) {
      for (int j = 0; j < 4; j++) {
        sums[i][j] = 0;
      }
    }
    int count = (end - tile + WARPS - 1) / WARPS;
    for (int i = 0; i < count; i++) {
      int first = (tile + i * WARPS) * TILE;
      if (i > 0 && i % 32 == 0) {
        pages = pages_from(a, tile + i * WARPS, end);
      }
      int page = __shfl_sync(0xffffffff, pages, i % 32);
      if (!KEYS_AHEAD || (i > 0 && i % 32 == 0)) {
        k.load(a, first, page, group, place, -1);
      }
      if (i > 0) {
        v.clear();
        load_values(a, first, page, [&](int key) { return a.is_seen(key); });
      }
      c_fragment scores[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
      for (int step = 0; step < KEY_STEPS; step++) {
        for (int n = 0; n < 2; n++) {
          multiply_split(scores[n], QUERIES_AT_HAND ? at_hand[step] : in_shared[step * 32], k.fragment(n, step));
        }
      }
      if (KEYS_AHEAD && i + 1 < count && (i + 1) % 32 != 0) {
        int next = __shfl_sync(0xffffffff, pages, (i + 1) % 32);
        k.load(a, first + WARPS * TILE, next, group, place, -1);
      }
      v.add(weigh(a, first + 2 * place, scores, group), sums);
    }
  }

  // Scores of the lane's head and four keys become weights.
  inline split_fragment weigh(const attention_row &a, int first, const c_fragment (&scores)[2], int head) {
    float w[4];
    float most = -INFINITY;
    for (int i = 0; i < 4; i++) {
      const c_fragment &s = scores[i / 2];
      w[i] = a.score((s[i % 2] + s[2 + i % 2]) * inverse, first + i % 2 + i / 2 * 8, a.first_head + head);
      most = fmaxf(most, w[i]);
    }
    most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
    float to = fmaxf(base, base_of(most));
    if (__any_sync(0xffffffff, to > base)) {
      float factor = factor_between(base, to);
      total *= factor;
      for (int i = 0; i < SUM_TILES; i++) {
        for (int j = 0; j < 4; j++) {
          sums[i][j] *= factor;
        }
      }
      base = to;
    }
    for (int i = 0; i < 4; i++) {
      w[i] = weight_of(w[i], to);
    }
    total += (w[0] + w[1]) + (w[2] + w[3]);
    return split_pairs(make_float4(w[0], w[1], w[2], w[3]));
  }

  // Column n of sum tile i of a group of N tiles is column N · n + i of the group.
  template <int N>
  static inline void store(const c_fragment *from, int place, float *to) {
    for (int half = 0; half < 2; half++) {
      for (int i = 0; i < N; i++) {
        to[N * (2 * place + half) + i] = (from[i][half] + from[i][2 + half]) * UNIT;
      }
    }
  }

  inline void store(const attention_row &a, float *bases, float *totals, float *to) const {
    int lane = threadIdx.x % 32, head = lane / 4, place = lane % 4;
    float all = total;
    all += __shfl_xor_sync(0xffffffff, all, 1);
    all += __shfl_xor_sync(0xffffffff, all, 2);
    if (head >= a.heads) {
      return;
    }
    if (place == 0) {
      bases[head] = base;
      totals[head] = all;
    }
    to += head * VALUE_PART;
    for (int i = 0; i < VALUE_PART / 64; i++) {
      store<8>(sums + 8 * i, place, to + 64 * i);
    }
    if constexpr (VALUE_PART % 64 >= 32) {
      store<4>(sums + VALUE_PART / 64 * 8, place, to + VALUE_PART / 64 * 64);
    }
    if constexpr (VALUE_PART % 32 >= 16) {
      store<2>(sums + VALUE_PART / 32 * 4, place, to + VALUE_PART / 32 * 32);
    }
  }
};

#endif
