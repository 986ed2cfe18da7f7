// Attention of some queries to two pages, of which the second one is merged, for each type of cache.

#define PAGE 64

typedef void of_a_page(
    int type, const float *from, int count, int heads, const uint8_t *rows, long row_bytes, int head_bytes, int key_count, int width, float *to,
    int page, const uint8_t *next, int next_count);
typedef void of_values(
    int type, float *scores, int count, int heads, const uint8_t *rows, long row_bytes, int head_bytes, int key_count, int width, float *states,
    int page, const uint8_t *next, int next_count);

static int head_bytes_of(int type, int width) { return type == 0 ? 4 * width : type == 3 ? 34 * width / 32 : type == 4 ? width : 2 * width; }

// Rows of a cache of numbers.
static uint8_t *random_cache(int type, int heads, int keys, int width) {
  int bytes = keys * heads * head_bytes_of(type, width), step = type == 0 ? 4 : type == 3 ? 34 : type == 4 ? 1 : 2;
  uint8_t *to = memory((size_t)bytes);
  for (int at = 0; at < bytes; at += step) {
    float x = random_float();
    uint16_t half = random_half() & 0xbfff;
    for (int i = 2; i < step; i++) {
      to[at + i] = (uint8_t)random_bits();
    }
    if (type == 0) {
      memcpy(to + at, &x, 4);
    } else if (type == 4) {
      // Any number; most are small.
      uint32_t bits = random_bits();
      to[at] = (uint8_t)(bits >> 8 & 15 || (bits & 0x7f) == 0x7f ? bits & 0xbf : bits);
    } else {
      memcpy(to + at, type == 2 ? (uint8_t *)&x + 2 : (uint8_t *)&half, 2);
    }
  }
  return to;
}

static void attend(int type, int count, int heads, int key_count, int width) {
  void (*begin)(float *, int, int, int) = kernel("attention_begin");
  of_a_page *scores_of = kernel("attention_scores");
  of_values *values_of = kernel("attention_values");
  void (*merge)(float *, const float *, int, int, int) = kernel("attention_merge");
  int head_bytes = head_bytes_of(type, width);
  size_t state_floats = (size_t)(heads * ((2 * count + 15) / 16 * 16 + count * ((width + 15) / 16 * 16)));
  float *states[2];
  for (int part = 0; part < 2; part++) {
    states[part] = memory(4 * state_floats);
    begin(states[part], count, heads, width);
    keep_floats(states[part], state_floats, "attention_begin: %d queries, %d heads, width %d", count, heads, width);
    for (int page = 0; page < 2; page++) {
      const float *queries = random_floats((size_t)(heads * count * width));
      const uint8_t *keys = random_cache(type, heads, key_count, width), *values = random_cache(type, heads, key_count, width);
      float *scores = memory(sizeof(float) * (size_t)(heads * count * PAGE));
      scores_of(type, queries, count, heads, keys, heads * head_bytes, head_bytes, key_count, width, scores, PAGE, values, key_count);
      for (int row = 0; row < heads * count; row++) {
        keep_floats(
            scores + row * PAGE, (size_t)key_count, "attention_scores: cache %d, query %d of %d of %d heads, %d keys, width %d", type, row, count,
            heads, key_count, width);
        // The second query sees none of the first page's keys, nor the last of any.
        for (int key = 0; key < PAGE; key++) {
          int is_hidden = key >= key_count || (row == 1 && page == 0) || (row == heads * count - 1 && heads * count > 1) || (key + row) % 7 == 6;
          scores[row * PAGE + key] = is_hidden ? -INFINITY : scores[row * PAGE + key];
        }
      }
      values_of(type, scores, count, heads, values, heads * head_bytes, head_bytes, key_count, width, states[part], PAGE, keys, key_count);
      keep_floats(
          states[part], state_floats, "attention_values: cache %d, %d queries, %d heads, %d keys, width %d", type, count, heads, key_count, width);
    }
  }
  merge(states[0], states[1], count, heads, width);
  keep_floats(states[0], state_floats, "attention_merge: %d queries, %d heads, width %d", count, heads, width);
  release();
}

static void all_attention(void) {
  static const int COUNTS[] = {1, 2, 3, 4, 5, 9}, KEYS[] = {1, 6, 37, 64}, WIDTHS[2][3] = {{3, 20, 64}, {32, 64, 96}};
  for (int type = 0; type < 5; type++) {
    for (int w = 0; w < 3; w++) {
      int width = WIDTHS[type == 3][w];
      for (int k = 0; k < 4; k++) {
        for (size_t c = 0; c < sizeof COUNTS / sizeof COUNTS[0]; c++) {
          attend(type, COUNTS[c], 1 + k % 2, KEYS[k], width);
        }
      }
    }
    attend(type, 67, 1, 21, 32);
  }
}
