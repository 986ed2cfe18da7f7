// attention: softmax(score(SCALE · q·kᵀ), masked) · v of each row over its own sequence's cached keys and values, for
// steps of many rows: a tile of TILE_ROWS rows with all the heads that share a KV head ("queries" below) passes once over
// the keys, TILE_KEYS at a time, with a running maximum (FlashAttention: Dao et al. 2022; grouped heads: Ainslie
// et al. 2023). attention_plain says the same plainly; attention_partial is for steps of few rows.
//
// Groups: dimension 0 has one for each KV head, dimension 1 one for each TILE_ROWS rows of the step, long contexts first.
// A tile that holds rows of several sequences does them one after the other.
// Items: KEY_LANES x QUERY_LANES. Item (a, b) computes the scores of queries b · QUERIES_PER_ITEM ... with KEY_VECTORS
// vectors of keys, and the sums of the same queries in every KEY_LANES-th vector of columns: products of registers,
// in both cases, with one vector and QUERIES_PER_ITEM single numbers read from local memory for each step.
// Defines: KEY_LANES, QUERY_LANES, QUERIES_PER_ITEM, KEY_VECTORS, VECTOR, TILE_ROWS, SUM_VECTORS (vectors of columns that
// an item sums at the same time; where private arrays should be registers, all of an item's: SUMS_PER_ITEM);
// QUERY_LANES · QUERIES_PER_ITEM is at least TILE_ROWS · HEADS / KV_HEADS.
// Traffic: keys and values between the mask's bounds once for each tile; q and y once.
// Local memory, in floats: QUERY_LANES · (KEY_WIDTH · QUERIES_PER_ITEM + 4) + TILE_QUERIES · TILE_KEYS + the larger of
// KEY_WIDTH · (TILE_KEYS + 4) and TILE_KEYS · VALUE_WIDTH + TILE_QUERIES · (KEY_LANES + 3); widths in whole vectors.
// Invariants: all bounds are the same for a whole group, so that every item reaches every barrier. A key's weight for a
// query that does not see it is zero, and what such a weight would multiply (it may be NaN) is left out.

#if KEY_LANES > 1
#define MANY_ITEMS
#endif
#include "attention_mask.h"
#include "cache_vectors.h"

#define TILE_QUERIES (QUERY_LANES * QUERIES_PER_ITEM)
#define TILE_KEYS (KEY_LANES * KEY_VECTORS * VECTOR)
#define ITEMS (KEY_LANES * QUERY_LANES)
// Four more than what is used, so that rows begin in different banks of local memory and still at multiples of 16 bytes.
#define QUERY_STRIDE (KEY_CHUNKS * VECTOR * QUERIES_PER_ITEM + 4)
#define KEY_STRIDE (TILE_KEYS + 4)
#define VALUE_STRIDE (VALUE_CHUNKS * VECTOR)
#define KEY_TILE_FLOATS (KEY_CHUNKS * VECTOR * KEY_STRIDE)
#define VALUE_TILE_FLOATS (TILE_KEYS * VALUE_STRIDE)
#define SUMS_PER_ITEM ((VALUE_CHUNKS + KEY_LANES - 1) / KEY_LANES)

#if ITEMS > 1
#define ALL_HERE barrier(CLK_LOCAL_MEM_FENCE)
#else
#define ALL_HERE
#endif

