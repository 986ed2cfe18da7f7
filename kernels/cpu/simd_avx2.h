// Eight lanes in AVX2's registers, of a processor that has FMA and F16C, too (x86-64-v3). Activations are words of sixteen bits; weights
// become words, even and odd columns apart.

#include <immintrin.h>

#define LANES 8
#define FEW_TOKENS 2
#define MANY_TOKENS 2
#define WIDE_TOKENS 6

typedef __m256 floats;
typedef __m256i ints;
// Eight rows of four unsigned weights each.
typedef __m256i bytes;
// Eight rows of two signed weights each.
typedef __m256i words;
typedef struct {
  ints high, low;
} sums;

#define FOUR_BYTES(parts) (8 * ((parts) - 1))

static INLINE floats zero(void) { return _mm256_setzero_ps(); }
static INLINE floats load(const float *at) { return _mm256_loadu_ps(at); }
static INLINE void store(float *at, floats x) { _mm256_storeu_ps(at, x); }
static INLINE floats all(float x) { return _mm256_set1_ps(x); }
static INLINE floats add(floats a, floats b) { return _mm256_add_ps(a, b); }
static INLINE floats maximum(floats a, floats b) { return _mm256_max_ps(a, b); }
static INLINE float largest_lane(floats x) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}
static INLINE floats multiply(floats a, floats b) { return _mm256_mul_ps(a, b); }
static INLINE floats multiply_add(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
static INLINE floats from_ints(ints x) { return _mm256_cvtepi32_ps(x); }
static INLINE floats from_halves(const uint16_t *at) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)at)); }
// A half in all lanes.
static INLINE floats all_half(const uint8_t *at) {
  int16_t half;
  memcpy(&half, at, 2);
  return _mm256_cvtph_ps(_mm_set1_epi16(half));
}
// Rounded to the nearest, halves to the even one.
static INLINE void store_halves(uint16_t *at, floats x) { _mm_storeu_si128((__m128i *)at, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT)); }
static INLINE floats from_brain_floats(const uint16_t *at) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)at)), 16));
}
static INLINE floats from_unsigned(const uint8_t *at) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at)));
}
// Four bits of each byte, from a bit on.
static INLINE floats from_nibbles(const uint8_t *at, int from) {
  ints x = _mm256_srli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at)), from);
  return _mm256_cvtepi32_ps(_mm256_and_si256(x, _mm256_set1_epi32(15)));
}
static INLINE floats from_signed(const uint8_t *at) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)at)));
}
// Bytes of E4M3, divided by 256: moved to where halves have them, whose exponents count from another zero.
static INLINE floats from_eight_bit_floats(const uint8_t *at) {
  __m128i moved = _mm_slli_epi16(_mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i *)at)), 7);
  return _mm256_cvtph_ps(_mm_and_si128(moved, _mm_set1_epi16((short)0xbf80)));
}
// The same, and what is no number: a carry out of all seven bits makes it one of halves.
static INLINE floats from_e4m3(const uint8_t *at) {
  __m128i moved = _mm_slli_epi16(_mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i *)at)), 7);
  __m128i carried = _mm_add_epi16(_mm_and_si128(moved, _mm_set1_epi16(0x3f80)), _mm_set1_epi16(0x0080));
  __m128i none = _mm_and_si128(carried, _mm_set1_epi16(0x4000));
  __m128i halves = _mm_or_si128(_mm_and_si128(moved, _mm_set1_epi16((short)0xbf80)), none);
  return _mm256_cvtph_ps(halves);
}
// 2^(x - 128), where x is a power that E8M0 keeps for quants that are doubled.
static INLINE floats from_powers(const uint8_t *at) {
  ints x = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at));
  // The two least are below what a normal float holds.
  ints normal = _mm256_slli_epi32(_mm256_sub_epi32(x, _mm256_set1_epi32(1)), 23);
  ints least = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), x);
  return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, least, _mm256_cmpgt_epi32(_mm256_set1_epi32(2), x)));
}

// Rows become columns.
static INLINE void turn(floats rows[LANES]) {
  floats a[8], b[8];
  UNROLL for (int i = 0; i < 4; i++) {
    a[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
    a[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    b[4 * i] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0x44);
    b[4 * i + 1] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0xee);
    b[4 * i + 2] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0x44);
    b[4 * i + 3] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0xee);
  }
  UNROLL for (int j = 0; j < 4; j++) {
    rows[j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x20);
    rows[4 + j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x31);
  }
}

