// Sixteen lanes in AVX-512's registers. Where the processor has VNNI, bytes are multiplied four at a time: an activation's bytes, each
// signed, meet the same unsigned weights one after the other.

#include <immintrin.h>

#define LANES 16
#define FEW_TOKENS 4
#define MANY_TOKENS 6
#ifdef TILES
#include "tiles.h"
#define WIDE_TOKENS TILE_TOKENS
#else
#define WIDE_TOKENS 12
#endif

typedef __m512 floats;
typedef __m512i ints;
// Sixteen rows of four unsigned weights each.
typedef __m512i bytes;
// Sixteen rows of two signed weights each.
typedef __m512i words;

static INLINE floats zero(void) { return _mm512_setzero_ps(); }
static INLINE floats load(const float *at) { return _mm512_loadu_ps(at); }
static INLINE void store(float *at, floats x) { _mm512_storeu_ps(at, x); }
static INLINE floats all(float x) { return _mm512_set1_ps(x); }
static INLINE floats add(floats a, floats b) { return _mm512_add_ps(a, b); }
static INLINE floats maximum(floats a, floats b) { return _mm512_max_ps(a, b); }
static INLINE float largest_lane(floats x) { return _mm512_reduce_max_ps(x); }
static INLINE floats multiply(floats a, floats b) { return _mm512_mul_ps(a, b); }
static INLINE floats multiply_add(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
static INLINE floats from_ints(ints x) { return _mm512_cvtepi32_ps(x); }
static INLINE floats from_halves(const uint16_t *at) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)at)); }
// A half in all lanes.
static INLINE floats all_half(const uint8_t *at) {
  int16_t half;
  memcpy(&half, at, 2);
  return _mm512_cvtph_ps(_mm256_set1_epi16(half));
}
// Rounded to the nearest, halves to the even one.
static INLINE void store_halves(uint16_t *at, floats x) { _mm256_storeu_si256((__m256i *)at, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT)); }
static INLINE floats from_brain_floats(const uint16_t *at) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)at)), 16));
}
#ifdef __AVX512BF16__
static INLINE floats even_brain_floats(const uint8_t *pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(pairs), 16)); }
static INLINE floats odd_brain_floats(const uint8_t *pairs) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(pairs), _mm512_set1_epi32((int)0xffff0000)));
}
#ifndef TILES_STAND_IN
static INLINE __m256i rounded_brain_floats(floats x) { return (__m256i)_mm512_cvtneps_pbh(x); }
#endif
#endif
static INLINE floats from_unsigned(const uint8_t *at) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)at)));
}
// Four bits of each byte, from a bit on.
static INLINE floats from_nibbles(const uint8_t *at, int from) {
  ints x = _mm512_srli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)at)), from);
  return _mm512_cvtepi32_ps(_mm512_and_si512(x, _mm512_set1_epi32(15)));
}
static INLINE floats from_signed(const uint8_t *at) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)at)));
}
// Bytes of E4M3, divided by 256: moved to where halves have them, whose exponents count from another zero.
static INLINE floats from_eight_bit_floats(const uint8_t *at) {
  __m256i moved = _mm256_slli_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)at)), 7);
  return _mm512_cvtph_ps(_mm256_and_si256(moved, _mm256_set1_epi16((short)0xbf80)));
}
// The same, and what is no number: a carry out of all seven bits makes it one of halves. The table takes `moved` where its first input has ones, and
// elsewhere what the carry has changed of it: nothing but the sign's copy.
#define NONE_KEPT 0xc6
static INLINE floats from_e4m3(const uint8_t *at) {
  __m256i moved = _mm256_slli_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)at)), 7);
  __m256i carried = _mm256_add_epi16(moved, _mm256_set1_epi16(0x0080));
  return _mm512_cvtph_ps(_mm256_ternarylogic_epi32(_mm256_set1_epi16((short)0xbf80), moved, carried, NONE_KEPT));
}
// 2^(x - 128), where x is a power that E8M0 keeps for quants that are doubled.
static INLINE floats from_powers(const uint8_t *at) {
  ints x = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)at));
  // The two least are below what a normal float holds.
  ints normal = _mm512_slli_epi32(_mm512_sub_epi32(x, _mm512_set1_epi32(1)), 23);
  ints least = _mm512_sllv_epi32(_mm512_set1_epi32(0x00200000), x);
  return _mm512_castsi512_ps(_mm512_mask_mov_epi32(normal, _mm512_cmplt_epi32_mask(x, _mm512_set1_epi32(2)), least));
}

