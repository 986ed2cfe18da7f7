// Products of each type of weights with rows of x in each form.

enum { BRAIN_FLOATS, WORDS, TWO_BYTES, THREE_BYTES, FLOATS };

#define CODEBOOK_ENTRIES 4608

// A block of weights as files have it: its columns and bytes, and where it has halves that scale, or -1; and the form of many rows of x.
typedef struct {
  const char *name;
  int columns, bytes, halves[2], many_form;
} weight_type;

static const weight_type TYPES[] = {
    {"f32", 1, 4, {-1, -1}, FLOATS},
    {"f16", 1, 2, {0, -1}, FLOATS},
    {"bf16", 1, 2, {-1, -1}, FLOATS},
    {"q4_0", 32, 18, {0, -1}, TWO_BYTES},
    {"q4_1", 32, 20, {0, 2}, TWO_BYTES},
    {"q5_0", 32, 22, {0, -1}, TWO_BYTES},
    {"q5_1", 32, 24, {0, 2}, TWO_BYTES},
    {"q8_0", 32, 34, {0, -1}, TWO_BYTES},
    {"iq4_nl", 32, 18, {0, -1}, TWO_BYTES},
    {"mxfp4", 32, 17, {-1, -1}, TWO_BYTES},
    {"q2_k", 256, 84, {80, 82}, TWO_BYTES},
    {"q3_k", 256, 110, {108, -1}, WORDS},
    {"q4_k", 256, 144, {0, 2}, WORDS},
    {"q5_k", 256, 176, {0, 2}, WORDS},
    {"q6_k", 256, 210, {208, -1}, WORDS},
    {"iq4_xs", 256, 136, {0, -1}, WORDS},
    {"scaled_f8", 32, 36, {-1, -1}, FLOATS},
    {"nvfp4", 64, 36, {-1, -1}, TWO_BYTES},
    {"iq2_xxs", 256, 66, {0, -1}, WORDS},
    {"iq2_xs", 256, 74, {0, -1}, WORDS},
    {"iq2_s", 256, 82, {0, -1}, WORDS},
    {"iq3_xxs", 256, 98, {0, -1}, WORDS},
    {"iq3_s", 256, 110, {0, -1}, WORDS},
    {"iq1_s", 256, 50, {0, -1}, WORDS},
    {"iq1_m", 256, 56, {-1, -1}, WORDS},
    {"tq1_0", 256, 54, {52, -1}, TWO_BYTES},
    {"tq2_0", 256, 66, {64, -1}, TWO_BYTES},
};

static int is_floats(const weight_type *type) { return type->many_form == FLOATS; }

// Rows of weights; quants of the first one are the largest, of the second one the least, all others are any bits.
static uint8_t *random_weights(const weight_type *type, int rows, int columns) {
  int blocks = columns / type->columns;
  uint8_t *to = memory((size_t)(rows * blocks * type->bytes));
  for (int i = 0; i < rows * blocks; i++) {
    uint8_t *block = to + i * type->bytes;
    for (int j = 0; j < type->bytes; j++) {
      block[j] = i / blocks == 0 ? 0xff : i / blocks == 1 ? 0 : (uint8_t)random_bits();
    }
    for (int j = 0; j < 2; j++) {
      uint16_t half = random_half();
      if (type->halves[j] >= 0) {
        memcpy(block + type->halves[j], &half, 2);
      }
    }
    if (strcmp(type->name, "mxfp4") == 0) {
      block[0] = (uint8_t)(random_bits() % 8 == 0 ? random_bits() % 4 : 100 + random_bits() % 40);
    } else if (strcmp(type->name, "bf16") == 0) {
      float x = random_float();
      memcpy(block, (uint8_t *)&x + 2, 2);
    } else if (is_floats(type) && type->bytes >= 4) {
      float x = random_float();
      memcpy(block, &x, 4);
    }
  }
  return to;
}

