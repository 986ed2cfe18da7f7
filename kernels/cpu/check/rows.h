// Functions of rows and of arrays.

typedef int row_function(const float *x, const float *other, float *y, long count, float parameter, int kind);
typedef float array_function(float *x, long from, long count, float parameter, float second, const float *coefficients, int64_t *results);

// A function of one or two rows, whose result has so many bytes for each of their numbers: those of floats, of halves, of bytes, or none.
static void row(const char *name, const float *x, const float *other, size_t count, float parameter, int kind, int y_bytes) {
  row_function *function = kernel(name);
  float *y = memory((size_t)y_bytes * count);
  int result = function(x, other, y, (long)count, parameter, kind);
  keep_bytes(&result, sizeof result, "%s: what it returns of %zu, kind %d", name, count, kind);
  if (y_bytes == 4) {
    keep_floats(y, count, "%s: %zu, kind %d", name, count, kind);
  } else {
    keep_bytes(y, (size_t)y_bytes * count, "%s: %zu, kind %d", name, count, kind);
  }
}

static void rows_of(size_t count) {
  static const char *const WITH_KINDS[] = {"activate", "glu", "clamped_glu"};
  const float *x = odd_floats(count), *other = odd_floats(count + 1) + 1, *numbers = random_floats(4 * count), *weights = random_floats(2 * count);
  row("add", x, other, count, 0, 0, 4);
  row("scale", x, x, count, 0.3f, 0, 4);
  row("clamp", x, x, count, 0.7f, 0, 4);
  row("soft_cap", x, x, count, 30, 0, 4);
  row("soft_cap", x, x, count, 0.5f, 0, 4);
  for (int i = 0; i < 3; i++) {
    for (int kind = 0; kind < 6; kind++) {
      row(WITH_KINDS[i], x, other, count, 7, kind, 4);
      row(WITH_KINDS[i], numbers, weights, count, 0.25f, kind, 4);
    }
  }
  row("rms_norm", numbers, weights, count, 1e-5f, 0, 4);
  row("layer_norm", numbers, weights, count, 1e-5f, 0, 4);
  row("weighted_sum", numbers, weights, count, 0, count < 4 ? 1 : 4, 4);
  row("likeliest", x, x, count, 0, 0, 0);
  row("likeliest", numbers, x, count, 0, 0, 0);
  row("to_halves", x, x, count, 0, 0, 2);
  row("to_halves", numbers, x, count, 0, 0, 2);
  row("to_brain_floats", x, x, count, 0, 0, 2);
  row("to_e4m3", x, x, count, 0, 0, 1);
  row("to_e4m3", numbers, x, count, 0, 0, 1);
  release();
}

// Floats with all upper halves, on both sides of where a rounding begins.
static void all_roundings(const char *name, int y_bytes) {
  static const uint16_t LOWER[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
  size_t count = 6 << 16;
  float *x = memory(4 * count);
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)(i / 6) << 16 | LOWER[i % 6];
    memcpy(x + i, &bits, 4);
  }
  row(name, x, x, count, 0, 0, y_bytes);
  release();
}

// Heads turned by angles, some of whose columns are in no pair.
static void turned(int heads, int width, int pairs) {
  size_t count = (size_t)(heads * width);
  const float *x = random_floats(count), *angles = random_floats(2 * (size_t)pairs);
  row("turn", x, angles, count, (float)width, pairs, 4);
  row("turn", x, angles, count, (float)width, -pairs, 4);
  release();
}

static void array(const char *name, float *x, size_t from, size_t count, float parameter, float second, const float *coefficients) {
  array_function *function = kernel(name);
  int64_t *results = memory(8 * count);
  float result = function(x, (long)from, (long)count, parameter, second, coefficients, results);
  keep_floats(&result, 1, "%s: what it returns of %zu", name, count);
  keep_floats(x, from + count, "%s: %zu", name, count);
  keep_bytes(results, 8 * count, "%s: results of %zu", name, count);
}

static void arrays_of(size_t from, size_t count) {
  // Of 2^f; any would do.
  static const float COEFFICIENTS[] = {1.5e-4f, 1.3e-3f, 9.6e-3f, 5.5e-2f, 0.24f, 0.69f, 1};
  size_t all = from + count;
  array("exponentials", odd_floats(all), from, count, 0.5f, 0, COEFFICIENTS);
  array("tangents", odd_floats(all), from, count, 0, 0, COEFFICIENTS);
  array("largest", odd_floats(all), from, count, 0, 0, COEFFICIENTS);
  array("largest", random_floats(all), from, count, 0, 0, COEFFICIENTS);
  float *logits = odd_floats(all), largest = 10;
  for (size_t i = 0; i < all; i++) {
    logits[i] = logits[i] > largest ? largest : logits[i];
  }
  array("sample_weights", logits, from, count, largest, 1.4f, COEFFICIENTS);
  release();
}

static void all_rows(void) {
  static const size_t COUNTS[] = {1, 5, 8, 16, 37, 515, 2085};
  for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
    rows_of(COUNTS[i]);
    arrays_of(i % 3, COUNTS[i]);
  }
  turned(3, 64, 32);
  turned(2, 50, 13);
  turned(5, 6, 1);
  all_roundings("to_halves", 2);
  all_roundings("to_brain_floats", 2);
  all_roundings("to_e4m3", 1);
}
