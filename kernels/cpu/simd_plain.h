// Sixteen lanes in plain C: what the others are held to, and what runs where they don't. fmaf rounds once, as their instructions do.

#include <math.h>

// Unrolling more than lanes gains nothing here, and takes the compiler four times as long.
#undef UNROLL
#define UNROLL

#define LANES 16
#define FEW_TOKENS 2
#define MANY_TOKENS 2
#define WIDE_TOKENS 3

typedef struct {
  float of[LANES];
} floats;
typedef struct {
  int32_t of[LANES];
} ints;
// Sixteen rows of four unsigned weights each.
typedef struct {
  uint8_t of[4 * LANES];
} bytes;
// Sixteen rows of two signed weights each.
typedef struct {
  int16_t of[2 * LANES];
} words;
typedef struct {
  ints high, low;
} sums;

#define FOUR_BYTES(parts) (8 * ((parts) - 1))

#define EACH(result, expression) \
  do { \
    for (int i = 0; i < LANES; i++) { \
      result.of[i] = expression; \
    } \
    return result; \
  } while (0)

static INLINE float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff, bits;
  if (magnitude >= 0x7c00) {
    bits = 0x7f800000 | (magnitude & 0x3ff) << 13;
  } else if (magnitude >= 0x400) {
    bits = (magnitude << 13) + (112u << 23);
  } else {
    float small = (float)magnitude * 0x1p-24f;
    memcpy(&bits, &small, 4);
  }
  bits |= sign;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static INLINE floats all(float x) { floats y; EACH(y, x); }
static INLINE floats zero(void) { return all(0); }
static INLINE floats load(const float *at) { floats y; EACH(y, at[i]); }
static INLINE void store(float *at, floats x) { memcpy(at, x.of, sizeof x.of); }
static INLINE floats add(floats a, floats b) { floats y; EACH(y, a.of[i] + b.of[i]); }
static INLINE floats maximum(floats a, floats b) { floats y; EACH(y, a.of[i] > b.of[i] ? a.of[i] : b.of[i]); }
static INLINE float largest_lane(floats x) {
  float largest = x.of[0];
  for (int i = 1; i < LANES; i++) {
    largest = x.of[i] > largest ? x.of[i] : largest;
  }
  return largest;
}
static INLINE floats multiply(floats a, floats b) { floats y; EACH(y, a.of[i] * b.of[i]); }
static INLINE floats multiply_add(floats a, floats b, floats c) { floats y; EACH(y, fmaf(a.of[i], b.of[i], c.of[i])); }
static INLINE floats from_ints(ints x) { floats y; EACH(y, (float)x.of[i]); }
static INLINE floats from_halves(const uint16_t *at) { floats y; EACH(y, half_to_float(at[i])); }
// A half in all lanes.
static INLINE floats all_half(const uint8_t *at) {
  uint16_t half;
  memcpy(&half, at, 2);
  float value = half_to_float(half);
  floats y;
  EACH(y, value);
}
// Rounded to the nearest, halves to the even one.
static INLINE void store_halves(uint16_t *at, floats x) {
  for (int i = 0; i < LANES; i++) {
    uint32_t bits;
    memcpy(&bits, x.of + i, 4);
    uint32_t size = bits & 0x7fffffff, half;
    if (size > 0x7f800000) {
      half = 0x7e00 | (size >> 13 & 0x3ff);
    } else if (size >= 0x477ff000) {
      half = 0x7c00;
    } else if (size >= 0x38800000) {
      half = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
    } else {
      half = (uint32_t)rintf(float_of_bits(size) * 0x1p24f);
    }
    at[i] = (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)half;
  }
}
static INLINE floats from_brain_floats(const uint16_t *at) { floats y; EACH(y, float_of_bits((uint32_t)at[i] << 16)); }
static INLINE floats from_unsigned(const uint8_t *at) { floats y; EACH(y, (float)at[i]); }
// Four bits of each byte, from a bit on.
static INLINE floats from_nibbles(const uint8_t *at, int from) { floats y; EACH(y, (float)(at[i] >> from & 15)); }
static INLINE floats from_signed(const uint8_t *at) { floats y; EACH(y, (float)(int8_t)at[i]); }
// Bytes of E4M3, divided by 256: moved to where halves have them, whose exponents count from another zero.
static INLINE floats from_eight_bit_floats(const uint8_t *at) {
  floats y;
  EACH(y, half_to_float((uint16_t)((at[i] & 0x80) << 8 | (at[i] & 0x7f) << 7)));
}
// The same, and what is no number.
static INLINE floats from_e4m3(const uint8_t *at) {
  floats y;
  EACH(y, (at[i] & 0x7f) == 0x7f ? float_of_bits(0x7fc00000) : half_to_float((uint16_t)((at[i] & 0x80) << 8 | (at[i] & 0x7f) << 7)));
}
// 2^(x - 128), where x is a power that E8M0 keeps for quants that are doubled.
static INLINE floats from_powers(const uint8_t *at) {
  floats y;
  EACH(y, float_of_bits(at[i] < 2 ? 0x00200000u << at[i] : (uint32_t)(at[i] - 1) << 23));
}

