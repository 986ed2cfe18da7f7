// How weights lie in memory (the blocks of GGUF), and their decoding to float32. One type is chosen by a
// define: WEIGHT_F32, _F16, _BF16, _Q4_0, _Q4_1, _Q5_0, _Q5_1, _Q8_0, _Q4_K, _Q5_K or _Q6_K. COLUMNS is the
// length of a row.
//
//   Q4_0  half d; 16 bytes                       x = d (q - 8)     blocks of 32 elements: byte i holds
//   Q4_1  half d, m; 16 bytes                    x = d q + m       element i in its low and i + 16 in
//   Q5_0  half d; 32 fifth bits; 16 bytes        x = d (q - 16)    its high half
//   Q5_1  half d, m; 32 fifth bits; 16 bytes     x = d q + m
//   Q8_0  half d; 32 signed bytes                x = d q
//   Q4_K  half d, dmin; 8 scales and minima of 6 bits in 12 bytes; 128 bytes of 4 bits      blocks of 256
//   Q5_K  as Q4_K, with 32 bytes of fifth bits before the 128
//   Q6_K  128 bytes of low 4 bits; 64 bytes of high 2 bits; 16 signed byte scales; half d
//
// Three ways to read a row, which begins at `row`:
//   weight_at(row, column)           one element, plainly
//   decode_16(row, column)           16 elements from a column that is a multiple of 16
//   decode_pair(block, shared, ...)  the 32 elements that share 16 bytes: two runs of 16 columns that are
//                                    PAIR_DISTANCE apart. A block has PAIRS_PER_BLOCK of them, whose scales
//                                    are read once, by shared_of(block).
// Types that have no blocks (F32, F16, BF16) are treated as if they had blocks of 32; of a row whose length is no
// multiple of 32 (they may have any), the rest is read with weight_at.
//
// Every block begins at an even address, so the widest load that is always allowed is 16 bits. Where the host
// knows that rows begin at multiples of 4 or 16 (Q4_1, Q5_1, Q4_K, Q5_K and most matrices of the others can't
// have more than their block's size allows), WEIGHT_ALIGNMENT says so and loads get wider.

#ifndef WEIGHTS_H
#define WEIGHTS_H

#ifndef WEIGHT_ALIGNMENT
#define WEIGHT_ALIGNMENT 2
#endif

// The 16 bits at an even address as a float. HALF_BY_SCALING is for devices without an instruction for it, where
// float32 has subnormals: the bits are moved to where float32 has them and the exponent's bias is corrected by
// a product, which is exact. (Infinities and NaNs, which weights don't have, become large numbers.)
#ifdef HALF_BY_SCALING
static inline float half_at(global const uchar *at) {
  int bits = *(global const short *)at;
  return as_float((bits << 13) & 0x8fffe000) * 0x1p112f;
}
static inline float16 halves_at(global const uchar *at) {
  int16 bits = convert_int16(vload16(0, (global const short *)at));
  return as_float16((bits << 13) & (int16)(0x8fffe000)) * (float16)(0x1p112f);
}
#else
static inline float half_at(global const uchar *at) {
  return vload_half(0, (global const half *)at);
}
static inline float16 halves_at(global const uchar *at) {
  return vload_half16(0, (global const half *)at);
}
#endif

static inline uint uint_at(global const uchar *at) {
#if WEIGHT_ALIGNMENT >= 4
  return *(global const uint *)at;
#else
  return as_uint(vload2(0, (global const ushort *)at));
#endif
}

static inline uchar16 bytes_at(global const uchar *at) {
#if WEIGHT_ALIGNMENT >= 16
  return as_uchar16(*(global const uint4 *)at);
#elif WEIGHT_ALIGNMENT >= 4
  return as_uchar16(vload4(0, (global const uint *)at));
#else
  return as_uchar16(vload8(0, (global const ushort *)at));
#endif
}

static inline uchar16 low_halves(uchar16 bytes) {
  return bytes & (uchar16)(15);
}

static inline uchar16 high_halves(uchar16 bytes) {
  return bytes >> (uchar16)(4);
}

