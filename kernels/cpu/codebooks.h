// Weights whose quants are entries of a codebook (IQ1, IQ2, IQ3) or digits to base three (TQ): a tile has superblocks of its rows as files have them (ggml;
// Java's CodebookBlocks and TernaryBlocks define what they mean), one row's behind the other's. Before products they are unpacked into what
// product.h takes of other types, in the first-level cache: quants are bytes, less than 64 apart from 64, scales are whole and d is a half.
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

// Levels of each entry as bytes, four or eight; IQ1's have CENTER added and are eighths.
static struct {
  uint64_t iq2_xxs[256], iq2_xs[512], iq2_s[1024], iq1[2048];
  uint32_t iq3_xxs[256], iq3_s[512];
  // All bits of a byte for each bit of a number.
  uint64_t signs[256];
} books;

static uint64_t levels_of(unsigned packed, int count, const int8_t *levels) {
  uint64_t eight = 0;
  int bits = count == 8 ? 2 : 3;
  for (int i = 0; i < count; i++) {
    eight |= (uint64_t)(uint8_t)levels[packed >> bits * i & ((1u << bits) - 1)] << 8 * i;
  }
  return eight;
}

// Takes all codebooks, packed as Java's Codebook has them, before the first product.
void EXPORT(codebooks)(const uint16_t *packed) {
  static const int8_t IQ1[4] = {CENTER - 8, CENTER, CENTER + 8, CENTER}, IQ2[4] = {8, 25, 43};
  static const int8_t IQ3_XXS[8] = {2, 6, 10, 14, 18, 22, 26, 31}, IQ3_S[8] = {1, 3, 5, 7, 9, 11, 13, 15};
  for (int i = 0; i < 256; i++) {
    books.iq2_xxs[i] = levels_of(packed[i], 8, IQ2);
    books.iq3_xxs[i] = (uint32_t)levels_of(packed[1792 + i], 4, IQ3_XXS);
    books.signs[i] = 0;
    for (int bit = 0; bit < 8; bit++) {
      books.signs[i] |= (uint64_t)(i >> bit & 1 ? 255 : 0) << 8 * bit;
    }
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
}

// CENTER plus or minus each of eight levels: no byte reaches into the next.
static INLINE uint64_t with_signs(uint64_t levels, uint8_t negative) {
  uint64_t signs = books.signs[negative];
  return EIGHT_TIMES(CENTER) + (levels & ~signs) - (levels & signs);
}

// Seven signs, and the eighth that makes an even number of them negative.
static INLINE uint8_t even_signs(uint32_t bits) {
  uint32_t seven = bits & 127;
  return (uint8_t)(seven | (uint32_t)__builtin_parity(seven) << 7);
}

// Columns 8 · group to 8 · group + 7 of a row.
static INLINE void put_eight(unpacked_super *to, int group, int row, uint64_t bytes) {
  uint8_t *at = to->blocks[group / 4].quants + 128 * (group % 4) + 4 * row;
  memcpy(at, &bytes, 4);
  memcpy(at + 64, (uint8_t *)&bytes + 4, 4);
}

// Of 32 columns, or each 16 of them.
static INLINE void put_scale(unpacked_super *to, int block, int row, int stored) { to->blocks[block].scales[row] = (uint8_t)(2 * stored + 1); }
static INLINE void put_both_scales(unpacked_super *to, int block, int row, int first, int second) {
  to->blocks[block].scales[row] = (uint8_t)(2 * first + 1);
  to->blocks[block].scales[TILE_ROWS + row] = (uint8_t)(2 * second + 1);
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
static INLINE int nibble_of(const uint8_t *at, int i) { return at[i / 2] >> 4 * (i % 2) & 15; }

// Some rows' superblocks, which take so many bytes.
#define UNPACK(name, bytes, half, ...) \
  static NOINLINE void unpack_super_##name(const uint8_t *super, int first, unpacked_super *to) { \
    for (int row = first; row < first + LANES; row++) { \
      const uint8_t *at = super + bytes * row; \
      to->halves[row] = (uint16_t)(half); \
      __VA_ARGS__ \
    } \
  }

UNPACK(iq2_xxs, 66, number16(at), {
  for (int b = 0; b < 8; b++) {
    const uint8_t *entries = at + 2 + 8 * b;
    uint32_t signs = number32(entries + 4);
    for (int i = 0; i < 4; i++) {
      put_eight(to, 4 * b + i, row, with_signs(books.iq2_xxs[entries[i]], even_signs(signs >> 7 * i)));
    }
    put_scale(to, b, row, (int)(signs >> 28));
  }
})
UNPACK(iq2_xs, 74, number16(at), {
  for (int group = 0; group < 32; group++) {
    uint32_t packed = number16(at + 2 + 2 * group);
    put_eight(to, group, row, with_signs(books.iq2_xs[packed & 511], even_signs(packed >> 9)));
  }
  for (int b = 0; b < 8; b++) {
    put_both_scales(to, b, row, at[66 + b] & 15, at[66 + b] >> 4);
  }
})
UNPACK(iq2_s, 82, number16(at), {
  for (int group = 0; group < 32; group++) {
    int entry = at[2 + group] | (at[66 + group / 4] >> 2 * (group % 4) & 3) << 8;
    put_eight(to, group, row, with_signs(books.iq2_s[entry], at[34 + group]));
  }
  for (int b = 0; b < 8; b++) {
    put_both_scales(to, b, row, at[74 + b] & 15, at[74 + b] >> 4);
  }
})
UNPACK(iq3_xxs, 98, number16(at), {
  for (int b = 0; b < 8; b++) {
    const uint8_t *entries = at + 2 + 8 * b;
    uint32_t signs = number32(at + 66 + 4 * b);
    for (int i = 0; i < 4; i++) {
      uint64_t levels = books.iq3_xxs[entries[2 * i]] | (uint64_t)books.iq3_xxs[entries[2 * i + 1]] << 32;
      put_eight(to, 4 * b + i, row, with_signs(levels, even_signs(signs >> 7 * i)));
    }
    put_scale(to, b, row, (int)(signs >> 28));
  }
})
UNPACK(iq3_s, 110, number16(at), {
  for (int group = 0; group < 32; group++) {
    uint32_t high = (uint32_t)at[66 + group / 4] >> 2 * (group % 4);
    uint32_t first = at[2 + 2 * group] | (high & 1) << 8, second = at[3 + 2 * group] | (high & 2) << 7;
    put_eight(to, group, row, with_signs(books.iq3_s[first] | (uint64_t)books.iq3_s[second] << 32, at[74 + group]));
  }
  for (int b = 0; b < 8; b++) {
    put_scale(to, b, row, nibble_of(at + 106, b));
  }
})
UNPACK(iq1_s, 50, number16(at), {
  for (int b = 0; b < 8; b++) {
    uint32_t high = number16(at + 34 + 2 * b);
    uint64_t shift = high >> 15 ? EIGHT_TIMES(0) - EIGHT_TIMES(1) : EIGHT_TIMES(1);
    for (int i = 0; i < 4; i++) {
      put_eight(to, 4 * b + i, row, books.iq1[at[2 + 4 * b + i] | (high >> 3 * i & 7) << 8] + shift);
    }
    put_scale(to, b, row, (int)(high >> 12 & 7));
  }
})
UNPACK(
    iq1_m, 56,
    number16(at + 48) >> 12 | number16(at + 50) >> 12 << 4 | number16(at + 52) >> 12 << 8 | number16(at + 54) >> 12 << 12, {
      for (int group = 0; group < 32; group++) {
        int high = nibble_of(at + 32, group);
        uint64_t shift = high > 7 ? EIGHT_TIMES(0) - EIGHT_TIMES(1) : EIGHT_TIMES(1);
        put_eight(to, group, row, books.iq1[at[group] | (high & 7) << 8] + shift);
      }
      for (int b = 0; b < 8; b++) {
        uint32_t scales = number16(at + 48 + 2 * (b / 2)) >> 6 * (b % 2);
        put_both_scales(to, b, row, (int)(scales & 7), (int)(scales >> 3 & 7));
      }
    })

static INLINE void put_digits(unpacked_super *to, int row, const uint8_t *digits) {
  for (int group = 0; group < 32; group++) {
    uint64_t eight;
    memcpy(&eight, digits + 8 * group, 8);
    put_eight(to, group, row, eight + EIGHT_TIMES(CENTER - 1));
  }
  for (int b = 0; b < 8; b++) {
    put_scale(to, b, row, 0);
  }
}

// Digit `number` to base three of each of some fractions of 256.
static INLINE void thirds(const uint8_t *fractions, const int count, int number, uint8_t *digits) {
  static const uint8_t POWERS[5] = {1, 3, 9, 27, 81};
  for (int i = 0; i < count; i++) {
    digits[i] = (uint8_t)((uint8_t)(fractions[i] * POWERS[number]) * 3 >> 8);
  }
}

UNPACK(tq1_0, 54, number16(at + 52), {
  uint8_t digits[256];
  for (int i = 0; i < 5; i++) {
    thirds(at, 32, i, digits + 32 * i);
    thirds(at + 32, 16, i, digits + 160 + 16 * i);
  }
  for (int i = 0; i < 4; i++) {
    thirds(at + 48, 4, i, digits + 240 + 4 * i);
  }
  put_digits(to, row, digits);
})
UNPACK(tq2_0, 66, number16(at + 64), {
  uint8_t digits[256];
  for (int i = 0; i < 256; i++) {
    digits[i] = at[32 * (i / 128) + i % 32] >> 2 * (i / 32 % 4) & 3;
  }
  put_digits(to, row, digits);
})

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
PACK_SUPERS(tq1_0, 54)
PACK_SUPERS(tq2_0, 66)
