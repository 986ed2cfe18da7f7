// Eight lanes in two of NEON's registers each, of a processor of arm64 that has the dot product of bytes (Armv8.2-A). It multiplies signed bytes four at a
// time: an activation's bytes meet the same weights one after the other. Weights of eight bits are signed, too, therefore.

#include <arm_neon.h>

#define LANES 8
#define FEW_TOKENS 2
#define MANY_TOKENS 3
#ifdef __ARM_FEATURE_MATMUL_INT8
#define WIDE_TOKENS 6
#else
#define WIDE_TOKENS 3
#endif
#define SIGNED_BYTES
#define WIDE_BYTES

typedef struct {
  float32x4_t first, second;
} floats;
typedef struct {
  int32x4_t first, second;
} ints;
// Eight rows of four weights each.
typedef struct {
  uint8x16_t first, second;
} bytes;
// Eight rows' weights of a column, then of another one.
typedef struct {
  int16x8_t first, second;
} words;
typedef struct {
  ints high, middle, low;
} sums;

#define FOUR_BYTES(parts) (4 * (parts))

static INLINE floats all(float x) { return (floats){vdupq_n_f32(x), vdupq_n_f32(x)}; }
static INLINE floats zero(void) { return all(0); }
static INLINE floats load(const float *at) { return (floats){vld1q_f32(at), vld1q_f32(at + 4)}; }
static INLINE void store(float *at, floats x) {
  vst1q_f32(at, x.first);
  vst1q_f32(at + 4, x.second);
}
static INLINE floats add(floats a, floats b) { return (floats){vaddq_f32(a.first, b.first), vaddq_f32(a.second, b.second)}; }
static INLINE float32x4_t larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static INLINE floats maximum(floats a, floats b) { return (floats){larger(a.first, b.first), larger(a.second, b.second)}; }
static INLINE float largest_lane(floats x) { return vmaxnmvq_f32(larger(x.first, x.second)); }
static INLINE floats multiply(floats a, floats b) { return (floats){vmulq_f32(a.first, b.first), vmulq_f32(a.second, b.second)}; }
static INLINE floats multiply_add(floats a, floats b, floats c) {
  return (floats){vfmaq_f32(c.first, a.first, b.first), vfmaq_f32(c.second, a.second, b.second)};
}
static INLINE floats from_ints(ints x) { return (floats){vcvtq_f32_s32(x.first), vcvtq_f32_s32(x.second)}; }
static INLINE floats from_eight_halves(uint16x8_t x) {
  float16x8_t halves = vreinterpretq_f16_u16(x);
  return (floats){vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)};
}
static INLINE floats from_halves(const uint16_t *at) { return from_eight_halves(vld1q_u16(at)); }
// A half in all lanes.
static INLINE floats all_half(const uint8_t *at) {
  uint16_t half;
  memcpy(&half, at, 2);
  return from_eight_halves(vdupq_n_u16(half));
}
// Rounded to the nearest, halves to the even one.
static INLINE void store_halves(uint16_t *at, floats x) {
  vst1q_u16(at, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(x.first), x.second)));
}
static INLINE floats from_brain_floats(const uint16_t *at) {
  uint16x8_t x = vld1q_u16(at);
  return (floats){vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(x), 16)), vreinterpretq_f32_u32(vshll_high_n_u16(x, 16))};
}
static INLINE floats from_eight_bytes(uint8x8_t bytes) {
  uint16x8_t x = vmovl_u8(bytes);
  return (floats){vcvtq_f32_u32(vmovl_u16(vget_low_u16(x))), vcvtq_f32_u32(vmovl_high_u16(x))};
}
static INLINE floats from_unsigned(const uint8_t *at) { return from_eight_bytes(vld1_u8(at)); }
// Four bits of each byte, from a bit on.
static INLINE floats from_nibbles(const uint8_t *at, int from) { return from_eight_bytes(vld1_u8(at) >> from & vdup_n_u8(15)); }
static INLINE ints ints_from_signed(int16x8_t x) { return (ints){vmovl_s16(vget_low_s16(x)), vmovl_high_s16(x)}; }
static INLINE floats from_signed(const uint8_t *at) { return from_ints(ints_from_signed(vmovl_s8(vld1_s8((const int8_t *)at)))); }
// Bytes of E4M3, divided by 256: moved to where halves have them, whose exponents count from another zero.
static INLINE floats from_eight_bit_floats(const uint8_t *at) {
  int16x8_t moved = vshll_n_s8(vld1_s8((const int8_t *)at), 7);
  return from_eight_halves(vandq_u16(vreinterpretq_u16_s16(moved), vdupq_n_u16(0xbf80)));
}
// The same, and what is no number: a carry out of all seven bits makes it one of halves.
static INLINE floats from_e4m3(const uint8_t *at) {
  uint16x8_t moved = vreinterpretq_u16_s16(vshll_n_s8(vld1_s8((const int8_t *)at), 7));
  uint16x8_t carried = vaddq_u16(vandq_u16(moved, vdupq_n_u16(0x3f80)), vdupq_n_u16(0x0080));
  uint16x8_t none = vandq_u16(carried, vdupq_n_u16(0x4000));
  return from_eight_halves(vorrq_u16(vandq_u16(moved, vdupq_n_u16(0xbf80)), none));
}
static INLINE float32x4_t powers(uint32x4_t x) {
  // The two least are below what a normal float holds.
  uint32x4_t normal = vshlq_n_u32(vsubq_u32(x, vdupq_n_u32(1)), 23);
  uint32x4_t least = vshlq_u32(vdupq_n_u32(0x00200000), vreinterpretq_s32_u32(x));
  return vreinterpretq_f32_u32(vbslq_u32(vcltq_u32(x, vdupq_n_u32(2)), least, normal));
}
// 2^(x - 128), where x is a power that E8M0 keeps for quants that are doubled.
static INLINE floats from_powers(const uint8_t *at) {
  uint16x8_t x = vmovl_u8(vld1_u8(at));
  return (floats){powers(vmovl_u16(vget_low_u16(x))), powers(vmovl_high_u16(x))};
}

