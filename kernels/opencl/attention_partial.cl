// attention_partial: attention of steps of few rows. Each row's keys are divided among SPLITS groups, and attention_combine
// puts the results together (Flash-Decoding: Dao et al. 2023). Where SPLITS is 1 y is the result itself and nothing is to
// be combined. The grid does not depend on the length of a context. attention_plain says plainly what comes out.
//
// Groups: dimension 0 has one for each split, dimension 1 one for each KV head, dimension 2 one for each row. The heads that
// share a KV head are computed together, so that keys and values are read once.
// Items: ITEMS in dimension 0. A pass over BLOCK keys: KEY_LANES items share a key and read its columns side by side;
// then items share scores by vectors of keys; then VALUE_LANES items read a value's columns side by side, and
// ITEMS / VALUE_LANES of such teams divide the keys.
// Defines: ITEMS, BLOCK (a multiple of VECTOR), KEY_LANES and VALUE_LANES (at most ITEMS), VECTOR, SPLITS, SUM_VECTORS
// (vectors of columns that an item sums at the same time; where private arrays should be registers, all of an item's:
// SUMS_PER_ITEM).
// Traffic: keys and values between the mask's bounds once a row. Bound by memory.
// Local memory, in floats: GROUP · (KEY_WIDTH + BLOCK · (KEY_LANES + 1) + ITEMS) + ITEMS / VALUE_LANES · VALUE_WIDTH; widths in
// whole vectors.
// Partial results, in floats: for each row, head and split VALUE_WIDTH sums, the maximum and the total.
// Invariants: all bounds are the same for a whole group, so that every item reaches every barrier. A value that its mask
// hides is not read.

#if ITEMS > 1
#define MANY_ITEMS
#endif
#include "attention_mask.h"
#include "cache_vectors.h"

#define PARTIAL_FLOATS (VALUE_WIDTH + 2)
#define KEY_TEAMS (ITEMS / KEY_LANES)
#define VALUE_TEAMS (ITEMS / VALUE_LANES)
#define BLOCK_VECTORS (BLOCK / VECTOR)
#define SCORE_ITEMS (ITEMS < BLOCK_VECTORS ? ITEMS : BLOCK_VECTORS)
#define SUMS_PER_ITEM ((VALUE_CHUNKS + VALUE_LANES - 1) / VALUE_LANES)

