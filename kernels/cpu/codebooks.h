// Weights whose quants are entries of a codebook (IQ1, IQ2, IQ3): a tile has superblocks of its rows as files have them (ggml; Java's CodebookBlocks
// defines what they mean), one row's behind the other's. Before products they are unpacked into what product.h takes of other types, in the first-level
// cache: quants are bytes, less than 64 apart from 64, scales are whole and d is a half.
//
// Mapping: rows one after the other, eight columns at once, as an integer of 64 bits: two registers of quants get four bytes each.

typedef struct {
  uint16_t halves[TILE_ROWS];
  // Of each block of 32 columns eight registers of quants and two scales of each row, of 16 columns; the first counts where there is one.
  struct {
    uint8_t quants[64 * 8], scales[2 * TILE_ROWS];
  } blocks[8];
} unpacked_super;

#define CENTER 64
#define EIGHT_TIMES(byte) (0x0101010101010101u * (uint64_t)(byte))

// CENTER plus the levels of each entry, as bytes, four or eight; IQ1's are eighths.
static struct {
  uint64_t iq2_xxs[256], iq2_xs[512], iq2_s[1024], iq1[2048];
  uint32_t iq3_xxs[256], iq3_s[512];
  // CENTER - 1 for each bit of a number.
  uint64_t signs[256];
} books;

static uint64_t levels_of(unsigned packed, int count, const int8_t *levels) {
  uint64_t eight = 0;
  int bits = count == 8 ? 2 : 3;
  for (int i = 0; i < count; i++) {
    eight |= (uint64_t)(uint8_t)(CENTER + levels[packed >> bits * i & ((1u << bits) - 1)]) << 8 * i;
  }
  return eight;
}

#ifdef TILES
void BELOW(codebooks)(const uint16_t *packed);
#endif

// Takes all codebooks, packed as Java's Codebook has them, before the first product. Taking them again changes nothing meanwhile.
void EXPORT(codebooks)(const uint16_t *packed) {
  static const int8_t IQ1[4] = {-8, 0, 8}, IQ2[4] = {8, 25, 43};
  static const int8_t IQ3_XXS[8] = {2, 6, 10, 14, 18, 22, 26, 31}, IQ3_S[8] = {1, 3, 5, 7, 9, 11, 13, 15};
  for (int i = 0; i < 256; i++) {
    books.iq2_xxs[i] = levels_of(packed[i], 8, IQ2);
    books.iq3_xxs[i] = (uint32_t)levels_of(packed[1792 + i], 4, IQ3_XXS);
    uint64_t signs = 0;
    for (int bit = 0; bit < 8; bit++) {
      signs |= (uint64_t)(i >> bit & 1 ? CENTER - 1 : 0) << 8 * bit;
    }
    books.signs[i] = signs;
  }
  for (int i = 0; i < 512; i++) {
    books.iq2_xs[i] = levels_of(packed[256 + i], 8, IQ2);
    books.iq3_s[i] = (uint32_t)levels_of(packed[2048 + i], 4, IQ3_S);
  }
  for (int i = 0; i < 1024; i++) {
    books.iq2_s[i] = levels_of(packed[768 + i], 8, IQ2);
  }
  for (int i = 0; i < 2048; i++) {
    books.iq1[i] = levels_of(packed[2560 + i], 8, IQ1);
  }
#ifdef TILES
  BELOW(codebooks)(packed);
#endif
}

// CENTER plus or minus each of eight levels, from CENTER plus these: with a sign, 64 + q becomes 127 - q and then 64 - q. No byte reaches into the next.
static INLINE uint64_t with_signs(uint64_t levels, uint32_t negative) {
  uint64_t signs = books.signs[negative];
  return (levels ^ signs) - signs;
}

// Seven signs, and the eighth that makes an even number of them negative.
static INLINE uint32_t even_signs(uint32_t bits) {
  uint32_t seven = bits & 127;
  return seven | (uint32_t)__builtin_parity(seven) << 7;
}

// Columns 8 i to 8 i + 7 of a row's block.
static INLINE void put_eight(uint8_t *block, int i, uint64_t bytes) {
  memcpy(block + 128 * i, &bytes, 4);
  memcpy(block + 128 * i + 64, (uint8_t *)&bytes + 4, 4);
}

static INLINE uint32_t number16(const uint8_t *at) {
  uint16_t x;
  memcpy(&x, at, 2);
  return x;
}
static INLINE uint32_t number32(const uint8_t *at) {
  uint32_t x;
  memcpy(&x, at, 4);
  return x;
}
static INLINE uint64_t number64(const uint8_t *at) {
  uint64_t x;
  memcpy(&x, at, 8);
  return x;
}

