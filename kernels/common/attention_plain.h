// attention_plain: softmax(score(SCALE · q·kᵀ), masked) · v of each row over its own sequence's cached keys and values
// (Vaswani et al. 2017); head h reads KV head h · KV_HEADS / HEADS (Ainslie et al. 2023).
// Items: dimension 0 one a head, dimension 1 one a row; each passes once over its keys for the largest score and
// once for the sums, so scores are computed twice.
// Invariants: a key that the mask hides is not read; a row that sees none yields zeros.

#include "dialect.h"
#include "attention_mask.h"
#include "cache_elements.h"

static inline float score_of(GLOBAL const float *q, GLOBAL const uchar *key_row, int kv_head, long query, long key,
                             int head BIAS_PARAMETER) {
  float dot_product = 0;
  for (int i = 0; i < KEY_WIDTH; i++) {
    dot_product = fma(q[i], key_element(key_row, kv_head * KEY_WIDTH + i), dot_product);
  }
  return final_score(dot_product * SCALE, query, key, head BIAS_ARGUMENT);
}

kernel void attention_plain(GLOBAL const float *q, GLOBAL const uchar *keys, GLOBAL const uchar *values,
                            GLOBAL const int *positions, GLOBAL const int *row_sequence,
                            GLOBAL const int *table_starts, GLOBAL const int *tables, GLOBAL const int *lengths,
                            GLOBAL const int *counts, int which, GLOBAL float *y ATTENTION_WEIGHTS) {
  BEGIN_LAUNCH();
  int head = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || head >= HEADS) {
    return;
  }
  int kv_head = head / GROUP, sequence = row_sequence[row];
  GLOBAL const int *pages = tables + table_starts[sequence];
  long query = positions[row];
  int2 range = keys_of(query, lengths[sequence]);
  q += ((size_t)row * HEADS + head) * KEY_WIDTH;
  y += ((size_t)row * HEADS + head) * VALUE_WIDTH;
  float most = -INFINITY;
  for (int key = range.x; key <= range.y; key++) {
    if (sees(query, key)) {
      GLOBAL const uchar *key_row = keys + cache_row(pages, key) * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH);
      most = fmax(most, score_of(q, key_row, kv_head, query, key, head BIAS_ARGUMENT));
    }
  }
  float sums[VALUE_WIDTH];
  for (int i = 0; i < VALUE_WIDTH; i++) {
    sums[i] = 0;
  }
  float total = 0;
  for (int key = range.x; key <= range.y && most > -INFINITY; key++) {
    if (sees(query, key)) {
      GLOBAL const uchar *key_row = keys + cache_row(pages, key) * KEY_ROW_BYTES(KV_HEADS * KEY_WIDTH);
      GLOBAL const uchar *value_row = values + cache_row(pages, key) * VALUE_ROW_BYTES(KV_HEADS * VALUE_WIDTH);
      float weight = exp(score_of(q, key_row, kv_head, query, key, head BIAS_ARGUMENT) - most);
      total += weight;
      for (int i = 0; i < VALUE_WIDTH; i++) {
        sums[i] = fma(weight, value_element(value_row, kv_head * VALUE_WIDTH + i), sums[i]);
      }
    }
  }
  total = WITH_SINK(total, most, head);
  for (int i = 0; i < VALUE_WIDTH; i++) {
    y[i] = most > -INFINITY ? sums[i] / total : 0;
  }
}