// Rows become columns.
static INLINE void turn(floats rows[LANES]) {
  floats a[16], b[16];
  UNROLL for (int i = 0; i < 8; i++) {
    a[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
    a[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    b[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[4 * i]), _mm512_castps_pd(a[4 * i + 2])));
    b[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[4 * i]), _mm512_castps_pd(a[4 * i + 2])));
    b[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[4 * i + 1]), _mm512_castps_pd(a[4 * i + 3])));
    b[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[4 * i + 1]), _mm512_castps_pd(a[4 * i + 3])));
  }
  // b[4 i + j] has in its quarter q the columns 4 q + j of rows 4 i to 4 i + 3.
  UNROLL for (int j = 0; j < 4; j++) {
    floats first = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x88), second = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x88);
    floats third = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xdd), fourth = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xdd);
    rows[j] = _mm512_shuffle_f32x4(first, second, 0x88);
    rows[8 + j] = _mm512_shuffle_f32x4(first, second, 0xdd);
    rows[4 + j] = _mm512_shuffle_f32x4(third, fourth, 0x88);
    rows[12 + j] = _mm512_shuffle_f32x4(third, fourth, 0xdd);
  }
}

// Sixteen columns of as many rows of E4M3, as from_e4m3 makes floats of them: bytes are turned, which are fewer registers than floats.
#define TURNS_E4M3
static INLINE void turned_e4m3(const uint8_t *rows, long row_bytes, floats columns[LANES]) {
  // A quarter of a register is a row, of every fourth.
  __m512i row[4];
  UNROLL for (int i = 0; i < 4; i++) {
    const uint8_t *at = rows + i * row_bytes;
    row[i] = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)at));
    row[i] = _mm512_inserti32x4(row[i], _mm_loadu_si128((const __m128i *)(at + 4 * row_bytes)), 1);
    row[i] = _mm512_inserti32x4(row[i], _mm_loadu_si128((const __m128i *)(at + 8 * row_bytes)), 2);
    row[i] = _mm512_inserti32x4(row[i], _mm_loadu_si128((const __m128i *)(at + 12 * row_bytes)), 3);
  }
  __m512i first[2] = {_mm512_unpacklo_epi8(row[0], row[1]), _mm512_unpackhi_epi8(row[0], row[1])};
  __m512i last[2] = {_mm512_unpacklo_epi8(row[2], row[3]), _mm512_unpackhi_epi8(row[2], row[3])};
  __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  UNROLL for (int i = 0; i < 8; i++) {
    // Four columns of four rows each, then two of them as words.
    __m512i four = i / 2 % 2 == 0 ? _mm512_unpacklo_epi16(first[i / 4], last[i / 4]) : _mm512_unpackhi_epi16(first[i / 4], last[i / 4]);
    __m512i tops = i % 2 == 0 ? _mm512_unpacklo_epi8(_mm512_setzero_si512(), four) : _mm512_unpackhi_epi8(_mm512_setzero_si512(), four);
    __m512i moved = _mm512_srai_epi16(tops, 1);
    __m512i carried = _mm512_add_epi16(moved, _mm512_set1_epi16(0x0080));
    __m512i halves = _mm512_ternarylogic_epi32(_mm512_set1_epi16((short)0xbf80), moved, carried, NONE_KEPT);
    halves = _mm512_permutexvar_epi64(order, halves);
    columns[2 * i] = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
    columns[2 * i + 1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1));
  }
}