#if ITEMS > 1
#define ALL_HERE barrier(CLK_LOCAL_MEM_FENCE)
#else
#define ALL_HERE
#endif

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void attention_partial(
    global const float *q, global const uchar *keys, global const uchar *values, global const int *positions,
    global const int *row_sequence, global const int *table_starts, global const int *tables,
    global const int *lengths, global const int *counts, int which, global float *y ATTENTION_WEIGHTS) {
  local float queries[GROUP * KEY_CHUNKS * VECTOR];
  local float dots[GROUP * BLOCK * KEY_LANES];
  local float weights[GROUP * BLOCK];
  local float of_items[GROUP * SCORE_ITEMS];
  local float team_sums[VALUE_TEAMS * VALUE_CHUNKS * VECTOR];

  int item = get_local_id(0), split = get_group_id(0), kv_head = get_group_id(1), row = get_group_id(2);
  if (row >= counts[which]) {
    return;
  }
  int sequence = row_sequence[row];
  global const int *pages = tables + table_starts[sequence];
  long position = positions[row];
  int2 range = keys_of(position, lengths[sequence]);
#if SPLITS > 1
  long passes = range.y < range.x ? 0 : (range.y - range.x) / BLOCK + 1;
  int first = range.x + (int)(passes * split / SPLITS) * BLOCK;
  range.y = (int)min((long)range.y, range.x + passes * (split + 1) / SPLITS * BLOCK - 1);
  range.x = first;
#endif
  size_t first_head = (size_t)row * HEADS + kv_head * GROUP;
  for (int i = item; i < GROUP * KEY_CHUNKS * VECTOR; i += ITEMS) {
    int head = i / (KEY_CHUNKS * VECTOR), column = i % (KEY_CHUNKS * VECTOR);
    queries[i] = column < KEY_WIDTH ? q[(first_head + head) * KEY_WIDTH + column] * SCALE : 0;
  }
  floats sums[SUMS_PER_ITEM][GROUP], totals[GROUP];
  float maxima[GROUP];
  FLATTENED for (int head = 0; head < GROUP; head++) {
    maxima[head] = -INFINITY;
    totals[head] = 0;
    FLATTENED for (int j = 0; j < SUMS_PER_ITEM; j++) {
      sums[j][head] = 0;
    }
  }
  ALL_HERE;

  int key_lane = item % KEY_LANES, key_team = item / KEY_LANES;
  int value_lane = item % VALUE_LANES, value_team = item / VALUE_LANES;
  for (int block = range.x; block <= range.y; block += BLOCK) {
    int count = min(BLOCK, range.y - block + 1);
    for (int key = key_team; key < count && key_team < KEY_TEAMS; key += KEY_TEAMS) {
      global const uchar *key_row = keys + cache_row(pages, block + key) * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH);
      floats products[GROUP];
#pragma unroll
      for (int head = 0; head < GROUP; head++) {
        products[head] = 0;
      }
      for (int chunk = key_lane; chunk < KEY_CHUNKS; chunk += KEY_LANES) {
        floats x = key_vector(key_row, kv_head, chunk);
#pragma unroll
        for (int head = 0; head < GROUP; head++) {
          products[head] = fma(LOAD(queries + (head * KEY_CHUNKS + chunk) * VECTOR), x, products[head]);
        }
      }
#pragma unroll
      for (int head = 0; head < GROUP; head++) {
        dots[(key_lane * GROUP + head) * BLOCK + key] = SUM(products[head]);
      }
    }
    ALL_HERE;
    for (int head = 0; head < GROUP && item < SCORE_ITEMS; head++) {
      floats most = -INFINITY;
      for (int i = item; i < BLOCK_VECTORS; i += SCORE_ITEMS) {
        floats scores = LOAD(dots + head * BLOCK + i * VECTOR);
        for (int lane = 1; lane < KEY_LANES; lane++) {
          scores += LOAD(dots + (lane * GROUP + head) * BLOCK + i * VECTOR);
        }
        FLATTENED for (int n = 0; n < VECTOR; n++) {
          int key = i * VECTOR + n;
          float *score = (float *)&scores + n;
          bool seen = key < count;
#ifndef MASK_IS_INTERVAL
          seen = seen && sees(position, block + key);
#endif
          *score = seen ? final_score(*score, position, block + key, kv_head * GROUP + head BIAS_ARGUMENT) : -INFINITY;
        }
        STORE(scores, weights + head * BLOCK + i * VECTOR);
        most = fmax(most, scores);
      }
      of_items[head * SCORE_ITEMS + item] = MOST(most);
    }
    ALL_HERE;
    float factors[GROUP];
    FLATTENED for (int head = 0; head < GROUP; head++) {
      float maximum = maxima[head];
      for (int i = 0; i < SCORE_ITEMS; i++) {
        maximum = fmax(maximum, of_items[head * SCORE_ITEMS + i]);
      }
      // Where nothing was seen yet all weights are zero, whatever is taken for the maximum.
      float base = maximum > -INFINITY ? maximum : 0;
      factors[head] = exp(maxima[head] - base);
      maxima[head] = maximum;
      totals[head] *= (floats)(factors[head]);
      for (int i = item; i < BLOCK_VECTORS; i += ITEMS) {
        floats weight = exp(LOAD(weights + head * BLOCK + i * VECTOR) - base);
        totals[head] += weight;
        STORE(weight, weights + head * BLOCK + i * VECTOR);
      }
    }
    ALL_HERE;
    for (int from = 0; from < SUMS_PER_ITEM && value_team < VALUE_TEAMS; from += SUM_VECTORS) {
      floats added[SUM_VECTORS][GROUP];
#pragma unroll
      for (int j = 0; j < SUM_VECTORS; j++) {
#pragma unroll
        for (int head = 0; head < GROUP; head++) {
          added[j][head] = from + j < SUMS_PER_ITEM ? sums[from + j][head] * (floats)(factors[head]) : 0;
        }
      }
      for (int key = value_team; key < count; key += VALUE_TEAMS) {
#ifndef MASK_IS_INTERVAL
        if (!sees(position, block + key)) {
          continue;
        }
#endif
        global const uchar *value_row = values + cache_row(pages, block + key) * VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH);
#pragma unroll
        for (int j = 0; j < SUM_VECTORS; j++) {
          int chunk = value_lane + (from + j) * VALUE_LANES;
          if (chunk < VALUE_CHUNKS) {
            floats x = value_vector(value_row, kv_head, chunk);
#pragma unroll
            for (int head = 0; head < GROUP; head++) {
              added[j][head] = fma((floats)(weights[head * BLOCK + key]), x, added[j][head]);
            }
          }
        }
      }
#pragma unroll
      for (int j = 0; j < SUM_VECTORS; j++) {
#pragma unroll
        for (int head = 0; head < GROUP; head++) {
          if (from + j < SUMS_PER_ITEM) {
            sums[from + j][head] = added[j][head];
          }
        }
      }
    }
  }

