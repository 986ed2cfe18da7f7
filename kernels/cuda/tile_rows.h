// tile_rows: y[i] = row ids[i] of a matrix that lies in tiles (weight_tiles.h), as float32.
// Items: one for each column and id; a row is every sixteenth of its tile, so that a warp's reads are 32 bytes wide or less.
// Invariant: ids are of rows that exist.
// Defines: FORMAT (of weight_tiles.h), COLUMNS.

#include "eight_bit_floats.h"
#include "weight_tiles.h"

// Which lane has an element of a chunk, and where among its pairs.
struct place {
  int lane, step, pair, number;
  inline place(int row, int column) {
    int k = column % 16;
    lane = row % 8 * 4 + k % 8 / 2;
    step = column / 16;
    pair = row / 8 + k / 8 * 2;
    number = k % 2;
  }
};

// The four bits of a word, as they are stored; where they are the number of a level (levels.h), that level, plus its offset.
static inline int nibble_of(uint word, const place &p) { return word >> (4 * p.pair + 16 * p.number) & 15; }
template <class LEVELS>
static inline int level_of(uint word, const place &p) { return LEVELS::level(LEVELS::number_in(word, p.pair, p.number)); }

template <int BITS, bool MINIMUM, int OFFSET, class LEVELS>
static inline float element(small_blocks<BITS, MINIMUM, OFFSET, LEVELS>, const uchar *chunk, int row, int column) {
  typedef small_blocks<BITS, MINIMUM, OFFSET, LEVELS> F;
  place p(row, column);
  const uint *words = (const uint *)chunk;
  int q;
  if (BITS == 8) {
    uint word = words[p.step / 2 * 128 + 4 * p.lane + p.step % 2 * 2 + p.pair / 2];
    q = word >> (16 * (p.pair % 2) + 8 * p.number) & 255;
  } else if constexpr (F::ARE_LEVELS) {
    q = level_of<LEVELS>(words[4 * p.lane + p.step], p);
  } else {
    q = nibble_of(words[4 * p.lane + p.step], p);
    if (BITS == 5) {
      uint fifths = ((const uint *)(chunk + F::QUANTS))[p.lane];
      q |= (fifths >> (p.step + 4 * p.pair + 16 * p.number) & 1) << 4;
    }
  }
  const half *scales = (const half *)(chunk + F::QUANTS + F::FIFTH_BYTES) + row % 8 * (MINIMUM ? 8 : 4);
  int which = row / 8 * 2 + column / 32;
  float value = vload_half(which, scales) * (q - OFFSET);
  return MINIMUM ? value + vload_half(4 + which, scales) : value;
}

static inline float element(eight_bit_floats, const uchar *chunk, int row, int column) {
  typedef eight_bit_floats F;
  place p(row, column);
  uint word = ((const uint *)chunk)[p.step / 2 * 128 + 4 * p.lane + p.step % 2 * 2 + p.pair / 2];
  uint halves = F::as_halves(word, p.pair % 2 * 2);
  float number = (p.number == 0 ? low_half(halves) : high_half(halves)) * F::UNIT;
  return ((const float *)(chunk + F::QUANTS))[row % 8 * 4 + row / 8 * 2 + column / 32] * number;
}

template <bool FIFTH>
static inline float element(super_blocks<FIFTH>, const uchar *chunk, int row, int column) {
  typedef super_blocks<FIFTH> F;
  place p(row, column);
  int q = nibble_of(((const uint *)chunk)[p.step / 4 * 128 + 4 * p.lane + p.step % 4], p);
  if (FIFTH) {
    uint fifths = ((const uint *)(chunk + F::QUANTS))[4 * p.lane + p.step / 4];
    q |= (fifths >> (p.step % 4 + 4 * p.pair + 16 * p.number) & 1) << 4;
  }
  super_header h = super_header_of(*(const uint4 *)(chunk + F::QUANTS + F::FIFTH_BYTES + 16 * row));
  int sub = column / 32, at = 8 * (sub % 4);
  float scale = h.d * (int)((sub < 4 ? h.scales.x : h.scales.y) >> at & 255);
  return scale * q - h.dmin * (int)((sub < 4 ? h.minima.x : h.minima.y) >> at & 255);
}

// Two bits of a word of two steps; those of one step in four bits each.
static inline int two_bits_of(const uint *words, const place &p) {
  return nibble_of(words[p.step / 8 * 128 + 4 * p.lane + p.step / 2 % 4] >> 2 * (p.step % 2), p) & 3;
}

static inline int quant(two_bits, const uint *words, const place &p) { return two_bits_of(words, p); }

static inline int quant(three_bits, const uint *words, const place &p) {
  return two_bits_of(words, p) | (nibble_of(words[256 + 4 * p.lane + p.step / 4] >> p.step % 4, p) & 1) << 2;
}

static inline int quant(six_bits, const uint *words, const place &p) {
  return nibble_of(words[p.step / 4 * 128 + 4 * p.lane + p.step % 4], p) | two_bits_of(words + 512, p) << 4;
}

template <class LEVELS>
static inline int quant(numbered<LEVELS>, const uint *words, const place &p) {
  return level_of<LEVELS>(words[p.step / 4 * 128 + 4 * p.lane + p.step % 4], p);
}

template <class Q>
static inline float element(sixteens<Q>, const uchar *chunk, int row, int column) {
  typedef sixteens<Q> F;
  int q = quant(Q(), (const uint *)chunk, place(row, column)) - F::FROM;
  const uchar *scales = chunk + F::QUANTS;
  int byte = scales[16 * row + column / 16];
  if constexpr (F::ARE_FLOATS) {
    return eight_bit_float((uchar)byte) * F::WHOLE * q;
  }
  const half *d = (const half *)(scales + 256);
  int at = 2 * (row % 8) + row / 8;
  if (F::HAVE_MINIMA) {
    return vload_half(at, d) * (byte & 15) * q - vload_half(16 + at, d) * (byte >> 4);
  }
  return vload_half(at, d) * F::WHOLE * (byte - 128) * q;
}

template <bool BFLOAT>
static inline float element(sixteen_bits<BFLOAT>, const uchar *chunk, int row, int column) {
  place p(row, column);
  const ushort *bits = (const ushort *)chunk + (p.step * 32 + p.lane) * 8 + p.pair * 2 + p.number;
  return BFLOAT ? as_float((uint)*bits << 16) : vload_half(0, bits);
}

kernel void tile_rows(const int *ids, const uchar *tiles, float *y, const int *counts, int which) {
  BEGIN_LAUNCH();
  constexpr int CHUNKS = (COLUMNS + FORMAT::CHUNK - 1) / FORMAT::CHUNK;
  int column = (int)get_global_id(0), i = (int)get_global_id(1);
  if (i >= counts[which] || column >= COLUMNS) {
    return;
  }
  int row = ids[i];
  const uchar *chunk = tiles + ((size_t)(row / TILE_ROWS) * CHUNKS + column / FORMAT::CHUNK) * FORMAT::BYTES;
  y[(size_t)i * COLUMNS + column] = element(FORMAT(), chunk, row % TILE_ROWS, column % FORMAT::CHUNK);
}