static INLINE bytes load_bytes(const uint8_t *at) { return _mm256_loadu_si256((const __m256i *)at); }
// Bits `from` to `from + bits` of each byte.
static INLINE bytes bits_of(bytes x, int from, int bits) {
  return _mm256_and_si256(from == 0 ? x : _mm256_srli_epi32(x, from), _mm256_set1_epi8((char)((1 << bits) - 1)));
}
// x, with `bits` bits of y from `from` on above its own `place` bits.
static INLINE bytes with_bits(bytes x, bytes y, int from, int bits, int place) {
  bytes moved = from > place    ? _mm256_srli_epi32(y, from - place)
                : from < place ? _mm256_slli_epi32(y, place - from)
                               : y;
  return _mm256_or_si256(x, _mm256_and_si256(moved, _mm256_set1_epi8((char)(((1 << bits) - 1) << place))));
}
static INLINE bytes look_up(bytes x, const uint8_t *sixteen) {
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)sixteen)), x);
}

static INLINE words even_words(bytes x) { return _mm256_and_si256(x, _mm256_set1_epi16(255)); }
static INLINE words odd_words(bytes x) { return _mm256_srli_epi16(x, 8); }
static INLINE words subtract_words(words x, int16_t y) { return _mm256_sub_epi16(x, _mm256_set1_epi16(y)); }
static INLINE words multiply_words(words a, words b) { return _mm256_mullo_epi16(a, b); }
// What is known of lanes: a byte, a word or four bytes each.
static INLINE ints unsigned_ints(const uint8_t *at) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at)); }
static INLINE ints signed_ints(const uint8_t *at) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)at)); }
static INLINE ints ints_of_words(const uint8_t *at) { return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)at)); }
static INLINE ints load_ints(const uint8_t *at) { return _mm256_loadu_si256((const __m256i *)at); }
static INLINE ints shift_left(ints x, int count) { return _mm256_slli_epi32(x, count); }
static INLINE ints shift_right(ints x, int count) { return _mm256_srli_epi32(x, count); }
static INLINE ints and_all(ints x, uint32_t y) { return _mm256_and_si256(x, _mm256_set1_epi32((int)y)); }
static INLINE ints add_to_all(ints x, int32_t y) { return _mm256_add_epi32(x, _mm256_set1_epi32(y)); }
static INLINE ints or_ints(ints x, ints y) { return _mm256_or_si256(x, y); }
static INLINE ints xor_ints(ints x, ints y) { return _mm256_xor_si256(x, y); }

// Each lane's entry of a book, of four bytes, or of eight, of which the first four make a register and the last four another one.
static INLINE bytes gather_fours(const uint32_t *book, ints entries) { return _mm256_i32gather_epi32((const int *)book, entries, 4); }
static INLINE void gather_eights(const uint64_t *book, ints entries, bytes *both) {
  __m256 low = _mm256_castsi256_ps(_mm256_i32gather_epi64((const long long *)book, _mm256_castsi256_si128(entries), 8));
  __m256 high = _mm256_castsi256_ps(_mm256_i32gather_epi64((const long long *)book, _mm256_extracti128_si256(entries, 1), 8));
  // Of rows 0, 1, 4 and 5, then 2, 3, 6 and 7.
  __m256i firsts = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88)), lasts = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0xdd));
  both[0] = _mm256_permute4x64_epi64(firsts, _MM_SHUFFLE(3, 1, 2, 0));
  both[1] = _mm256_permute4x64_epi64(lasts, _MM_SHUFFLE(3, 1, 2, 0));
}
// y - x where bit j of signs is set, x elsewhere, byte by byte.
static INLINE bytes subtracted_where(ints signs, int j, uint8_t y, bytes x) {
  return _mm256_blendv_epi8(x, _mm256_sub_epi8(_mm256_set1_epi8((char)y), x), _mm256_slli_epi32(signs, 7 - j));
}
// y from each byte of lanes whose bit j is set.
static INLINE bytes subtract_in_lanes(ints lanes, int j, uint8_t y, bytes x) {
  ints set = _mm256_srai_epi32(_mm256_slli_epi32(lanes, 31 - j), 31);
  return _mm256_sub_epi8(x, _mm256_and_si256(set, _mm256_set1_epi8((char)y)));
}