static INLINE void turn_four(float32x4_t *a, float32x4_t *b, float32x4_t *c, float32x4_t *d) {
  float64x2_t even = vreinterpretq_f64_f32(vtrn1q_f32(*a, *b)), odd = vreinterpretq_f64_f32(vtrn2q_f32(*a, *b));
  float64x2_t later_even = vreinterpretq_f64_f32(vtrn1q_f32(*c, *d)), later_odd = vreinterpretq_f64_f32(vtrn2q_f32(*c, *d));
  *a = vreinterpretq_f32_f64(vzip1q_f64(even, later_even));
  *b = vreinterpretq_f32_f64(vzip1q_f64(odd, later_odd));
  *c = vreinterpretq_f32_f64(vzip2q_f64(even, later_even));
  *d = vreinterpretq_f32_f64(vzip2q_f64(odd, later_odd));
}
// Rows become columns.
static INLINE void turn(floats rows[LANES]) {
  UNROLL for (int i = 0; i < 8; i += 4) {
    turn_four(&rows[i].first, &rows[i + 1].first, &rows[i + 2].first, &rows[i + 3].first);
    turn_four(&rows[i].second, &rows[i + 1].second, &rows[i + 2].second, &rows[i + 3].second);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    float32x4_t x = rows[i].second;
    rows[i].second = rows[4 + i].first;
    rows[4 + i].first = x;
  }
}

static INLINE bytes load_bytes(const uint8_t *at) { return (bytes){vld1q_u8(at), vld1q_u8(at + 16)}; }
static INLINE uint8x16_t sixteen_bits_of(uint8x16_t x, int from, int bits) {
  uint8x16_t moved = from == 0 ? x : x >> from;
  return from + bits == 8 ? moved : moved & vdupq_n_u8((uint8_t)((1 << bits) - 1));
}
// Bits `from` to `from + bits` of each byte.
static INLINE bytes bits_of(bytes x, int from, int bits) {
  return (bytes){sixteen_bits_of(x.first, from, bits), sixteen_bits_of(x.second, from, bits)};
}
static INLINE uint8x16_t sixteen_with_bits(uint8x16_t x, uint8x16_t y, int from, int bits, int place) {
  uint8x16_t moved = from > place ? y >> (from - place) : from < place ? y << (place - from) : y;
  return x | (moved & vdupq_n_u8((uint8_t)(((1 << bits) - 1) << place)));
}
// x, with `bits` bits of y from `from` on above its own `place` bits.
static INLINE bytes with_bits(bytes x, bytes y, int from, int bits, int place) {
  return (bytes){sixteen_with_bits(x.first, y.first, from, bits, place), sixteen_with_bits(x.second, y.second, from, bits, place)};
}
static INLINE bytes look_up(bytes x, const uint8_t *sixteen) {
  uint8x16_t table = vld1q_u8(sixteen);
  return (bytes){vqtbl1q_u8(table, x.first), vqtbl1q_u8(table, x.second)};
}