// sums += weights · values, for SUM_VECTORS vectors of columns from number `from` of this item's on.
#define ADD_VALUES(product)                                                                               \
  for (int from = 0; from < SUMS_PER_ITEM; from += SUM_VECTORS) {                                         \
    floats added[QUERIES_PER_ITEM][SUM_VECTORS];                                                          \
    _Pragma("unroll") for (int i = 0; i < QUERIES_PER_ITEM; i++) {                                        \
      _Pragma("unroll") for (int j = 0; j < SUM_VECTORS; j++) {                                           \
        added[i][j] = from + j < SUMS_PER_ITEM ? sums[from + j][i] * (floats)(factors[i]) : 0;            \
      }                                                                                                   \
    }                                                                                                     \
    for (int key = 0; key < TILE_KEYS; key++) {                                                           \
      floats value[SUM_VECTORS];                                                                          \
      _Pragma("unroll") for (int j = 0; j < SUM_VECTORS; j++) {                                           \
        int chunk = key_lane + (from + j) * KEY_LANES;                                                    \
        value[j] = chunk < VALUE_CHUNKS ? LOAD(cached + key * VALUE_STRIDE + chunk * VECTOR) : 0;         \
      }                                                                                                   \
      _Pragma("unroll") for (int i = 0; i < QUERIES_PER_ITEM; i++) {                                      \
        float weight = weights[(first_query + i) * TILE_KEYS + key];                                      \
        _Pragma("unroll") for (int j = 0; j < SUM_VECTORS; j++) {                                         \
          added[i][j] = product;                                                                          \
        }                                                                                                 \
      }                                                                                                   \
    }                                                                                                     \
    _Pragma("unroll") for (int i = 0; i < QUERIES_PER_ITEM; i++) {                                        \
      _Pragma("unroll") for (int j = 0; j < SUM_VECTORS; j++) {                                           \
        if (from + j < SUMS_PER_ITEM) {                                                                   \
          sums[from + j][i] = added[i][j];                                                                \
        }                                                                                                 \
      }                                                                                                   \
    }                                                                                                     \
  }