static INLINE bytes load_bytes(const uint8_t *at) { return _mm512_loadu_si512(at); }
static INLINE bytes low_bits(bytes x, int bits) { return _mm512_and_si512(x, _mm512_set1_epi8((char)((1 << bits) - 1))); }
// Bits `from` to `from + bits` of each byte.
static INLINE bytes bits_of(bytes x, int from, int bits) {
  return low_bits(from == 0 ? x : _mm512_srli_epi32(x, (unsigned)from), bits);
}
// x, with `bits` bits of y from `from` on above its own `place` bits.
static INLINE bytes with_bits(bytes x, bytes y, int from, int bits, int place) {
  bytes moved = from > place    ? _mm512_srli_epi32(y, (unsigned)(from - place))
                : from < place ? _mm512_slli_epi32(y, (unsigned)(place - from))
                               : y;
  return _mm512_or_si512(x, _mm512_and_si512(moved, _mm512_set1_epi8((char)(((1 << bits) - 1) << place))));
}
static INLINE bytes look_up(bytes x, const uint8_t *sixteen) {
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)sixteen)), x);
}

static INLINE words even_words(bytes x) { return _mm512_and_si512(x, _mm512_set1_epi16(255)); }
static INLINE words odd_words(bytes x) { return _mm512_srli_epi16(x, 8); }
static INLINE words subtract_words(words x, int16_t y) { return _mm512_sub_epi16(x, _mm512_set1_epi16(y)); }
static INLINE words multiply_words(words a, words b) { return _mm512_mullo_epi16(a, b); }
// What is known of lanes: a byte, a word or four bytes each.
static INLINE ints unsigned_ints(const uint8_t *at) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)at)); }
static INLINE ints signed_ints(const uint8_t *at) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)at)); }
static INLINE ints ints_of_words(const uint8_t *at) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)at)); }
static INLINE ints load_ints(const uint8_t *at) { return _mm512_loadu_si512(at); }
static INLINE ints shift_left(ints x, int count) { return _mm512_slli_epi32(x, (unsigned)count); }
static INLINE ints shift_right(ints x, int count) { return _mm512_srli_epi32(x, (unsigned)count); }
static INLINE ints and_all(ints x, uint32_t y) { return _mm512_and_si512(x, _mm512_set1_epi32((int)y)); }
static INLINE ints add_to_all(ints x, int32_t y) { return _mm512_add_epi32(x, _mm512_set1_epi32(y)); }
static INLINE ints or_ints(ints x, ints y) { return _mm512_or_si512(x, y); }
static INLINE ints xor_ints(ints x, ints y) { return _mm512_xor_si512(x, y); }

// Each lane's entry of a book, of four bytes, or of eight, of which the first four make a register and the last four another one.
static INLINE bytes gather_fours(const uint32_t *book, ints entries) { return _mm512_i32gather_epi32(entries, book, 4); }
static INLINE void gather_eights(const uint64_t *book, ints entries, bytes *both) {
  __m512i low = _mm512_i32gather_epi64(_mm512_castsi512_si256(entries), book, 8);
  __m512i high = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(entries, 1), book, 8);
  __m512i firsts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  __m512i lasts = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  both[0] = _mm512_permutex2var_epi32(low, firsts, high);
  both[1] = _mm512_permutex2var_epi32(low, lasts, high);
}
// y - x where bit j of signs is set, x elsewhere, byte by byte.
static INLINE bytes subtracted_where(ints signs, int j, uint8_t y, bytes x) {
  return _mm512_mask_sub_epi8(x, _mm512_test_epi8_mask(signs, _mm512_set1_epi8((char)(1 << j))), _mm512_set1_epi8((char)y), x);
}
// y from each byte of lanes whose bit j is set.
static INLINE bytes subtract_in_lanes(ints lanes, int j, uint8_t y, bytes x) {
  return _mm512_mask_sub_epi32(x, _mm512_test_epi32_mask(lanes, _mm512_set1_epi32(1 << j)), x, _mm512_set1_epi8((char)y));
}