// Rows of x. Some are of one size, so that all are the largest; some are zeros in parts, or next to nothing.
static float *random_rows(int count, int columns) {
  float *to = random_floats((size_t)(count * columns));
  for (int t = 0; t < count; t++) {
    for (int k = 0; k < columns; k++) {
      float *x = to + t * columns + k;
      if (t % 5 == 1) {
        *x = *x < 0 ? -0.75f : 0.75f;
      } else if (t % 5 == 3) {
        *x *= k / 32 % 3 == 0 ? 0 : k / 32 % 3 == 1 ? 1e-36f : 1;
      }
    }
  }
  return to;
}

typedef struct {
  const uint8_t *at;
  long row_bytes;
} rows_of_x;

// What `round` makes of rows of x, of which what lies behind the numbers is kept: the numbers lie as each set likes.
static rows_of_x rounded(const float *x, int count, int columns, int form, int are_numbers) {
  long (*round_bytes)(long, int) = kernel("round_bytes");
  void (*round)(const float *, long, long, int, uint8_t *, long, int) = kernel("round");
  if (form == FLOATS) {
    return (rows_of_x){(const uint8_t *)x, 4 * columns};
  }
  long row_bytes = round_bytes(columns, form), kept = form == WORDS ? columns / 8 + columns / 64 : columns;
  uint8_t *to = memory((size_t)(count * row_bytes));
  round(x, columns, columns, count, to, row_bytes, form);
  for (int t = 0; t < count && are_numbers; t++) {
    keep_bytes(to + (t + 1) * row_bytes - kept, (size_t)kept, "round: row %d of %d columns, form %d", t, columns, form);
  }
  return (rows_of_x){to, row_bytes};
}

static void multiply(const weight_type *type, int rows, int columns, int form, int tokens, const float *x, int are_numbers) {
  char name[3][32];
  snprintf(name[0], sizeof name[0], "tile_bytes_%s", type->name);
  snprintf(name[1], sizeof name[1], "pack_%s", type->name);
  snprintf(name[2], sizeof name[2], "multiply_%s", type->name);
  long (*tile_bytes)(long) = kernel(name[0]);
  void (*pack)(const uint8_t *, long, long, long, uint8_t *) = kernel(name[1]);
  void (*product)(const uint8_t *, long, const uint8_t *, long, int, int, float *, long, int) = kernel(name[2]);
  long blocks = is_floats(type) ? columns : columns / 32;
  size_t bytes = (size_t)((rows + 15) / 16 * tile_bytes(blocks));
  uint8_t *tiles = memset(memory(bytes), 0, bytes);
  pack(random_weights(type, rows, columns), columns / type->columns * type->bytes, blocks, rows, tiles);
  rows_of_x from = rounded(x, tokens, columns, form, are_numbers);
  long y_floats = rows + 3, floats = (tokens - 1) * y_floats + rows;
  float *y = memory(4 * (size_t)floats);
  product(tiles, blocks, from.at, from.row_bytes, tokens, form, y, y_floats, rows);
  keep_floats(
      y, (size_t)floats, "%s: %d rows, %d columns, %d rows of x, form %d%s", name[2], rows, columns, tokens, form,
      are_numbers ? "" : ", some no numbers");
}

static void products_of(const weight_type *type) {
  static const int COLUMNS[4][3] = {{1, 7, 130}, {32, 96, 416}, {64, 192, 448}, {256, 256, 768}};
  static const int FEW[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 61}, MANY[] = {12, 13, 14, 15, 16, 17, 19, 22, 60, 61, 72, 73};
  int few_form = is_floats(type) ? FLOATS : THREE_BYTES, many_form = type->many_form;
  for (int i = 0; i < 3; i++) {
    int columns = COLUMNS[type->columns == 1 ? 0 : type->columns == 32 ? 1 : type->columns == 64 ? 2 : 3][i];
    for (int rows = 1; rows <= 37; rows += 12) {
      multiply(type, rows, columns, few_form, 3, random_rows(3, columns), 1);
      multiply(type, rows, columns, many_form, 23, random_rows(23, columns), 1);
      release();
    }
    for (size_t t = 0; t < sizeof FEW / sizeof FEW[0]; t++) {
      multiply(type, 18, columns, few_form, FEW[t], random_rows(FEW[t], columns), 1);
      release();
    }
    for (size_t t = 0; t < sizeof MANY / sizeof MANY[0] && many_form != few_form; t++) {
      multiply(type, 18, columns, many_form, MANY[t], random_rows(MANY[t], columns), 1);
      release();
    }
    float *x = random_rows(14, columns);
    x[columns / 2] = NAN;
    x[2 * columns] = INFINITY;
    x[7 * columns - 1] = -INFINITY;
    multiply(type, 18, columns, few_form, 5, x, 0);
    multiply(type, 18, columns, many_form, 14, x, 0);
    release();
  }
}