// Rows become columns.
static INLINE void turn(floats rows[LANES]) {
  for (int i = 0; i < LANES; i++) {
    for (int j = 0; j < i; j++) {
      float x = rows[i].of[j];
      rows[i].of[j] = rows[j].of[i];
      rows[j].of[i] = x;
    }
  }
}

static INLINE bytes load_bytes(const uint8_t *at) {
  bytes y;
  memcpy(y.of, at, sizeof y.of);
  return y;
}
#define EACH_BYTE(result, expression) \
  do { \
    for (int i = 0; i < 4 * LANES; i++) { \
      result.of[i] = (uint8_t)(expression); \
    } \
    return result; \
  } while (0)
// Bits `from` to `from + bits` of each byte.
static INLINE bytes bits_of(bytes x, int from, int bits) { bytes y; EACH_BYTE(y, x.of[i] >> from & ((1 << bits) - 1)); }
// x, with `bits` bits of y from `from` on above its own `place` bits.
static INLINE bytes with_bits(bytes x, bytes y, int from, int bits, int place) {
  bytes z;
  EACH_BYTE(z, x.of[i] | (y.of[i] >> from & ((1 << bits) - 1)) << place);
}
static INLINE bytes look_up(bytes x, const uint8_t *sixteen) { bytes y; EACH_BYTE(y, sixteen[x.of[i]]); }

// What is known of lanes: a byte, a word or four bytes each.
static INLINE ints unsigned_ints(const uint8_t *at) { ints y; EACH(y, at[i]); }
static INLINE ints signed_ints(const uint8_t *at) { ints y; EACH(y, (int8_t)at[i]); }
static INLINE ints ints_of_words(const uint8_t *at) { ints y; EACH(y, at[2 * i] | at[2 * i + 1] << 8); }
static INLINE ints load_ints(const uint8_t *at) {
  ints y;
  memcpy(y.of, at, sizeof y.of);
  return y;
}
static INLINE ints shift_left(ints x, int count) { ints y; EACH(y, (int32_t)((uint32_t)x.of[i] << count)); }
static INLINE ints shift_right(ints x, int count) { ints y; EACH(y, (int32_t)((uint32_t)x.of[i] >> count)); }
static INLINE ints and_all(ints x, uint32_t y) { ints z; EACH(z, (int32_t)((uint32_t)x.of[i] & y)); }
static INLINE ints add_to_all(ints x, int32_t y) { EACH(x, x.of[i] + y); }
static INLINE ints or_ints(ints x, ints y) { ints z; EACH(z, x.of[i] | y.of[i]); }
static INLINE ints xor_ints(ints x, ints y) { ints z; EACH(z, x.of[i] ^ y.of[i]); }

// Each lane's entry of a book, of four bytes, or of eight, of which the first four make a register and the last four another one.
static INLINE bytes gather_fours(const uint32_t *book, ints entries) {
  bytes y;
  for (int i = 0; i < LANES; i++) {
    memcpy(y.of + 4 * i, book + entries.of[i], 4);
  }
  return y;
}
static INLINE void gather_eights(const uint64_t *book, ints entries, bytes *both) {
  for (int i = 0; i < LANES; i++) {
    const uint8_t *eight = (const uint8_t *)(book + entries.of[i]);
    memcpy(both[0].of + 4 * i, eight, 4);
    memcpy(both[1].of + 4 * i, eight + 4, 4);
  }
}
// y - x where bit j of signs is set, x elsewhere, byte by byte.
static INLINE bytes subtracted_where(ints signs, int j, uint8_t y, bytes x) {
  bytes z;
  EACH_BYTE(z, signs.of[i / 4] >> (8 * (i % 4) + j) & 1 ? y - x.of[i] : x.of[i]);
}
// y from each byte of lanes whose bit j is set.
static INLINE bytes subtract_in_lanes(ints lanes, int j, uint8_t y, bytes x) {
  bytes z;
  EACH_BYTE(z, x.of[i] - (lanes.of[i / 4] >> j & 1 ? y : 0));
}