// A byte for each lane, times `factor` in the first word.
static INLINE words unsigned_words(const uint8_t *at, int factor) {
  ints x = unsigned_ints(at);
  return _mm512_mullo_epi16(_mm512_or_si512(_mm512_slli_epi32(x, 16), x), _mm512_set1_epi32(0x10000 | factor));
}
// Each as both words of its lane.
static INLINE words both_words(ints x) { return _mm512_or_si512(_mm512_slli_epi32(x, 16), _mm512_and_si512(x, _mm512_set1_epi32(0xffff))); }
// Sixteen words, of each four the even ones first.
static INLINE __m256i words_of(ints x) {
  __m256i words = _mm512_cvtepi32_epi16(x);
  return _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(words, _MM_SHUFFLE(3, 1, 2, 0)), _MM_SHUFFLE(3, 1, 2, 0));
}
static INLINE words all_pairs(const uint8_t *at) { return _mm512_set1_epi32(*(const int32_t *)at); }
static INLINE ints no_ints(void) { return _mm512_setzero_si512(); }
static INLINE ints add_word_products(ints sum, words w, words x) {
#ifdef __AVX512VNNI__
  // As _mm512_dpwssd_epi32, around which GCC 12 copies sums.
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x));
  return sum;
#else
  return _mm512_add_epi32(sum, _mm512_madd_epi16(w, x));
#endif
}

#ifdef __AVX512VNNI__

#define FOUR_BYTES(parts) (4 * (parts))

typedef struct {
  ints high, middle, low;
} sums;

static INLINE sums begin_sums(int32_t start, int32_t low_start, int shift) {
  return (sums){
      _mm512_setzero_si512(),
      _mm512_slli_epi32(_mm512_set1_epi32(start), (unsigned)shift),
      _mm512_slli_epi32(_mm512_set1_epi32(low_start), (unsigned)shift)};
}
static INLINE sums add_products(sums sum, bytes w, const uint8_t *x, const int parts) {
  sum.high = _mm512_dpbusd_epi32(sum.high, w, _mm512_set1_epi32(*(const int32_t *)x));
  sum.middle = _mm512_dpbusd_epi32(sum.middle, w, _mm512_set1_epi32(*(const int32_t *)(x + 4)));
  if (parts == 3) {
    sum.low = _mm512_dpbusd_epi32(sum.low, w, _mm512_set1_epi32(*(const int32_t *)(x + 8)));
  }
  return sum;
}
static INLINE ints high_total(sums sum) { return _mm512_add_epi32(_mm512_slli_epi32(sum.high, 8), sum.middle); }
static INLINE ints low_total(sums sum) { return sum.low; }

// Sixteen activations as add_products takes them: of each four, their bytes from the highest on.
static INLINE void put_numbers(ints high, ints low, uint8_t *at, const int parts) {
  __m128i highs = _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_add_epi32(high, _mm512_set1_epi32(128)), 8));
  __m128i middles = _mm512_cvtepi32_epi8(high);
  if (parts == 2) {
    _mm_storeu_si128((__m128i *)at, _mm_unpacklo_epi32(highs, middles));
    _mm_storeu_si128((__m128i *)(at + 16), _mm_unpackhi_epi32(highs, middles));
  } else {
    __m512i together = _mm512_inserti32x4(_mm512_castsi128_si512(highs), middles, 1);
    together = _mm512_inserti32x4(together, _mm512_cvtepi32_epi8(low), 2);
    __m512i order = _mm512_setr_epi32(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 0, 0, 0, 0);
    _mm512_mask_storeu_epi32(at, 0x0fff, _mm512_permutexvar_epi32(order, together));
  }
}

#else

#define FOUR_BYTES(parts) (8 * ((parts) - 1))