static void all_products(void) {
  // Any entries are as good as those that files mean.
  void (*take_codebooks)(const uint16_t *) = kernel("codebooks");
  uint16_t *codebooks = memory(2 * CODEBOOK_ENTRIES);
  for (int i = 0; i < CODEBOOK_ENTRIES; i++) {
    codebooks[i] = (uint16_t)random_bits();
  }
  take_codebooks(codebooks);
  for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
    products_of(TYPES + i);
  }
}

static float brain_float(uint16_t bits) {
  uint32_t all = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &all, 4);
  return x;
}

// Products of BF16 weights with rows of x that are BF16, too, which no two sets add up alike: the largest error of a sum, by the sum of magnitudes of what
// was added.
static double error_of_brain_floats(int rows, int columns, int tokens) {
  long (*tile_bytes)(long) = kernel("tile_bytes_bf16"), (*round_bytes)(long, int) = kernel("round_bytes");
  void (*pack)(const uint8_t *, long, long, long, uint8_t *) = kernel("pack_bf16");
  void (*round)(const float *, long, long, int, uint8_t *, long, int) = kernel("round");
  void (*product)(const uint8_t *, long, const uint8_t *, long, int, int, float *, long, int) = kernel("multiply_bf16");
  const weight_type *type = TYPES + 2;
  const uint8_t *weights = random_weights(type, rows, columns);
  size_t bytes = (size_t)((rows + 15) / 16 * tile_bytes(columns));
  uint8_t *tiles = memset(memory(bytes), 0, bytes);
  pack(weights, 2 * columns, columns, rows, tiles);
  long row_bytes = round_bytes(columns, BRAIN_FLOATS);
  uint8_t *x = memory((size_t)(tokens * row_bytes));
  round(random_rows(tokens, columns), columns, columns, tokens, x, row_bytes, BRAIN_FLOATS);
  float *y = memory(4 * (size_t)(tokens * rows));
  product(tiles, columns, x, row_bytes, tokens, BRAIN_FLOATS, y, rows, rows);
  double largest = 0;
  for (int t = 0; t < tokens; t++) {
    for (int row = 0; row < rows; row++) {
      double sum = 0, magnitudes = 1e-30;
      for (int k = 0; k < columns; k++) {
        uint16_t w, x_k;
        memcpy(&w, weights + 2 * (row * columns + k), 2);
        memcpy(&x_k, x + t * row_bytes + 2 * k, 2);
        double product_k = (double)brain_float(w) * (double)brain_float(x_k);
        sum += product_k;
        magnitudes += fabs(product_k);
      }
      // What is no number is larger than all.
      double error = fabs(y[t * rows + row] - sum) / magnitudes;
      largest = error <= largest ? largest : error;
    }
  }
  release();
  return largest;
}

// Whether that is less than float32's rounding of as many sums may leave.
static int are_brain_floats_right(void) {
  static const int ROWS[] = {1, 16, 17, 40}, COLUMNS[] = {1, 2, 31, 32, 65, 514, 1100}, TOKENS[] = {12, 15, 16, 17, 32, 33, 47, 61, 64, 65, 100};
  int right = 1;
  seed = 1;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    for (size_t j = 0; j < sizeof COLUMNS / sizeof *COLUMNS; j++) {
      for (size_t k = 0; k < sizeof TOKENS / sizeof *TOKENS; k++) {
        double error = error_of_brain_floats(ROWS[i], COLUMNS[j], TOKENS[k]);
        if (!(error < 1e-5)) {
          fprintf(stderr, "multiply_bf16 of %s: %d rows, %d columns, %d rows of x: wrong by %g\n", set_called, ROWS[i], COLUMNS[j], TOKENS[k], error);
          right = 0;
        }
      }
    }
  }
  return right;
}