kernel __attribute__((reqd_work_group_size(KEY_LANES, QUERY_LANES, 1))) void attention(
    global const float *q, global const uchar *keys, global const uchar *values, global const int *positions,
    global const int *row_sequence, global const int *table_starts, global const int *tables,
    global const int *lengths, global const int *counts, int which, global float *y ATTENTION_WEIGHTS) {
  // Each item's queries side by side, column by column.
  local float queries[QUERY_LANES * QUERY_STRIDE];
  // A tile of keys, column by column, and then one of values, row by row.
  local float cached[KEY_TILE_FLOATS > VALUE_TILE_FLOATS ? KEY_TILE_FLOATS : VALUE_TILE_FLOATS];
  local float weights[TILE_QUERIES * TILE_KEYS];
  local float of_lanes[TILE_QUERIES * KEY_LANES];
  local int query_positions[TILE_QUERIES], first_keys[TILE_QUERIES], last_keys[TILE_QUERIES];

  int key_lane = get_local_id(0), first_query = get_local_id(1) * QUERIES_PER_ITEM;
  int item = get_local_id(1) * KEY_LANES + key_lane;
  int kv_head = get_group_id(0), tile = get_num_groups(1) - 1 - get_group_id(1);
  int tile_end = min(counts[which], (tile + 1) * TILE_ROWS);

  for (int row = tile * TILE_ROWS, row_end; row < tile_end; row = row_end) {
    int sequence = row_sequence[row], length = lengths[sequence];
    global const int *pages = tables + table_starts[sequence];
    // All rows of this sequence; the keys that any of them sees; those that all of them see.
    int2 any = (int2)(INT_MAX, -1), all = (int2)(0, INT_MAX);
    for (row_end = row; row_end < tile_end && row_sequence[row_end] == sequence; row_end++) {
      int2 range = keys_of(positions[row_end], length);
      any = range.x <= range.y ? (int2)(min(any.x, range.x), max(any.y, range.y)) : any;
      all = (int2)(max(all.x, range.x), min(all.y, range.y));
    }
    int query_count = (row_end - row) * GROUP;
    for (int i = item; i < TILE_QUERIES; i += ITEMS) {
      int position = positions[min(row + i / GROUP, row_end - 1)];
      int2 range = keys_of(position, length);
      query_positions[i] = position;
      first_keys[i] = range.x;
      last_keys[i] = range.y;
    }
    for (int i = item; i < TILE_QUERIES * KEY_WIDTH; i += ITEMS) {
      int query = i / KEY_WIDTH, column = i % KEY_WIDTH;
      size_t head = (size_t)(row + query / GROUP) * HEADS + kv_head * GROUP + query % GROUP;
      queries[query / QUERIES_PER_ITEM * QUERY_STRIDE + column * QUERIES_PER_ITEM + query % QUERIES_PER_ITEM] =
          query < query_count ? q[head * KEY_WIDTH + column] * SCALE : 0;
    }
    floats sums[SUMS_PER_ITEM][QUERIES_PER_ITEM];
    float maxima[QUERIES_PER_ITEM], totals[QUERIES_PER_ITEM];
    FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
      maxima[i] = -INFINITY;
      totals[i] = 0;
      FLATTENED for (int j = 0; j < SUMS_PER_ITEM; j++) {
        sums[j][i] = 0;
      }
    }

    for (int tile_key = any.x / TILE_KEYS * TILE_KEYS; tile_key <= any.y; tile_key += TILE_KEYS) {
#ifdef MASK_IS_INTERVAL
      bool all_seen = tile_key >= all.x && tile_key + TILE_KEYS - 1 <= all.y;
#else
      bool all_seen = false;
#endif
      for (int i = item; i < TILE_KEYS * KEY_CHUNKS; i += ITEMS) {
        int key = i / KEY_CHUNKS, chunk = i % KEY_CHUNKS;
        floats x = 0;
        if (tile_key + key >= any.x && tile_key + key <= any.y) {
          x = key_vector(keys + cache_row(pages, tile_key + key) * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH), kv_head, chunk);
        }
        FLATTENED for (int j = 0; j < VECTOR; j++) {
          cached[(chunk * VECTOR + j) * KEY_STRIDE + key] = ((float *)&x)[j];
        }
      }
      ALL_HERE;

      floats scores[QUERIES_PER_ITEM][KEY_VECTORS];
      {
        floats dots[QUERIES_PER_ITEM][KEY_VECTORS];
#pragma unroll
        for (int i = 0; i < QUERIES_PER_ITEM; i++) {
#pragma unroll
          for (int j = 0; j < KEY_VECTORS; j++) {
            dots[i][j] = 0;
          }
        }
        local const float *my_queries = queries + get_local_id(1) * QUERY_STRIDE;
        for (int column = 0; column < KEY_WIDTH; column++) {
          floats key[KEY_VECTORS];
#pragma unroll
          for (int j = 0; j < KEY_VECTORS; j++) {
            key[j] = LOAD(cached + column * KEY_STRIDE + (j * KEY_LANES + key_lane) * VECTOR);
          }
#pragma unroll
          for (int i = 0; i < QUERIES_PER_ITEM; i++) {
            floats query = (floats)(my_queries[column * QUERIES_PER_ITEM + i]);
#pragma unroll
            for (int j = 0; j < KEY_VECTORS; j++) {
              dots[i][j] = fma(query, key[j], dots[i][j]);
            }
          }
        }
#pragma unroll
        for (int i = 0; i < QUERIES_PER_ITEM; i++) {
#pragma unroll
          for (int j = 0; j < KEY_VECTORS; j++) {
            scores[i][j] = dots[i][j];
          }
        }
      }
      float tile_maxima[QUERIES_PER_ITEM];
      FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
        int query = first_query + i;
        long position = query_positions[query];
        floats most = -INFINITY;
        FLATTENED for (int j = 0; j < KEY_VECTORS; j++) {
          int first = tile_key + (j * KEY_LANES + key_lane) * VECTOR;
          float *score = (float *)&scores[i][j];
          FLATTENED for (int n = 0; n < VECTOR; n++) {
            score[n] = final_score(score[n], position, first + n, kv_head * GROUP + query % GROUP BIAS_ARGUMENT);
          }
          if (!all_seen) {
            FLATTENED for (int n = 0; n < VECTOR; n++) {
              bool seen = first + n >= first_keys[query] && first + n <= last_keys[query];
#ifndef MASK_IS_INTERVAL
              seen = seen && sees(position, first + n);
#endif
              score[n] = seen ? score[n] : -INFINITY;
            }
          }
          most = fmax(most, scores[i][j]);
        }
        tile_maxima[i] = MOST(most);
      }
