// repack: a matrix as GGUF stores it becomes tiles (weight_tiles.h); behind the last row and column are zeros.
// Items: a thread for each lane of each chunk of each tile; rows are counted from first_tile on. Traffic: each byte in once or, in single bytes, from L1; each out once.
// Defines: WEIGHT_*, COLUMNS, FORMAT (of weight_tiles.h).

#include "weight_tiles.h"
#include "stored_quants.h"

#define CHUNKS ((COLUMNS + FORMAT::CHUNK - 1) / FORMAT::CHUNK)

struct lane_source {
  const uchar *rows;
#ifdef CODEBOOK
  const ushort *codebook;
#endif
  int row_count, row, column, chunk_column;

  // Element e (0 or 1) of pair i of a step; what is not there counts as zero, whatever its bits.
  inline uint bits(int step, int i, int e) const {
    int r = row + i % 2 * 8;
    int c = column + 16 * step + i / 2 * 8 + e;
    if (r >= row_count || c >= COLUMNS) {
      return 0;
    }
    const uchar *from = rows + (size_t)r * ROW_BYTES;
#if BITS == 16
    return ((const ushort *)from)[c];
#elif defined(CODEBOOK)
    return stored_quant(from + (size_t)(c / BLOCK) * BLOCK_BYTES, c % BLOCK, codebook);
#else
    return stored_quant(from + (size_t)(c / BLOCK) * BLOCK_BYTES, c % BLOCK);
#endif
  }

  // Bits of the four pairs of some steps: `width` bits of each number from `from` on, at stride · step + 4 · pair.
  inline uint gathered(int first_step, int steps, int from, int width, int stride) const {
    uint word = 0;
    for (int step = 0; step < steps; step++) {
      for (int n = 0; n < 8; n++) {
        uint field = bits(first_step + step, n % 4, n / 4) >> from & ((1 << width) - 1);
        word |= field << (stride * step + 4 * (n % 4) + n / 4 * 16);
      }
    }
    return word;
  }

#if BITS >= 4 && BITS < 8
  inline uint nibble_word(int step) const {
    uint word = 0;
    for (int n = 0; n < 8; n++) {
      word |= FORMAT::levels::placed(bits(step, n / 2, n % 2), n / 2, n % 2);
    }
    return word;
  }
#endif
  // Bits `from` of four steps; two bits from there on of two steps.
  inline uint single_bits(int step, int from) const { return gathered(step, 4, from, 1, 1); }
  inline uint double_bits(int step, int from) const { return gathered(step, 2, from, 2, 2); }

  // The block of a row (0: g, 1: g + 8) that begins at a column of the chunk, or null.
  inline const uchar *block(int half_of, int at) const {
    int r = row + 8 * half_of;
#if BITS == 16
    return nullptr;
#else
    int c = chunk_column + at;
    return r < row_count && c < COLUMNS ? rows + (size_t)r * ROW_BYTES + (size_t)(c / BLOCK) * BLOCK_BYTES : nullptr;
#endif
  }

};

static inline uint half_word(const uchar *block, int at) { return block == nullptr ? 0 : *(const ushort *)(block + at); }

