// cache_write: stores each row's keys and values under its sequence and position, in the cache's element types.
// rope_cache_write: the same with keys turned, and the row's queries turned beside it: rope, rope and cache_write in
// one launch.
//
// Items: dimension 1 one a row; dimension 0 that row's work side by side, (queries,) keys, then values. One is VECTOR
// elements, VECTOR pairs of a head (see rotation.h), or, in Q8_0, a block, so that no two items share a scale.
// Global size of dimension 0, rounded up to any work-group:
//   cache_write       KEY_ITEMS + VALUE_ITEMS
//   rope_cache_write  HEADS · TURNS + TURNED_KEY_ITEMS + VALUE_ITEMS
// where KEY_ITEMS is KEY_COLUMNS / VECTOR (Q8_0: / 32), VALUE_ITEMS the same of VALUE_COLUMNS, TURNS is
// (HEAD_WIDTH - ROTARY_WIDTH / 2) / VECTOR, and TURNED_KEY_ITEMS is KEY_COLUMNS / HEAD_WIDTH · TURNS (Q8_0: KEY_COLUMNS
// / 32).
// Traffic: each number is read and written once (turned keys for Q8_0 are read twice, from the processor's caches).
// Invariants: turned_q is not q; VECTOR (1 if not defined) divides the columns of what is not Q8_0; in Q8_0 columns are
// whole blocks. With VECTOR 1 these are plain: there are no other versions.

#include "dialect.h"

#ifndef VECTOR
#define VECTOR 1
#endif

#include "cache_elements.h"

#ifdef KEY_Q8_0
#define KEY_ITEMS (KEY_COLUMNS / Q8_0_ELEMENTS)
#else
#define KEY_ITEMS (KEY_COLUMNS / VECTOR)
#endif
#ifdef VALUE_Q8_0
#define VALUE_ITEMS (VALUE_COLUMNS / Q8_0_ELEMENTS)
#else
#define VALUE_ITEMS (VALUE_COLUMNS / VECTOR)
#endif

static inline void write_values(int item, GLOBAL const float *v, GLOBAL uchar *row) {
#ifdef VALUE_Q8_0
  float x[Q8_0_ELEMENTS];
  for (int i = 0; i < Q8_0_ELEMENTS; i++) {
    x[i] = v[item * Q8_0_ELEMENTS + i];
  }
  store_q8_0(x, row + (size_t)item * Q8_0_BYTES);
#else
  for (int i = item * VECTOR; i < (item + 1) * VECTOR; i++) {
    value_store(v[i], row, i);
  }
#endif
}

kernel void cache_write(GLOBAL const float *k, GLOBAL const float *v, GLOBAL uchar *keys, GLOBAL uchar *values,
                        GLOBAL const int *positions, GLOBAL const int *row_sequence, GLOBAL const int *table_starts,
                        GLOBAL const int *tables, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  int item = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || item >= KEY_ITEMS + VALUE_ITEMS) {
    return;
  }
  size_t target = cache_row(tables + table_starts[row_sequence[row]], positions[row]);
  k += (size_t)row * KEY_COLUMNS;
  v += (size_t)row * VALUE_COLUMNS;
  keys += target * KEY_ROW_BYTES(KEY_COLUMNS);
  values += target * VALUE_ROW_BYTES(VALUE_COLUMNS);
  if (item < KEY_ITEMS) {
#ifdef KEY_Q8_0
    float x[Q8_0_ELEMENTS];
    for (int i = 0; i < Q8_0_ELEMENTS; i++) {
      x[i] = k[item * Q8_0_ELEMENTS + i];
    }
    store_q8_0(x, keys + (size_t)item * Q8_0_BYTES);
#else
    for (int i = item * VECTOR; i < (item + 1) * VECTOR; i++) {
      key_store(k[i], keys, i);
    }
#endif
  } else {
    write_values(item - KEY_ITEMS, v, values);
  }
}

#ifdef ROTARY_WIDTH
#include "rotation.h"

#define QUERY_ITEMS (HEADS * TURNS)
#ifdef KEY_Q8_0
#define TURNED_KEY_ITEMS KEY_ITEMS
#else
#define TURNED_KEY_ITEMS (KEY_COLUMNS / HEAD_WIDTH * TURNS)
#endif

kernel void rope_cache_write(GLOBAL const float *q, GLOBAL const float *k, GLOBAL const float *v,
                             GLOBAL const int *positions, GLOBAL const float2 *angles, GLOBAL const int *row_sequence,
                             GLOBAL const int *table_starts, GLOBAL const int *tables, GLOBAL uchar *keys,
                             GLOBAL uchar *values, GLOBAL float *turned_q, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  int item = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || item >= QUERY_ITEMS + TURNED_KEY_ITEMS + VALUE_ITEMS) {
    return;
  }
  int position = positions[row];
  if (item < QUERY_ITEMS) {
    size_t head = ((size_t)row * HEADS + item / TURNS) * HEAD_WIDTH;
    turn_head(q + head, angles, position, item % TURNS, turned_q + head);
    return;
  }
  item -= QUERY_ITEMS;
  size_t target = cache_row(tables + table_starts[row_sequence[row]], position);
  if (item < TURNED_KEY_ITEMS) {
    k += (size_t)row * KEY_COLUMNS;
    keys += target * KEY_ROW_BYTES(KEY_COLUMNS);
#ifdef KEY_Q8_0
    float x[Q8_0_ELEMENTS];
    for (int i = 0; i < Q8_0_ELEMENTS; i++) {
      int column = item * Q8_0_ELEMENTS + i, of_head = column % HEAD_WIDTH;
      x[i] = turned_column(k + (column - of_head), angles, position, of_head);
    }
    store_q8_0(x, keys + (size_t)item * Q8_0_BYTES);
#else
    int turn = item % TURNS, head = item / TURNS * HEAD_WIDTH;
    if (turn < PAIR_VECTORS) {
      pairs turned = turned_pairs(k + head, angles, position, turn * VECTOR);
#pragma unroll
      for (int i = 0; i < VECTOR; i++) {
        key_store(((float *)&turned.first)[i], keys, head + FIRST_COLUMN(turn * VECTOR + i));
        key_store(((float *)&turned.second)[i], keys, head + SECOND_COLUMN(turn * VECTOR + i));
      }
    } else {
      int column = head + COPIED_COLUMN(turn);
      for (int i = column; i < column + VECTOR; i++) {
        key_store(k[i], keys, i);
      }
    }
#endif
  } else {
    write_values(item - TURNED_KEY_ITEMS, v + (size_t)row * VALUE_COLUMNS,
                 values + target * VALUE_ROW_BYTES(VALUE_COLUMNS));
  }
}
#endif
