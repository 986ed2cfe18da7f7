// A row of activations as products with quantised weights take it, in blocks of 32 columns: whole numbers of two or three bytes and their
// scale. With three, numbers are those of float32, but for what is far below its block's largest; with two, products take two thirds of the time.
// A number is high · 256 + low, or high alone, and high is two bytes; all bytes are signed, so that the largest number is 127 · (65536 + 256 + 1).
// Sums of numbers take offsets and minimums of weights out of loops, since Σ (q - o) x = Σ q x - o Σ x.
//
// Layout of a row: numbers as the instruction set takes them, then scales, and sums times scale (float each), the negated sums of high and of low
// (int each), and those of each 16 columns.

typedef struct {
  uint8_t *numbers;
  float *scales, *sums;
  int32_t *minus, *minus_low, *minus_halves, *minus_low_halves;
} activations;

// How a row of x lies: as it is, or rounded.
enum { BRAIN_FLOATS, WORDS, TWO_BYTES, THREE_BYTES, FLOATS };

static INLINE long activation_bytes(long blocks, const int parts) { return (8 * FOUR_BYTES(parts) + 32) * blocks; }

static INLINE activations activations_at(const uint8_t *row, long blocks, const int parts) {
  uint8_t *behind = (uint8_t *)row + 8 * FOUR_BYTES(parts) * blocks;
  int32_t *integers = (int32_t *)(behind + 8 * blocks);
  return (activations){
      (uint8_t *)row,
      (float *)behind,
      (float *)behind + blocks,
      integers,
      integers + blocks,
      integers + 2 * blocks,
      integers + 4 * blocks};
}

// Of 16 columns, of which a block has two.
static INLINE float minus_sum_of_half(activations of, long half, const int parts) {
  float high = (float)of.minus_halves[half];
  return of.scales[half / 2] * (parts == 3 ? high * 256 + (float)of.minus_low_halves[half] : high);
}

// For superblocks of weights, in steps of many rows, numbers are words and share a scale for as many columns (wide_products.h).
// Layout of a row: numbers, of each four columns the even ones first (or as wide_bytes.h and wide_tiles.h have them); then for each 32 columns their sum, as two words whose first counts 64; then scales.

#define SUPER_COLUMNS 256
// Where sixteen columns from one on begin.
#ifdef TILES
#define WORDS_AT(numbers, column) ((numbers) + 2 * TILE_COLUMNS * ((column) / TILE_COLUMNS) + (column) % TILE_COLUMNS)
#else
#define WORDS_AT(numbers, column) ((numbers) + 2 * (column))
#endif
#define WORD_LEVELS 4095

typedef struct {
  uint8_t *numbers, *sums;
  float *scales;
} word_activations;

static INLINE long word_activation_bytes(long columns) { return 2 * columns + 4 * (columns / BLOCK) + 4 * (columns / SUPER_COLUMNS); }

static INLINE word_activations word_activations_at(const uint8_t *row, long blocks) {
  uint8_t *sums = (uint8_t *)row + 2 * BLOCK * blocks;
  return (word_activations){(uint8_t *)row, sums, (float *)(sums + 4 * blocks)};
}