#define EACH_WORD(result, expression) \
  do { \
    for (int i = 0; i < 2 * LANES; i++) { \
      result.of[i] = (int16_t)(expression); \
    } \
    return result; \
  } while (0)
static INLINE words even_words(bytes x) { words y; EACH_WORD(y, x.of[2 * i]); }
static INLINE words odd_words(bytes x) { words y; EACH_WORD(y, x.of[2 * i + 1]); }
static INLINE words subtract_words(words x, int16_t y) { words z; EACH_WORD(z, x.of[i] - y); }
static INLINE words multiply_words(words a, words b) { words y; EACH_WORD(y, a.of[i] * b.of[i]); }
// A byte for each lane, times `factor` in the first word.
static INLINE words unsigned_words(const uint8_t *at, int factor) { words y; EACH_WORD(y, at[i / 2] * (i % 2 == 0 ? factor : 1)); }
// Each as both words of its lane.
static INLINE words both_words(ints x) { words y; EACH_WORD(y, x.of[i / 2]); }
static INLINE words all_pairs(const uint8_t *at) {
  int16_t pair[2];
  memcpy(pair, at, 4);
  words y;
  EACH_WORD(y, pair[i % 2]);
}
static INLINE ints add_word_products(ints sum, words w, words x) {
  EACH(sum, sum.of[i] + w.of[2 * i] * x.of[2 * i] + w.of[2 * i + 1] * x.of[2 * i + 1]);
}

static INLINE ints all_ints(int32_t x) { ints y; EACH(y, x); }
static INLINE ints no_ints(void) { return all_ints(0); }
static INLINE sums begin_sums(int32_t start, int32_t low_start, int shift) {
  return (sums){all_ints(start * (1 << shift)), all_ints(low_start * (1 << shift))};
}
static INLINE sums add_products(sums sum, bytes w, const uint8_t *x, const int parts) {
  int16_t words[8];
  memcpy(words, x, (size_t)FOUR_BYTES(parts));
  for (int i = 0; i < LANES; i++) {
    for (int k = 0; k < 4; k++) {
      sum.high.of[i] += w.of[4 * i + k] * words[k];
      if (parts == 3) {
        sum.low.of[i] += w.of[4 * i + k] * words[4 + k];
      }
    }
  }
  return sum;
}
static INLINE ints high_total(sums sum) { return sum.high; }
static INLINE ints low_total(sums sum) { return sum.low; }

// The largest magnitude of sixteen, as bits; what is no number is larger than all.
static INLINE uint32_t largest_of_sixteen(const float *x) {
  uint32_t largest = 0;
  for (int i = 0; i < 16; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    bits &= 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as add_products takes them: of each four their upper words, then their low bytes
// as words; and adds what they are made of to the sums of both.
static INLINE void round_sixteen(
    const float *x, float inverse, uint8_t *at, const int parts, int32_t *high_sum, int32_t *low_sum) {
  *high_sum = *low_sum = 0;
  for (int i = 0; i < 16; i++) {
    float level = rintf(x[i] * inverse);
    // False for what is no number.
    int32_t number = level >= -LEVELS(3) - 8 && level <= LEVELS(3) + 8 ? (int32_t)level : 0;
    int16_t high = (int16_t)(parts == 3 ? (number + 128) >> 8 : number);
    int16_t low = (int16_t)(number - high * 256);
    int16_t *words = (int16_t *)(at + i / 4 * FOUR_BYTES(parts)) + i % 4;
    words[0] = high;
    *high_sum += high;
    if (parts == 3) {
      words[4] = low;
      *low_sum += low;
    }
  }
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as words, of each four the even ones first; their sum.
static INLINE int32_t round_words(const float *x, float inverse, uint8_t *at) {
  int16_t words[16];
  int32_t sum, none;
  round_sixteen(x, inverse, (uint8_t *)words, 2, &sum, &none);
  for (int i = 0; i < 16; i += 4) {
    int16_t four[4] = {words[i], words[i + 2], words[i + 1], words[i + 3]};
    memcpy(at + 2 * i, four, 8);
  }
  return sum;
}
