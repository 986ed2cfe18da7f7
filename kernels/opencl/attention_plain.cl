/* attention_plain: softmax(score(SCALE · q·kᵀ), masked) · v of each row over its own sequence's cached keys and values.
 * Items: one a row and head, which goes through the keys twice: once for the largest score, once for the sum.
 * Invariants: keys that the mask hides are never read as numbers; a row that sees none yields zeros.
 * Source: Vaswani et al. 2017; Ainslie et al. 2023. */

#include "cache_elements.h"

static inline float score_of(global const float *q, global const uchar *key_row, int kv_head, int query, int key,
                             int head) {
  float dot_product = 0;
  for (int i = 0; i < KEY_WIDTH; i++) {
    dot_product = fma(q[i], key_element(key_row, kv_head * KEY_WIDTH + i), dot_product);
  }
  float score = dot_product * SCALE;
  return SCORE(score, query, key, head);
}

kernel void attention_plain(global const float *q, global const uchar *keys, global const uchar *values,
                            global const int *positions, global const int *row_sequence,
                            global const int *table_starts, global const int *tables, global const int *lengths,
                            global const int *counts, int which, global float *y) {
  size_t item = get_global_id(0);
  if (item >= (size_t)counts[which] * HEADS) {
    return;
  }
  int row = item / HEADS, head = item % HEADS, kv_head = head * KV_HEADS / HEADS;
  int sequence = row_sequence[row];
  long query = positions[row];
  int first = (int)clamp((long)(FIRST_KEY(query)), (long)0, (long)lengths[sequence]);
  int last = (int)clamp((long)(LAST_KEY(query)), (long)-1, (long)lengths[sequence] - 1);
  q += item * KEY_WIDTH;
  y += item * VALUE_WIDTH;
  float sums[VALUE_WIDTH];
  for (int i = 0; i < VALUE_WIDTH; i++) {
    sums[i] = 0;
  }
  float most = -INFINITY;
  for (long key = first; key <= last; key++) {
    if (SEES(query, key)) {
      size_t at = cache_row(table_starts, tables, sequence, (int)key);
      most = fmax(most, score_of(q, keys + at * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH), kv_head, query, key, head));
    }
  }
  float total = 0;
  for (long key = first; key <= last; key++) {
    if (SEES(query, key)) {
      size_t at = cache_row(table_starts, tables, sequence, (int)key);
      global const uchar *value_row = values + at * VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH);
      float weight =
          exp(score_of(q, keys + at * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH), kv_head, query, key, head) - most);
      total += weight;
      for (int i = 0; i < VALUE_WIDTH; i++) {
        sums[i] = fma(weight, value_element(value_row, kv_head * VALUE_WIDTH + i), sums[i]);
      }
    }
  }
  for (int i = 0; i < VALUE_WIDTH; i++) {
    y[i] = total > 0 ? sums[i] / total : 0;
  }
}
