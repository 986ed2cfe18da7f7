/* cache_write: each row's keys and values stored under its sequence and position.
 * rope_cache_write: the same with keys turned, and the row's queries turned beside it (never in place).
 * Items: one a unit of 32 columns, a row's units side by side: keys first, then values, then queries.
 * Traffic: each column read and written once (a turned one read twice).
 * Invariants: a unit is a block of Q8_0, so that no two items share one. */

#include "cache_elements.h"

#define UNIT 32
#define UNITS(columns) (((columns) + UNIT - 1) / UNIT)

static inline void write_keys(const float *x, int from, int count, global uchar *row) {
#if defined(KEY_Q8_0)
  q8_0_store(x, row, from);
#else
  for (int i = 0; i < count; i++) {
    key_store(x[i], row, from + i);
  }
#endif
}

static inline void write_values(const float *x, int from, int count, global uchar *row) {
#if defined(VALUE_Q8_0)
  q8_0_store(x, row, from);
#else
  for (int i = 0; i < count; i++) {
    value_store(x[i], row, from + i);
  }
#endif
}

kernel void cache_write(global const float *k, global const float *v, global uchar *keys, global uchar *values,
                        global const int *positions, global const int *row_sequence, global const int *table_starts,
                        global const int *tables, global const int *counts, int which) {
  int unit = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || unit >= UNITS(KEY_COLUMNS) + UNITS(VALUE_COLUMNS)) {
    return;
  }
  size_t at = cache_row(table_starts, tables, row_sequence[row], positions[row]);
  float x[UNIT];
  if (unit < UNITS(KEY_COLUMNS)) {
    int from = unit * UNIT, count = min(UNIT, KEY_COLUMNS - from);
    for (int i = 0; i < count; i++) {
      x[i] = k[(size_t)row * KEY_COLUMNS + from + i];
    }
    write_keys(x, from, count, keys + at * KEY_ROW_BYTES(KEY_COLUMNS));
  } else {
    int from = (unit - UNITS(KEY_COLUMNS)) * UNIT, count = min(UNIT, VALUE_COLUMNS - from);
    for (int i = 0; i < count; i++) {
      x[i] = v[(size_t)row * VALUE_COLUMNS + from + i];
    }
    write_values(x, from, count, values + at * VALUE_ROW_BYTES(VALUE_COLUMNS));
  }
}

#if defined(ROTARY_WIDTH)
#include "rotation.h"

#define QUERY_COLUMNS (HEADS * HEAD_WIDTH)

kernel void rope_cache_write(global const float *q, global const float *k, global const float *v,
                             global const int *positions, global const float2 *angles, global const int *row_sequence,
                             global const int *table_starts, global const int *tables, global uchar *keys,
                             global uchar *values, global float *turned_q, global const int *counts, int which) {
  int unit = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || unit >= UNITS(KEY_COLUMNS) + UNITS(VALUE_COLUMNS) + UNITS(QUERY_COLUMNS)) {
    return;
  }
  int position = positions[row];
  size_t at = cache_row(table_starts, tables, row_sequence[row], position);
  float x[UNIT];
  if (unit < UNITS(KEY_COLUMNS)) {
    int from = unit * UNIT, count = min(UNIT, KEY_COLUMNS - from);
    for (int i = 0; i < count; i++) {
      int column = from + i;
      global const float *head = k + (size_t)row * KEY_COLUMNS + column / HEAD_WIDTH * HEAD_WIDTH;
      x[i] = turned(head, angles, position, column % HEAD_WIDTH);
    }
    write_keys(x, from, count, keys + at * KEY_ROW_BYTES(KEY_COLUMNS));
  } else if (unit < UNITS(KEY_COLUMNS) + UNITS(VALUE_COLUMNS)) {
    int from = (unit - UNITS(KEY_COLUMNS)) * UNIT, count = min(UNIT, VALUE_COLUMNS - from);
    for (int i = 0; i < count; i++) {
      x[i] = v[(size_t)row * VALUE_COLUMNS + from + i];
    }
    write_values(x, from, count, values + at * VALUE_ROW_BYTES(VALUE_COLUMNS));
  } else {
    int from = (unit - UNITS(KEY_COLUMNS) - UNITS(VALUE_COLUMNS)) * UNIT, count = min(UNIT, QUERY_COLUMNS - from);
    for (int i = 0; i < count; i++) {
      int column = from + i;
      global const float *head = q + (size_t)row * QUERY_COLUMNS + column / HEAD_WIDTH * HEAD_WIDTH;
      turned_q[(size_t)row * QUERY_COLUMNS + column] = turned(head, angles, position, column % HEAD_WIDTH);
    }
  }
}
#endif