// A byte for each lane, times `factor` in the first word.
static INLINE words unsigned_words(const uint8_t *at, int factor) {
  ints x = unsigned_ints(at);
  return _mm256_mullo_epi16(_mm256_or_si256(_mm256_slli_epi32(x, 16), x), _mm256_set1_epi32(0x10000 | factor));
}
// Each as both words of its lane.
static INLINE words both_words(ints x) { return _mm256_or_si256(_mm256_slli_epi32(x, 16), _mm256_and_si256(x, _mm256_set1_epi32(0xffff))); }
static INLINE words all_pairs(const uint8_t *at) { return _mm256_set1_epi32(*(const int32_t *)at); }
static INLINE ints no_ints(void) { return _mm256_setzero_si256(); }
static INLINE ints add_word_products(ints sum, words w, words x) { return _mm256_add_epi32(sum, _mm256_madd_epi16(w, x)); }

static INLINE sums begin_sums(int32_t start, int32_t low_start, int shift) {
  return (sums){_mm256_slli_epi32(_mm256_set1_epi32(start), shift), _mm256_slli_epi32(_mm256_set1_epi32(low_start), shift)};
}
static INLINE ints add_words(ints sum, ints even, ints odd, const uint8_t *x) {
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even, _mm256_set1_epi32(*(const int32_t *)x)));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(odd, _mm256_set1_epi32(*(const int32_t *)(x + 4))));
}
static INLINE sums add_products(sums sum, bytes w, const uint8_t *x, const int parts) {
  ints even = _mm256_and_si256(w, _mm256_set1_epi16(255));
  ints odd = _mm256_srli_epi16(w, 8);
  sum.high = add_words(sum.high, even, odd, x);
  if (parts == 3) {
    sum.low = add_words(sum.low, even, odd, x + 8);
  }
  return sum;
}
static INLINE ints high_total(sums sum) { return sum.high; }
static INLINE ints low_total(sums sum) { return sum.low; }

static INLINE int32_t sum_of(ints x) {
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1))));
}
// The largest magnitude of sixteen, as bits; what is no number is larger than all.
static INLINE uint32_t largest_of_sixteen(const float *x) {
  ints bits = _mm256_set1_epi32(0x7fffffff);
  ints eight = _mm256_max_epi32(
      _mm256_and_si256(_mm256_castps_si256(load(x)), bits), _mm256_and_si256(_mm256_castps_si256(load(x + 8)), bits));
  __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
  return (uint32_t)_mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1))));
}
// Sixteen words of two registers, of each four the even ones first.
static INLINE ints words_of(ints first, ints second) {
  ints words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), _MM_SHUFFLE(3, 1, 2, 0));
  return _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(words, _MM_SHUFFLE(3, 1, 2, 0)), _MM_SHUFFLE(3, 1, 2, 0));
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as add_products takes them: of each four their upper words, then their low bytes
// as words; and adds what they are made of to the sums of both.
static INLINE void round_sixteen(
    const float *x, float inverse, uint8_t *at, const int parts, int32_t *high_sum, int32_t *low_sum) {
  ints first = _mm256_cvtps_epi32(multiply(load(x), all(inverse)));
  ints second = _mm256_cvtps_epi32(multiply(load(x + 8), all(inverse)));
  if (parts == 2) {
    *high_sum = sum_of(_mm256_add_epi32(first, second));
    _mm256_storeu_si256((ints *)at, words_of(first, second));
    return;
  }
  ints half = _mm256_set1_epi32(128);
  ints high = _mm256_srai_epi32(_mm256_add_epi32(first, half), 8), second_high = _mm256_srai_epi32(_mm256_add_epi32(second, half), 8);
  ints low = _mm256_sub_epi32(first, _mm256_slli_epi32(high, 8));
  ints second_low = _mm256_sub_epi32(second, _mm256_slli_epi32(second_high, 8));
  *high_sum = sum_of(_mm256_add_epi32(high, second_high));
  *low_sum = sum_of(_mm256_add_epi32(low, second_low));
  int64_t both[2][4];
  _mm256_storeu_si256((ints *)both[0], words_of(high, second_high));
  _mm256_storeu_si256((ints *)both[1], words_of(low, second_low));
  UNROLL for (int i = 0; i < 8; i++) {
    memcpy(at + 8 * i, &both[i % 2][i / 2], 8);
  }
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as words, of each four the even ones first; their sum.
static INLINE int32_t round_words(const float *x, float inverse, uint8_t *at) {
  int32_t sum, none;
  round_sixteen(x, inverse, at, 2, &sum, &none);
  return sum;
}