// What is known of lanes: a byte, a word or four bytes each.
static INLINE ints ints_from_unsigned(uint16x8_t x) {
  return (ints){vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(x))), vreinterpretq_s32_u32(vmovl_high_u16(x))};
}
static INLINE ints unsigned_ints(const uint8_t *at) { return ints_from_unsigned(vmovl_u8(vld1_u8(at))); }
static INLINE ints signed_ints(const uint8_t *at) { return ints_from_signed(vmovl_s8(vld1_s8((const int8_t *)at))); }
static INLINE ints ints_of_words(const uint8_t *at) { return ints_from_unsigned(vreinterpretq_u16_u8(vld1q_u8(at))); }
static INLINE ints load_ints(const uint8_t *at) { return (ints){vreinterpretq_s32_u8(vld1q_u8(at)), vreinterpretq_s32_u8(vld1q_u8(at + 16))}; }
static INLINE ints shift_left(ints x, int count) { return (ints){x.first << count, x.second << count}; }
static INLINE ints shift_right(ints x, int count) {
  uint32x4_t first = vreinterpretq_u32_s32(x.first) >> count, second = vreinterpretq_u32_s32(x.second) >> count;
  return (ints){vreinterpretq_s32_u32(first), vreinterpretq_s32_u32(second)};
}
static INLINE ints and_all(ints x, uint32_t y) {
  int32x4_t all = vdupq_n_s32((int32_t)y);
  return (ints){x.first & all, x.second & all};
}
static INLINE ints add_to_all(ints x, int32_t y) { return (ints){x.first + y, x.second + y}; }
static INLINE ints or_ints(ints x, ints y) { return (ints){x.first | y.first, x.second | y.second}; }
static INLINE ints xor_ints(ints x, ints y) { return (ints){x.first ^ y.first, x.second ^ y.second}; }

// Each lane's entry of a book, of four bytes, or of eight, of which the first four make a register and the last four another one.
static INLINE uint8x16_t four_of(const uint32_t *book, const int32_t *entries) {
  uint32x4_t of = vld1q_dup_u32(book + entries[0]);
  of = vld1q_lane_u32(book + entries[1], of, 1);
  of = vld1q_lane_u32(book + entries[2], of, 2);
  return vreinterpretq_u8_u32(vld1q_lane_u32(book + entries[3], of, 3));
}
static INLINE uint32x4_t two_of(const uint64_t *book, const int32_t *entries) {
  return vreinterpretq_u32_u64(vcombine_u64(vld1_u64(book + entries[0]), vld1_u64(book + entries[1])));
}
static INLINE void store_ints(int32_t *at, ints x) {
  vst1q_s32(at, x.first);
  vst1q_s32(at + 4, x.second);
}
static INLINE bytes gather_fours(const uint32_t *book, ints entries) {
  int32_t of[LANES];
  store_ints(of, entries);
  return (bytes){four_of(book, of), four_of(book, of + 4)};
}
static INLINE void gather_eights(const uint64_t *book, ints entries, bytes *both) {
  int32_t of[LANES];
  store_ints(of, entries);
  uint32x4_t rows[4] = {two_of(book, of), two_of(book, of + 2), two_of(book, of + 4), two_of(book, of + 6)};
  both[0] = (bytes){vreinterpretq_u8_u32(vuzp1q_u32(rows[0], rows[1])), vreinterpretq_u8_u32(vuzp1q_u32(rows[2], rows[3]))};
  both[1] = (bytes){vreinterpretq_u8_u32(vuzp2q_u32(rows[0], rows[1])), vreinterpretq_u8_u32(vuzp2q_u32(rows[2], rows[3]))};
}
// y - x where bit j of signs is set, x elsewhere, byte by byte.
static INLINE uint8x16_t sixteen_subtracted_where(int32x4_t signs, int j, uint8_t y, uint8x16_t x) {
  return vbslq_u8(vtstq_u8(vreinterpretq_u8_s32(signs), vdupq_n_u8((uint8_t)(1 << j))), vsubq_u8(vdupq_n_u8(y), x), x);
}
static INLINE bytes subtracted_where(ints signs, int j, uint8_t y, bytes x) {
  return (bytes){sixteen_subtracted_where(signs.first, j, y, x.first), sixteen_subtracted_where(signs.second, j, y, x.second)};
}
// y from each byte of lanes whose bit j is set.
static INLINE uint8x16_t subtract_in_four(int32x4_t lanes, int j, uint8_t y, uint8x16_t x) {
  uint8x16_t set = vreinterpretq_u8_u32(vtstq_s32(lanes, vdupq_n_s32((int32_t)(1u << j))));
  return vsubq_u8(x, set & vdupq_n_u8(y));
}
static INLINE bytes subtract_in_lanes(ints lanes, int j, uint8_t y, bytes x) {
  return (bytes){subtract_in_four(lanes.first, j, y, x.first), subtract_in_four(lanes.second, j, y, x.second)};
}