#pragma unroll
  for (int head = 0; head < GROUP; head++) {
    if (item < SCORE_ITEMS) {
      of_items[head * SCORE_ITEMS + item] = SUM(totals[head]);
    }
  }
  // All teams' sums together, head by head.
#pragma unroll
  for (int head = 0; head < GROUP; head++) {
#pragma unroll
    for (int j = 0; j < SUMS_PER_ITEM; j++) {
      int chunk = value_lane + j * VALUE_LANES;
      if (value_team < VALUE_TEAMS && chunk < VALUE_CHUNKS) {
        STORE(sums[j][head], team_sums + (value_team * VALUE_CHUNKS + chunk) * VECTOR);
      }
    }
    ALL_HERE;
    float total = 0;
    for (int i = 0; i < SCORE_ITEMS; i++) {
      total += of_items[head * SCORE_ITEMS + i];
    }
#if SPLITS > 1
    global float *target = y + ((first_head + head) * SPLITS + split) * PARTIAL_FLOATS;
    if (item == 0) {
      target[VALUE_WIDTH] = maxima[head];
      target[VALUE_WIDTH + 1] = total;
    }
    float factor = 1;
#else
    global float *target = y + (first_head + head) * VALUE_WIDTH;
    float factor = maxima[head] > -INFINITY ? 1 / WITH_SINK(total, maxima[head], kv_head * GROUP + head) : 0;
#endif
    for (int column = item; column < VALUE_WIDTH; column += ITEMS) {
      float sum = team_sums[column];
      for (int team = 1; team < VALUE_TEAMS; team++) {
        sum += team_sums[team * VALUE_CHUNKS * VECTOR + column];
      }
      target[column] = sum * factor;
    }
    ALL_HERE;
  }
}

// attention_combine: puts the splits' results together.
// Items: dimension 0 one a column of each head (HEADS · VALUE_WIDTH), dimension 1 one a row; any work-group.
// Traffic: partial results once.
#if SPLITS > 1
kernel void attention_combine(global const float *partials, global float *y ATTENTION_WEIGHTS, global const int *counts,
                              int which) {
  int item = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || item >= HEADS * VALUE_WIDTH) {
    return;
  }
  int column = item % VALUE_WIDTH;
  partials += ((size_t)row * HEADS + item / VALUE_WIDTH) * SPLITS * PARTIAL_FLOATS;
  float maximum = -INFINITY;
  for (int split = 0; split < SPLITS; split++) {
    maximum = fmax(maximum, partials[split * PARTIAL_FLOATS + VALUE_WIDTH]);
  }
  float sum = 0, total = 0;
  for (int split = 0; split < SPLITS; split++) {
    global const float *partial = partials + split * PARTIAL_FLOATS;
    if (partial[VALUE_WIDTH] > -INFINITY) {
      float factor = exp(partial[VALUE_WIDTH] - maximum);
      sum = fma(partial[column], factor, sum);
      total = fma(partial[VALUE_WIDTH + 1], factor, total);
    }
  }
  total = WITH_SINK(total, maximum, item / VALUE_WIDTH);
  y[(size_t)row * HEADS * VALUE_WIDTH + item] = maximum > -INFINITY ? sum / total : 0;
}
#endif