typedef struct {
  ints high, low;
} sums;

static INLINE sums begin_sums(int32_t start, int32_t low_start, int shift) {
  return (sums){
      _mm512_slli_epi32(_mm512_set1_epi32(start), (unsigned)shift), _mm512_slli_epi32(_mm512_set1_epi32(low_start), (unsigned)shift)};
}
static INLINE ints add_words(ints sum, ints even, ints odd, const uint8_t *x) {
  sum = _mm512_add_epi32(sum, _mm512_madd_epi16(even, _mm512_set1_epi32(*(const int32_t *)x)));
  return _mm512_add_epi32(sum, _mm512_madd_epi16(odd, _mm512_set1_epi32(*(const int32_t *)(x + 4))));
}
static INLINE sums add_products(sums sum, bytes w, const uint8_t *x, const int parts) {
  ints even = _mm512_and_si512(w, _mm512_set1_epi16(255));
  ints odd = _mm512_srli_epi16(w, 8);
  sum.high = add_words(sum.high, even, odd, x);
  if (parts == 3) {
    sum.low = add_words(sum.low, even, odd, x + 8);
  }
  return sum;
}
static INLINE ints high_total(sums sum) { return sum.high; }
static INLINE ints low_total(sums sum) { return sum.low; }

// Sixteen activations as add_products takes them: of each four their upper words, then their low bytes as words.
static INLINE void put_numbers(ints high, ints low, uint8_t *at, const int parts) {
  if (parts == 2) {
    _mm256_storeu_si256((__m256i *)at, words_of(high));
  } else {
    int64_t both[2][4];
    _mm256_storeu_si256((__m256i *)both[0], words_of(high));
    _mm256_storeu_si256((__m256i *)both[1], words_of(low));
    UNROLL for (int i = 0; i < 8; i++) {
      memcpy(at + 8 * i, &both[i % 2][i / 2], 8);
    }
  }
}

#endif

// The largest magnitude of sixteen, as bits; what is no number is larger than all.
static INLINE uint32_t largest_of_sixteen(const float *x) {
  return (uint32_t)_mm512_reduce_max_epi32(_mm512_and_si512(_mm512_castps_si512(load(x)), _mm512_set1_epi32(0x7fffffff)));
}
// Puts sixteen numbers x · inverse, rounded to the nearest, and adds what they are made of to the sums of both.
static INLINE void round_sixteen(
    const float *x, float inverse, uint8_t *at, const int parts, int32_t *high_sum, int32_t *low_sum) {
  ints rounded = _mm512_cvtps_epi32(multiply(load(x), all(inverse)));
  ints high = rounded, low = _mm512_setzero_si512();
  if (parts == 3) {
    high = _mm512_srai_epi32(_mm512_add_epi32(rounded, _mm512_set1_epi32(128)), 8);
    low = _mm512_sub_epi32(rounded, _mm512_slli_epi32(high, 8));
    *low_sum = _mm512_reduce_add_epi32(low);
  }
  *high_sum = _mm512_reduce_add_epi32(high);
  put_numbers(high, low, at, parts);
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as words, or as wide_tiles.h takes them; their sum.
static INLINE int32_t round_words(const float *x, float inverse, uint8_t *at) {
  ints rounded = _mm512_cvtps_epi32(multiply(load(x), all(inverse)));
#ifdef TILES
  ints high = _mm512_srai_epi32(_mm512_add_epi32(rounded, _mm512_set1_epi32(64)), 7);
  _mm_storeu_si128((__m128i *)at, _mm512_cvtepi32_epi8(high));
  _mm_storeu_si128((__m128i *)(at + TILE_COLUMNS), _mm512_cvtepi32_epi8(_mm512_sub_epi32(rounded, _mm512_slli_epi32(high, 7))));
#else
  _mm256_storeu_si256((__m256i *)at, words_of(rounded));
#endif
  return _mm512_reduce_add_epi32(rounded);
}
