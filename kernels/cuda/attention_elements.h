// A warp's attention to tiles of keys in any cache, in float32.
// Eight lanes share a key and read its columns side by side; for the softmax a lane has a key; for the sums lanes have the columns of
// VALUE_PART, CHUNK of them each at a time.
// Invariants: as attention_split's.

#ifndef ATTENTION_ELEMENTS_H
#define ATTENTION_ELEMENTS_H

#include "attention_row.h"

#define TILE 32
#define KEY_LANES 8

#if KEY_WIDTH % 4 == 0
#define KEY_CHUNK 4
#else
#define KEY_CHUNK 1
#endif
#if VALUE_WIDTH % 4 == 0 && VALUE_PART % 4 == 0
#define VALUE_CHUNK 4
#else
#define VALUE_CHUNK 1
#endif

#define KEY_CHUNKS (KEY_WIDTH / KEY_CHUNK)
#define CHUNKS_OF_LANE ((VALUE_PART / VALUE_CHUNK + 31) / 32)

static inline float4 floats_of(uint2 halves, float (*number)(const uchar *, int)) {
  const uchar *bytes = (const uchar *)&halves;
  return make_float4(number(bytes, 0), number(bytes, 1), number(bytes, 2), number(bytes, 3));
}

static inline float4 four_f32(const uchar *row, int column) { return *(const float4 *)(row + 4 * column); }

static inline float4 four_f16(const uchar *row, int column) {
  return floats_of(*(const uint2 *)(row + 2 * column), element_f16);
}

static inline float4 four_bf16(const uchar *row, int column) {
  return floats_of(*(const uint2 *)(row + 2 * column), element_bf16);
}

static inline float4 four_f8_e4m3(const uchar *row, int column) {
  uint word = *(const uint *)(row + column);
  uint2 halves = make_uint2(halves_of_neighbours(word, 0), halves_of_neighbours(word, 2));
  float4 x = floats_of(halves, element_f16);
  return make_float4(x.x * EIGHT_BIT_UNIT, x.y * EIGHT_BIT_UNIT, x.z * EIGHT_BIT_UNIT, x.w * EIGHT_BIT_UNIT);
}

// Of one block, which begins at an even address.
static inline float4 four_q8_0(const uchar *row, int column) {
  const ushort *block = (const ushort *)(row + column / Q8_0_ELEMENTS * Q8_0_BYTES);
  int at = 1 + column % Q8_0_ELEMENTS / 2;
  uint low = block[at], high = block[at + 1];
  float d = vload_half(0, block);
  return make_float4(d * (float)(signed char)low, d * (float)(signed char)(low >> 8), d * (float)(signed char)high,
                     d * (float)(signed char)(high >> 8));
}

#if defined(KEY_F32)
#define four_of_key four_f32
#elif defined(KEY_F16)
#define four_of_key four_f16
#elif defined(KEY_BF16)
#define four_of_key four_bf16
#elif defined(KEY_F8_E4M3)
#define four_of_key four_f8_e4m3
#else
#define four_of_key four_q8_0
#endif

#if defined(VALUE_F32)
#define four_of_value four_f32
#elif defined(VALUE_F16)
#define four_of_value four_f16
#elif defined(VALUE_BF16)
#define four_of_value four_bf16
#elif defined(VALUE_F8_E4M3)
#define four_of_value four_f8_e4m3
#else
#define four_of_value four_q8_0
#endif

static inline void load_key(const uchar *row, int column, float (&x)[KEY_CHUNK]) {
#if KEY_CHUNK == 4
  *(float4 *)x = four_of_key(row, column);
#else
  x[0] = key_element(row, column);
#endif
}

static inline void load_value(const uchar *row, int column, float (&x)[VALUE_CHUNK]) {
#if VALUE_CHUNK == 4
  *(float4 *)x = four_of_value(row, column);
#else
  x[0] = value_element(row, column);
#endif
}

struct warp_attention {
  float *queries;
  // Of this warp: scores, then weights, of each head for the tile's keys.
  float *weights;
  float base[HEADS_AT_ONCE], total[HEADS_AT_ONCE];
  float sums[HEADS_AT_ONCE][CHUNKS_OF_LANE][VALUE_CHUNK];

  inline void prepare(const attention_row &a, const float *q) {
    __shared__ float4 all_queries[(HEADS_AT_ONCE * KEY_WIDTH + 3) / 4];
    __shared__ float all_weights[WARPS][HEADS_AT_ONCE * TILE];
    queries = (float *)all_queries;
    weights = all_weights[threadIdx.x / 32];
    for (int i = threadIdx.x; i < a.heads * KEY_WIDTH; i += 32 * WARPS) {
      queries[i] = q[i];
    }
    for (int i = a.heads * KEY_WIDTH + threadIdx.x; i < HEADS_AT_ONCE * KEY_WIDTH; i += 32 * WARPS) {
      queries[i] = 0;
    }
    __syncthreads();
  }

  inline void start(const attention_row &a, int tile, int end, int missing) {}

