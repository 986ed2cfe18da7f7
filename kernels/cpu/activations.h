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