#if KEY_LANES > 1
      FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
        of_lanes[(first_query + i) * KEY_LANES + key_lane] = tile_maxima[i];
      }
      ALL_HERE;
      FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
        for (int j = 0; j < KEY_LANES; j++) {
          tile_maxima[i] = fmax(tile_maxima[i], of_lanes[(first_query + i) * KEY_LANES + j]);
        }
      }
#endif
      float factors[QUERIES_PER_ITEM];
      FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
        float maximum = fmax(maxima[i], tile_maxima[i]);
        // Where nothing was seen yet all weights are zero, whatever is taken for the maximum.
        float base = maximum > -INFINITY ? maximum : 0;
        factors[i] = exp(maxima[i] - base);
        maxima[i] = maximum;
        floats total = 0;
        FLATTENED for (int j = 0; j < KEY_VECTORS; j++) {
          floats weight = exp(scores[i][j] - base);
          total += weight;
          STORE(weight, weights + (first_query + i) * TILE_KEYS + (j * KEY_LANES + key_lane) * VECTOR);
        }
        totals[i] = fma(totals[i], factors[i], SUM(total));
      }
#if KEY_LANES == 1
      ALL_HERE;
#endif
      // All scores are computed: values take the place of keys.
      for (int i = item; i < TILE_KEYS * VALUE_CHUNKS; i += ITEMS) {
        int key = i / VALUE_CHUNKS, chunk = i % VALUE_CHUNKS;
        floats x = 0;
        if (tile_key + key >= any.x && tile_key + key <= any.y) {
          x = value_vector(values + cache_row(pages, tile_key + key) * VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH), kv_head,
                           chunk);
        }
        STORE(x, cached + key * VALUE_STRIDE + chunk * VECTOR);
      }
      ALL_HERE;
      if (all_seen) {
        ADD_VALUES(fma((floats)(weight), value[j], added[i][j]))
      } else {
        ADD_VALUES(weight != 0 ? fma((floats)(weight), value[j], added[i][j]) : added[i][j])
      }
      ALL_HERE;
    }

#if KEY_LANES > 1
    FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
      of_lanes[(first_query + i) * KEY_LANES + key_lane] = totals[i];
    }
    ALL_HERE;
    FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
      totals[i] = 0;
      for (int j = 0; j < KEY_LANES; j++) {
        totals[i] += of_lanes[(first_query + i) * KEY_LANES + j];
      }
    }
#endif
    FLATTENED for (int i = 0; i < QUERIES_PER_ITEM; i++) {
      int query = first_query + i;
      size_t head = (size_t)(row + query / GROUP) * HEADS + kv_head * GROUP + query % GROUP;
      float inverse = maxima[i] > -INFINITY ? 1 / WITH_SINK(totals[i], maxima[i], kv_head * GROUP + query % GROUP) : 0;
      FLATTENED for (int j = 0; j < SUMS_PER_ITEM; j++) {
        int column = (key_lane + j * KEY_LANES) * VECTOR;
        floats result = sums[j][i] * (floats)(inverse);
        if (query < query_count && column < VALUE_WIDTH) {
#if VALUE_WIDTH % VECTOR == 0
          STORE(result, y + head * VALUE_WIDTH + column);
#else
          FLATTENED for (int n = 0; n < VECTOR; n++) {
            if (column + n < VALUE_WIDTH) {
              y[head * VALUE_WIDTH + column + n] = ((float *)&result)[n];
            }
          }
#endif
        }
      }
    }
    ALL_HERE;
  }
}