  // This tile and those that follow WARPS apart, up to `end`.
  inline void attend(const attention_row &a, int tile, int end) {
    for (int head = 0; head < HEADS_AT_ONCE; head++) {
      base[head] = NOTHING;
      total[head] = 0;
      for (int i = 0; i < CHUNKS_OF_LANE; i++) {
        for (int j = 0; j < VALUE_CHUNK; j++) {
          sums[head][i][j] = 0;
        }
      }
    }
    for (; tile < end; tile += WARPS) {
      int page = a.pages[tile * TILE / PAGE_TOKENS];
      score_keys(a, tile * TILE, page);
      __syncwarp();
      uint seen = weigh_keys(a, tile * TILE);
      __syncwarp();
      add_values(a, tile * TILE, page, seen);
      __syncwarp();
    }
  }

  inline void score_keys(const attention_row &a, int first, int page) {
    int lane = threadIdx.x % 32;
#pragma unroll 4
    for (int from = 0; from < TILE; from += 32 / KEY_LANES) {
      int key = first + from + lane / KEY_LANES;
      float dots[HEADS_AT_ONCE];
      for (int head = 0; head < HEADS_AT_ONCE; head++) {
        dots[head] = 0;
      }
      if (a.is_seen(key)) {
        const uchar *row = a.key_row(page, key);
        for (int chunk = lane % KEY_LANES; chunk < KEY_CHUNKS; chunk += KEY_LANES) {
          alignas(16) float x[KEY_CHUNK];
          load_key(row, a.kv_head * KEY_WIDTH + chunk * KEY_CHUNK, x);
          for (int head = 0; head < HEADS_AT_ONCE; head++) {
            for (int i = 0; i < KEY_CHUNK; i++) {
              dots[head] = fma(queries[head * KEY_WIDTH + chunk * KEY_CHUNK + i], x[i], dots[head]);
            }
          }
        }
      }
      for (int head = 0; head < HEADS_AT_ONCE; head++) {
        for (int distance = KEY_LANES / 2; distance > 0; distance /= 2) {
          dots[head] += __shfl_xor_sync(0xffffffff, dots[head], distance);
        }
        if (lane % KEY_LANES == 0) {
          weights[head * TILE + from + lane / KEY_LANES] = dots[head];
        }
      }
    }
  }

  // Scores become weights; whether each of the keys is seen.
  inline uint weigh_keys(const attention_row &a, int first) {
    int lane = threadIdx.x % 32;
    for (int head = 0; head < HEADS_AT_ONCE; head++) {
      float score = a.score(weights[head * TILE + lane], first + lane, a.first_head + head), most = score;
      for (int distance = 16; distance > 0; distance /= 2) {
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, distance));
      }
      float to = fmaxf(base[head], base_of(most)), factor = factor_between(base[head], to);
      base[head] = to;
      float weight = weight_of(score, to);
      weights[head * TILE + lane] = weight;
      total[head] = fma(total[head], factor, weight);
      for (int i = 0; i < CHUNKS_OF_LANE; i++) {
        for (int j = 0; j < VALUE_CHUNK; j++) {
          sums[head][i][j] *= factor;
        }
      }
    }
    return __ballot_sync(0xffffffff, a.is_seen(first + lane));
  }

  inline void add_values(const attention_row &a, int first, int page, uint seen) {
    int lane = threadIdx.x % 32;
#pragma unroll 4
    for (int key = 0; key < TILE; key++) {
      if (seen >> key & 1) {
        const uchar *row = a.value_row(page, first + key);
        for (int i = 0; i < CHUNKS_OF_LANE; i++) {
          int column = (lane + 32 * i) * VALUE_CHUNK;
          if (column < VALUE_PART && a.first_column + column < VALUE_WIDTH) {
            alignas(16) float x[VALUE_CHUNK];
            load_value(row, a.kv_head * VALUE_WIDTH + a.first_column + column, x);
            for (int head = 0; head < HEADS_AT_ONCE; head++) {
              float weight = weights[head * TILE + key];
              for (int j = 0; j < VALUE_CHUNK; j++) {
                sums[head][i][j] = fma(weight, x[j], sums[head][i][j]);
              }
            }
          }
        }
      }
    }
  }

  inline void store(const attention_row &a, float *bases, float *totals, float *to) const {
    int lane = threadIdx.x % 32;
    for (int head = 0; head < HEADS_AT_ONCE; head++) {
      float all = total[head];
      for (int distance = 16; distance > 0; distance /= 2) {
        all += __shfl_xor_sync(0xffffffff, all, distance);
      }
      if (lane == 0) {
        bases[head] = base[head];
        totals[head] = all;
      }
      for (int i = 0; i < CHUNKS_OF_LANE; i++) {
        int column = (lane + 32 * i) * VALUE_CHUNK;
        if (column < VALUE_PART) {
          for (int j = 0; j < VALUE_CHUNK; j++) {
            to[head * VALUE_PART + column + j] = sums[head][i][j];
          }
        }
      }
    }
  }
};

#endif