// Adds bits 0 to 15 of `bits` as the 16 of five-bit numbers. Comparing, not shifting, suits processors with mask registers.
static inline int16 with_fifths(uchar16 q, uint bits) {
  uint16 places = (uint16)(
      0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000);
  return convert_int16(q) | ((((uint16)(bits) & places) != (uint16)(0)) & 16);
}

static inline float16 scaled(int16 q, float scale, float minimum) {
  return fma(convert_float16(q), (float16)(scale), (float16)(minimum));
}

// ---- Types without blocks

#if defined(WEIGHT_F32) || defined(WEIGHT_F16) || defined(WEIGHT_BF16)

#define BLOCK 32
#define PAIR_DISTANCE 16
#ifdef WEIGHT_F32
#define ELEMENT_BYTES 4
#else
#define ELEMENT_BYTES 2
#endif
#define BLOCK_BYTES (BLOCK * ELEMENT_BYTES)
#define ROW_BYTES ((ulong)COLUMNS * ELEMENT_BYTES)

typedef int block_shared;

static inline block_shared shared_of(global const uchar *block) {
  return 0;
}

static inline float weight_at(global const uchar *row, int column) {
#if defined(WEIGHT_F32)
  return ((global const float *)row)[column];
#elif defined(WEIGHT_F16)
  return half_at(row + 2 * (ulong)column);
#else
  return as_float((uint)((global const ushort *)row)[column] << 16);
#endif
}

static inline float16 decode_16(global const uchar *row, int column) {
#if defined(WEIGHT_F32)
  return vload16(0, (global const float *)row + column);
#elif defined(WEIGHT_F16)
  return halves_at(row + 2 * (ulong)column);
#else
  return as_float16(convert_uint16(vload16(0, (global const ushort *)row + column)) << 16);
#endif
}

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  *low = decode_16(block, 0);
  *high = decode_16(block, 16);
}

#endif

// ---- Blocks of 32

#if defined(WEIGHT_Q4_0) || defined(WEIGHT_Q4_1) || defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1)

#define BLOCK 32
#define PAIR_DISTANCE 16
#if defined(WEIGHT_Q4_0)
#define HEADER 2
#define ZERO 8
#elif defined(WEIGHT_Q4_1)
#define HEADER 4
#elif defined(WEIGHT_Q5_0)
#define HEADER 6
#define ZERO 16
#else
#define HEADER 8
#endif
#if defined(WEIGHT_Q5_0) || defined(WEIGHT_Q5_1)
#define FIFTHS
#endif
#define BLOCK_BYTES (HEADER + 16)
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

typedef struct {
  float scale;
  float minimum;
  uint fifths;
} block_shared;

static inline block_shared shared_of(global const uchar *block) {
  block_shared shared;
  shared.scale = half_at(block);
#ifdef ZERO
  shared.minimum = -ZERO * shared.scale;
#else
  shared.minimum = half_at(block + 2);
#endif
#ifdef FIFTHS
  shared.fifths = uint_at(block + HEADER - 4);
#else
  shared.fifths = 0;
#endif
  return shared;
}

static inline float weight_at(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int i = column % BLOCK;
  int q = block[HEADER + i % 16] >> i / 16 * 4 & 15 | (shared.fifths >> i & 1) << 4;
  return shared.scale * q + shared.minimum;
}

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  uchar16 bytes = bytes_at(block + HEADER);
#ifdef FIFTHS
  int16 q_low = with_fifths(low_halves(bytes), shared.fifths);
  int16 q_high = with_fifths(high_halves(bytes), shared.fifths >> 16);
#else
  int16 q_low = convert_int16(low_halves(bytes));
  int16 q_high = convert_int16(high_halves(bytes));
#endif
  *low = scaled(q_low, shared.scale, shared.minimum);
  *high = scaled(q_high, shared.scale, shared.minimum);
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  uchar16 bytes = bytes_at(block + HEADER);
  uchar16 q = column & 16 ? high_halves(bytes) : low_halves(bytes);
#ifdef FIFTHS
  return scaled(with_fifths(q, shared.fifths >> (column & 16)), shared.scale, shared.minimum);
#else
  return scaled(convert_int16(q), shared.scale, shared.minimum);