// Some rows' superblocks, which take so many bytes: of each, and its block b, an expression for its group i, and the scales that are stored.
#define UNPACK(name, bytes, half, block_values, group, first_scale, second_scale) \
  static NOINLINE void unpack_super_##name(const uint8_t *super, int first, unpacked_super *to) { \
    for (int row = first; row < first + LANES; row++) { \
      const uint8_t *at = super + bytes * row; \
      to->halves[row] = (uint16_t)(half); \
      for (int b = 0; b < 8; b++) { \
        uint8_t *block = to->blocks[b].quants + 4 * row; \
        block_values \
        UNROLL for (int i = 0; i < 4; i++) { put_eight(block, i, group); } \
        to->blocks[b].scales[row] = (uint8_t)(2 * (first_scale) + 1); \
        to->blocks[b].scales[TILE_ROWS + row] = (uint8_t)(2 * (second_scale) + 1); \
      } \
    } \
  }
#define ENTRY(i) (entries >> 8 * (i) & 255)

UNPACK(
    iq2_xxs, 66, number16(at), uint32_t entries = number32(at + 2 + 8 * b); uint32_t signs = number32(at + 6 + 8 * b);
    , with_signs(books.iq2_xxs[ENTRY(i)], even_signs(signs >> 7 * i)), signs >> 28, 0)
UNPACK(
    iq2_xs, 74, number16(at), uint64_t four = number64(at + 2 + 8 * b);
    , with_signs(books.iq2_xs[four >> 16 * i & 511], even_signs((uint32_t)(four >> (16 * i + 9)))), at[66 + b] & 15, at[66 + b] >> 4)
UNPACK(
    iq2_s, 82, number16(at), uint32_t entries = number32(at + 2 + 4 * b); uint32_t signs = number32(at + 34 + 4 * b); uint32_t high = at[66 + b];
    , with_signs(books.iq2_s[ENTRY(i) | (high >> 2 * i & 3) << 8], signs >> 8 * i & 255), at[74 + b] & 15, at[74 + b] >> 4)
UNPACK(
    iq3_xxs, 98, number16(at), uint64_t entries = number64(at + 2 + 8 * b); uint32_t signs = number32(at + 66 + 4 * b);
    , with_signs(books.iq3_xxs[ENTRY(2 * i)] | (uint64_t)books.iq3_xxs[ENTRY(2 * i + 1)] << 32, even_signs(signs >> 7 * i)), signs >> 28, 0)
UNPACK(
    iq3_s, 110, number16(at), uint64_t entries = number64(at + 2 + 8 * b); uint32_t signs = number32(at + 74 + 4 * b); uint32_t high = at[66 + b];
    , with_signs(
          books.iq3_s[ENTRY(2 * i) | (high >> 2 * i & 1) << 8] | (uint64_t)books.iq3_s[ENTRY(2 * i + 1) | (high >> (2 * i + 1) & 1) << 8] << 32,
          signs >> 8 * i & 255),
    at[106 + b / 2] >> 4 * (b % 2) & 15, 0)
UNPACK(
    iq1_s, 50, number16(at), uint32_t entries = number32(at + 2 + 4 * b); uint32_t high = number16(at + 34 + 2 * b);
    uint64_t shift = high >> 15 ? -EIGHT_TIMES(1) : EIGHT_TIMES(1);
    , books.iq1[ENTRY(i) | (high >> 3 * i & 7) << 8] + shift, high >> 12 & 7, 0)
UNPACK(
    iq1_m, 56, number16(at + 48) >> 12 | number16(at + 50) >> 12 << 4 | number16(at + 52) >> 12 << 8 | number16(at + 54) >> 12 << 12,
    uint32_t entries = number32(at + 4 * b); uint32_t high = number16(at + 32 + 2 * b); uint32_t scales = number16(at + 48 + b / 2 * 2) >> 6 * (b % 2);
    , books.iq1[ENTRY(i) | (high >> 4 * i & 7) << 8] + (high >> (4 * i + 3) & 1 ? -EIGHT_TIMES(1) : EIGHT_TIMES(1)), scales & 7, scales >> 3 & 7)

#define PACK_SUPERS(name, bytes) \
  static void pack_row_##name(const uint8_t *row, long blocks, int lane, uint8_t *tile) { \
    for (long super = 0; super < blocks / 8; super++) { \
      memcpy(tile + (TILE_ROWS * super + lane) * bytes, row + super * bytes, bytes); \
    } \
  }

PACK_SUPERS(iq2_xxs, 66)
PACK_SUPERS(iq2_xs, 74)
PACK_SUPERS(iq2_s, 82)
PACK_SUPERS(iq3_xxs, 98)
PACK_SUPERS(iq3_s, 110)
PACK_SUPERS(iq1_s, 50)
PACK_SUPERS(iq1_m, 56)
