// Rows of a table of weights, decoded to float32: y[i] = table[ids[i]], i < counts[which].
//
// `table` begins at byte `at` of its buffer and holds rows first_row .. first_row + table_rows - 1 of the whole
// table; where a table lies in several buffers, each has its own launch, and ids outside are left to the others.
//
// Items: dimension 0 has one item per 16 columns, dimension 1 one per id (both may be rounded up).
// Memory traffic: the rows once, 4 COLUMNS bytes per id written.
// Defines: WEIGHT_* (weights.h), COLUMNS.

#include "weights.h"

static inline global const uchar *embedding_row(
    global const uchar *table, ulong at, int first_row, int table_rows, int id) {
  int row = id - first_row;
  return row >= 0 && row < table_rows ? table + at + (ulong)row * ROW_BYTES : 0;
}

kernel void embedding(
    global const int *ids,
    global const uchar *table,
    ulong at,
    int first_row,
    int table_rows,
    global float *y,
    global const int *counts,
    int which) {
  int column = (int)get_global_id(0) * 16;
  int i = (int)get_global_id(1);
  if (i >= counts[which] || column >= COLUMNS) {
    return;
  }
  global const uchar *row = embedding_row(table, at, first_row, table_rows, ids[i]);
  if (row == 0) {
    return;
  }
  global float *to = y + (ulong)i * COLUMNS;
  if (column + 16 <= COLUMNS) {
    vstore16(decode_16(row, column), 0, to + column);
  } else {
    for (int c = column; c < COLUMNS; c++) {
      to[c] = weight_at(row, c);
    }
  }
}