#endif
}

#endif

#ifdef WEIGHT_Q8_0

#define BLOCK 32
#define PAIR_DISTANCE 16
#define BLOCK_BYTES 34
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

typedef float block_shared;

static inline block_shared shared_of(global const uchar *block) {
  return half_at(block);
}

static inline float weight_at(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return half_at(block) * (char)block[2 + column % BLOCK];
}

static inline void decode_pair(global const uchar *block, block_shared scale, int pair, float16 *low, float16 *high) {
  *low = convert_float16(as_char16(bytes_at(block + 2))) * scale;
  *high = convert_float16(as_char16(bytes_at(block + 18))) * scale;
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  return convert_float16(as_char16(bytes_at(block + 2 + column % BLOCK))) * half_at(block);
}

#endif

// ---- Blocks of 256

#if defined(WEIGHT_Q4_K) || defined(WEIGHT_Q5_K)

#define BLOCK 256
#define PAIR_DISTANCE 32
#ifdef WEIGHT_Q4_K
#define HEADER 16
#else
#define HEADER 48
#define FIFTHS
#endif
#define BLOCK_BYTES (HEADER + 128)
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// Scales and minima of the eight sub-blocks. Who decodes whole blocks (WHOLE_BLOCKS) makes all of them floats at once;
// others need two of them, and keep a byte of `scales` and `minima` for each, to be multiplied by d and dmin.
#ifdef WHOLE_BLOCKS
typedef struct {
  float8 scales;
  float8 minima;
} block_shared;
#else
typedef struct {
  float d;
  float dmin;
  ulong scales;
  ulong minima;
} block_shared;
#endif

// Sub-blocks 0 to 3 have their six bits in the low bits of a byte of their own; the others have four bits in
// the last four bytes and two in the highest bits of the others' bytes.
static inline block_shared shared_of(global const uchar *block) {
  float d = half_at(block);
  float dmin = -half_at(block + 2);
  uint first = uint_at(block + 4);
  uint middle = uint_at(block + 8);
  uint last = uint_at(block + 12);
  uint scales_high = last & 0x0f0f0f0f | first >> 2 & 0x30303030;
  uint minima_high = last >> 4 & 0x0f0f0f0f | middle >> 2 & 0x30303030;
  ulong scales = (ulong)scales_high << 32 | first & 0x3f3f3f3f;
  ulong minima = (ulong)minima_high << 32 | middle & 0x3f3f3f3f;
#ifdef WHOLE_BLOCKS
  block_shared shared = {convert_float8(as_uchar8(scales)) * d, convert_float8(as_uchar8(minima)) * dmin};
#else
  block_shared shared = {d, dmin, scales, minima};
#endif
  return shared;
}

static inline float scale_of(block_shared shared, int sub) {
#ifdef WHOLE_BLOCKS
  return ((float *)&shared.scales)[sub];
#else
  return shared.d * (int)(shared.scales >> 8 * sub & 255);
#endif
}

static inline float minimum_of(block_shared shared, int sub) {
#ifdef WHOLE_BLOCKS
  return ((float *)&shared.minima)[sub];
#else
  return shared.dmin * (int)(shared.minima >> 8 * sub & 255);
#endif
}

static inline float weight_at(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int sub = column % BLOCK / 32;
  int q = block[HEADER + sub / 2 * 32 + column % 32] >> sub % 2 * 4 & 15;
#ifdef FIFTHS
  q |= (block[16 + column % 32] >> sub & 1) << 4;
#endif
  return scale_of(shared, sub) * q + minimum_of(shared, sub);
}