// A byte for each lane, times `factor` in the first word.
static INLINE words unsigned_words(const uint8_t *at, int factor) {
  int16x8_t x = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(at)));
  return (words){vmulq_n_s16(x, (int16_t)factor), x};
}
static INLINE words all_pairs(const uint8_t *at) { return (words){vld1q_dup_s16((const int16_t *)at), vld1q_dup_s16((const int16_t *)at + 1)}; }
static INLINE ints no_ints(void) { return (ints){vdupq_n_s32(0), vdupq_n_s32(0)}; }
static INLINE ints add_word_products(ints sum, words w, words x) {
  int32x4_t first = vmlal_s16(sum.first, vget_low_s16(w.first), vget_low_s16(x.first));
  int32x4_t second = vmlal_high_s16(sum.second, w.first, x.first);
  return (ints){vmlal_s16(first, vget_low_s16(w.second), vget_low_s16(x.second)), vmlal_high_s16(second, w.second, x.second)};
}

static INLINE bytes subtract_bytes(bytes x, uint8_t y) { return (bytes){vsubq_u8(x.first, vdupq_n_u8(y)), vsubq_u8(x.second, vdupq_n_u8(y))}; }

static INLINE ints all_ints(int32_t x) { return (ints){vdupq_n_s32(x), vdupq_n_s32(x)}; }
static INLINE sums begin_sums(int32_t start, int32_t low_start, int shift) {
  return (sums){no_ints(), all_ints(start * (1 << shift)), all_ints(low_start * (1 << shift))};
}
// sum + w · four of sixteen numbers.
static INLINE ints add_dots(ints sum, bytes w, int8x16_t x, const int four) {
  int8x16_t first = vreinterpretq_s8_u8(w.first), second = vreinterpretq_s8_u8(w.second);
  // Compilers want the number of a lane as they see it.
  switch (four) {
    case 0: return (ints){vdotq_laneq_s32(sum.first, first, x, 0), vdotq_laneq_s32(sum.second, second, x, 0)};
    case 1: return (ints){vdotq_laneq_s32(sum.first, first, x, 1), vdotq_laneq_s32(sum.second, second, x, 1)};
    case 2: return (ints){vdotq_laneq_s32(sum.first, first, x, 2), vdotq_laneq_s32(sum.second, second, x, 2)};
    default: return (ints){vdotq_laneq_s32(sum.first, first, x, 3), vdotq_laneq_s32(sum.second, second, x, 3)};
  }
}
static INLINE sums add_products(sums sum, bytes w, const uint8_t *x, const int parts) {
  // Behind a row's numbers lies more than the last four that this reads beyond them.
  int8x16_t numbers = parts == 3 ? vld1q_s8((const int8_t *)x) : vcombine_s8(vld1_s8((const int8_t *)x), vdup_n_s8(0));
  sum.high = add_dots(sum.high, w, numbers, 0);
  sum.middle = add_dots(sum.middle, w, numbers, 1);
  if (parts == 3) {
    sum.low = add_dots(sum.low, w, numbers, 2);
  }
  return sum;
}
static INLINE ints high_total(sums sum) {
  return (ints){
      vaddq_s32(vshlq_n_s32(sum.high.first, 8), sum.middle.first), vaddq_s32(vshlq_n_s32(sum.high.second, 8), sum.middle.second)};
}
static INLINE ints low_total(sums sum) { return sum.low; }