kernel void repack(
    const uchar *w, int rows, uchar *tiles, ulong first_tile
#ifdef CODEBOOK
    , const ushort *codebook
#endif
) {
  size_t item = get_global_id(0);
  int lane = (int)(item % 32);
  size_t chunk_index = item / 32;
  int chunk = (int)(chunk_index % CHUNKS);
  size_t tile = chunk_index / CHUNKS;
  if (tile * TILE_ROWS >= rows) {
    return;
  }
  lane_source source;
  source.rows = w;
#ifdef CODEBOOK
  source.codebook = codebook;
#endif
  source.row_count = rows;
  source.row = (int)tile * TILE_ROWS + lane / 4;
  source.chunk_column = chunk * FORMAT::CHUNK;
  source.column = source.chunk_column + 2 * (lane % 4);
  uchar *to = tiles + ((first_tile + tile) * CHUNKS + chunk) * FORMAT::BYTES;
#if BITS == 16
  uint4 *pairs = (uint4 *)to;
  for (int step = 0; step < FORMAT::STEPS; step++) {
    uint4 v;
    v.x = source.bits(step, 0, 0) | source.bits(step, 0, 1) << 16;
    v.y = source.bits(step, 1, 0) | source.bits(step, 1, 1) << 16;
    v.z = source.bits(step, 2, 0) | source.bits(step, 2, 1) << 16;
    v.w = source.bits(step, 3, 0) | source.bits(step, 3, 1) << 16;
    pairs[step * 32 + lane] = v;
  }
#elif BITS == 8
  uint4 *words = (uint4 *)to;
  for (int i = 0; i < 2; i++) {
    uint v[4];
    for (int j = 0; j < 4; j++) {
      int step = 2 * i + j / 2, pair = j % 2 * 2;
      v[j] = source.bits(step, pair, 0) | source.bits(step, pair, 1) << 8 | source.bits(step, pair + 1, 0) << 16 |
             source.bits(step, pair + 1, 1) << 24;
    }
    words[32 * i + lane] = make_uint4(v[0], v[1], v[2], v[3]);
  }
#elif BITS < 4
  uint *words = (uint *)to;
  for (int i = 0; i < 8; i++) {
    words[i / 4 * 128 + 4 * lane + i % 4] = source.double_bits(2 * i, 0);
  }
#else
  uint4 *words = (uint4 *)to;
  for (int i = 0; i < FORMAT::STEPS / 4; i++) {
    words[32 * i + lane] = make_uint4(source.nibble_word(4 * i), source.nibble_word(4 * i + 1), source.nibble_word(4 * i + 2),
                                      source.nibble_word(4 * i + 3));
  }
#endif
#if BITS == 5
  for (int i = 0; i < FORMAT::STEPS / 4; i++) {
    ((uint *)(to + FORMAT::QUANTS))[lane * (FORMAT::STEPS / 4) + i] = source.single_bits(4 * i, 4);
  }
#elif BITS == 6
  uint *highs = (uint *)(to + 2048);
  for (int i = 0; i < 8; i++) {
    highs[i / 4 * 128 + 4 * lane + i % 4] = source.double_bits(2 * i, 4);
  }
#elif BITS == 3
  for (int i = 0; i < 4; i++) {
    words[256 + 4 * lane + i] = source.single_bits(4 * i, 2);
  }
#endif
  // A row group's first lane has its scales.
  if (lane % 4 != 0) {
    return;
  }
  int g = lane / 4;
#ifdef SIXTEENS
  uchar *scales = to + FORMAT::QUANTS;
  for (int half_of = 0; half_of < 2; half_of++) {
    for (int i = 0; i < 16; i++) {
      const uchar *block = source.block(half_of, 16 * i);
      uint zero = FORMAT::HAVE_MINIMA || FORMAT::ARE_FLOATS ? 0 : 128;
      scales[16 * (g + 8 * half_of) + i] = (uchar)(block == nullptr ? zero : scale_byte(block, i % (BLOCK / 16)));
    }
#ifdef HAS_D
    const uchar *block = source.block(half_of, 0);
    ((ushort *)(scales + 256))[2 * g + half_of] = (ushort)(block == nullptr ? 0 : d_bits(block));
#if BITS == 2
    ((ushort *)(scales + 288))[2 * g + half_of] = (ushort)(block == nullptr ? 0 : dmin_bits(block));
#endif
#endif
  }
#elif BITS != 16 && BLOCK == 256
  for (int half_of = 0; half_of < 2; half_of++) {
    const uchar *block = source.block(half_of, 0);
    uint *header = (uint *)(to + FORMAT::QUANTS + FORMAT::FIFTH_BYTES + 16 * (g + 8 * half_of));
    for (int i = 0; i < 4; i++) {
      header[i] = half_word(block, 4 * i) | half_word(block, 4 * i + 2) << 16;
    }
  }
#elif defined(WEIGHT_SCALED_F8)
  uint *scales = (uint *)(to + FORMAT::QUANTS);
  for (int i = 0; i < 4; i++) {
    const uchar *block = source.block(i / 2, 32 * (i % 2));
    scales[4 * g + i] = half_word(block, 0) | half_word(block, 2) << 16;
  }
#elif BITS != 16
  ushort *scales = (ushort *)(to + FORMAT::QUANTS + FORMAT::FIFTH_BYTES);
  for (int i = 0; i < 4; i++) {
    const uchar *block = source.block(i / 2, 32 * (i % 2));
#ifdef MINIMUM
    scales[8 * g + i] = (ushort)half_word(block, 0);
    scales[8 * g + 4 + i] = (ushort)half_word(block, 2);
#else
    scales[4 * g + i] = (ushort)(block == nullptr ? 0 : d_bits(block));
#endif
  }
#endif
}