static inline void decode_pair(global const uchar *block, block_shared shared, int pair, float16 *low, float16 *high) {
  int sub = pair / 2 * 2;
  uchar16 bytes = bytes_at(block + HEADER + 16 * pair);
  uchar16 q_low = low_halves(bytes);
  uchar16 q_high = high_halves(bytes);
#ifdef FIFTHS
  uchar16 fifths = bytes_at(block + 16 + pair % 2 * 16) >> (uchar16)(sub);
  q_low |= (fifths & (uchar16)(1)) << (uchar16)(4);
  q_high |= (fifths & (uchar16)(2)) << (uchar16)(3);
#endif
  *low = scaled(convert_int16(q_low), scale_of(shared, sub), minimum_of(shared, sub));
  *high = scaled(convert_int16(q_high), scale_of(shared, sub + 1), minimum_of(shared, sub + 1));
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  block_shared shared = shared_of(block);
  int sub = column % BLOCK / 32;
  uchar16 bytes = bytes_at(block + HEADER + sub / 2 * 32 + column % 32);
  uchar16 q = sub % 2 ? high_halves(bytes) : low_halves(bytes);
#ifdef FIFTHS
  q |= (bytes_at(block + 16 + column % 32) >> (uchar16)(sub) & (uchar16)(1)) << (uchar16)(4);
#endif
  return scaled(convert_int16(q), scale_of(shared, sub), minimum_of(shared, sub));
}

#endif

#ifdef WEIGHT_Q6_K

#define BLOCK 256
#define PAIR_DISTANCE 64
#define BLOCK_BYTES 210
#define ROW_BYTES ((ulong)(COLUMNS / BLOCK) * BLOCK_BYTES)

// Each half of 128 elements has four runs of 32: the low four bits of runs r and r + 2 share 32 bytes, and the
// high two bits of all four share 32 bytes.

typedef float block_shared;

static inline block_shared shared_of(global const uchar *block) {
  return half_at(block + 208);
}

static inline float weight_at(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int i = column % BLOCK;
  int part = i / 128;
  int run = i / 32 % 4;
  int low = block[64 * part + run % 2 * 32 + i % 32] >> run / 2 * 4 & 15;
  int high = block[128 + 32 * part + i % 32] >> 2 * run & 3;
  return shared_of(block) * (char)block[192 + i / 16] * ((low | high << 4) - 32);
}

static inline float16 scaled_6(uchar16 q, float d, uchar sub_scale) {
  float scale = d * (char)sub_scale;
  return scaled(convert_int16(q), scale, -32 * scale);
}

static inline void decode_pair(global const uchar *block, block_shared d, int pair, float16 *low, float16 *high) {
  int part = pair / 4;
  int quarter = pair % 4;
  uchar16 bytes = bytes_at(block + 16 * pair);
  uchar16 bits = bytes_at(block + 128 + 32 * part + quarter % 2 * 16) >> (uchar16)(quarter / 2 * 2);
  uchar16 q_low = low_halves(bytes) | (bits & (uchar16)(3)) << (uchar16)(4);
  uchar16 q_high = high_halves(bytes) | bits & (uchar16)(48);
  global const uchar *sub_scales = block + 192 + 8 * part + quarter;
  *low = scaled_6(q_low, d, sub_scales[0]);
  *high = scaled_6(q_high, d, sub_scales[4]);
}

static inline float16 decode_16(global const uchar *row, int column) {
  global const uchar *block = row + (ulong)(column / BLOCK) * BLOCK_BYTES;
  int i = column % BLOCK;
  int part = i / 128;
  int run = i / 32 % 4;
  uchar16 bytes = bytes_at(block + 64 * part + run % 2 * 32 + i % 32);
  uchar16 bits = bytes_at(block + 128 + 32 * part + i % 32) >> (uchar16)(2 * run);
  uchar16 q = (run & 2 ? high_halves(bytes) : low_halves(bytes)) | (bits & (uchar16)(3)) << (uchar16)(4);
  return scaled_6(q, shared_of(block), block[192 + i / 16]);
}

#endif

// 32 columns share 16 bytes: pairs of a block, and of the whole blocks of a row.
#define PAIRS_PER_BLOCK (BLOCK / 32)
#define PAIRS (COLUMNS / BLOCK * PAIRS_PER_BLOCK)
// Columns from here on are in no block (F32, F16 and BF16 only).
#define BLOCK_COLUMNS (COLUMNS / BLOCK * BLOCK)

// Where the first of a pair's two runs of columns begins, within the block.
static inline int pair_column(int pair) {
  return pair / (PAIR_DISTANCE / 16) * (2 * PAIR_DISTANCE) + pair % (PAIR_DISTANCE / 16) * 16;
}

#endif