// The largest magnitude of sixteen, as bits; what is no number is larger than all.
static INLINE uint32_t largest_of_sixteen(const float *x) {
  uint32x4_t most = vdupq_n_u32(0), bits = vdupq_n_u32(0x7fffffff);
  UNROLL for (int i = 0; i < 16; i += 4) {
    most = vmaxq_u32(most, vandq_u32(vreinterpretq_u32_f32(vld1q_f32(x + i)), bits));
  }
  return vmaxvq_u32(most);
}
// Sixteen numbers, or those of which they are made.
typedef struct {
  int32x4_t of[4];
} numbers;

static INLINE numbers rounded(const float *x, float inverse) {
  numbers y;
  UNROLL for (int i = 0; i < 4; i++) {
    y.of[i] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4 * i), inverse));
  }
  return y;
}
// The nearest to x / 2^bits, and what is left.
static INLINE numbers above(numbers x, int bits) {
  UNROLL for (int i = 0; i < 4; i++) {
    x.of[i] = (x.of[i] + (1 << (bits - 1))) >> bits;
  }
  return x;
}
static INLINE numbers below(numbers x, numbers high, int bits) {
  UNROLL for (int i = 0; i < 4; i++) {
    x.of[i] -= high.of[i] << bits;
  }
  return x;
}
static INLINE int32_t sum_of(numbers x) { return vaddvq_s32(vaddq_s32(vaddq_s32(x.of[0], x.of[1]), vaddq_s32(x.of[2], x.of[3]))); }
static INLINE uint8x16_t low_bytes(numbers x) {
  int16x8_t first = vuzp1q_s16(vreinterpretq_s16_s32(x.of[0]), vreinterpretq_s16_s32(x.of[1]));
  int16x8_t second = vuzp1q_s16(vreinterpretq_s16_s32(x.of[2]), vreinterpretq_s16_s32(x.of[3]));
  return vuzp1q_u8(vreinterpretq_u8_s16(first), vreinterpretq_u8_s16(second));
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as add_products takes them, of each four their bytes from the highest on; and adds what they
// are made of to the sums of both.
static INLINE void round_sixteen(const float *x, float inverse, uint8_t *at, const int parts, int32_t *high_sum, int32_t *low_sum) {
  numbers all = rounded(x, inverse), high = parts == 3 ? above(all, 8) : all;
  uint32x4_t highest = vreinterpretq_u32_u8(low_bytes(above(high, 8))), middle = vreinterpretq_u32_u8(low_bytes(high));
  *high_sum = sum_of(high);
  if (parts == 3) {
    numbers low = below(all, high, 8);
    *low_sum = sum_of(low);
    vst3q_u32((uint32_t *)at, ((uint32x4x3_t){{highest, middle, vreinterpretq_u32_u8(low_bytes(low))}}));
  } else {
    vst2q_u32((uint32_t *)at, ((uint32x4x2_t){{highest, middle}}));
  }
}
// Puts sixteen numbers x · inverse, rounded to the nearest, as wide_bytes.h takes them: what is above seven bits of each, then what is below, signed; their sum.
static INLINE int32_t round_words(const float *x, float inverse, uint8_t *at) {
  numbers all = rounded(x, inverse), high = above(all, 7);
  vst1q_u8(at, low_bytes(high));
  vst1q_u8(at + 16, low_bytes(below(all, high, 7)));
  return sum_of(all);
}
