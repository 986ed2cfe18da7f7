// Rows of weights that have codebooks become tiles as codebooks.h describes them.

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
static INLINE void put16(uint32_t x, uint8_t *to) {
  uint16_t word = (uint16_t)x;
  memcpy(to, &word, 2);
}

// 32 columns' signs, as bits.
static INLINE void put_signs(uint32_t signs, uint8_t *to) {
  for (int i = 0; i < 4; i++) {
    // Every fourth bit moves to the next one, in pairs, fours and eights.
    uint32_t x = signs >> i & 0x11111111;
    x = (x | x >> 3) & 0x03030303;
    x = (x | x >> 6) & 0x000f000f;
    to[i] = (uint8_t)(x | x >> 12);
  }
}

// Four times seven signs, and a bit in place of the eighth from each of the lowest bits of four bytes.
static INLINE uint32_t with_spare(uint32_t sevens, uint32_t spare) {
  uint32_t signs = 0;
  for (int i = 0; i < 4; i++) {
    signs |= (sevens >> 7 * i & 127) << 8 * i | (spare >> 8 * i & 1) << (8 * i + 7);
  }
  return signs;
}
// Four bits, each as the lowest one of a byte.
static INLINE uint32_t apart(uint32_t four) { return (four & 1) | (four & 2) << 7 | (four & 4) << 14 | (four & 8) << 21; }

#define PACK_SUPERS(name, bytes, block_bytes, super_bytes, half, ...) \
  static void pack_row_##name(const uint8_t *row, long blocks, int lane, uint8_t *tile) { \
    for (long b = 0; b < blocks; b++) { \
      const uint8_t *from = row + (bytes) * (b / 8); \
      const int of = (int)(b % 8); \
      uint8_t *super = SUPER_OF(block_bytes, super_bytes), *to = BLOCK_OF(block_bytes, super_bytes); \
      if (of == 0) { \
        put16(half, super + 2 * lane); \
      } \
      __VA_ARGS__ \
    } \
  }

PACK_SUPERS(iq2_xxs, 66, 64 + 64, 32, number16(from), {
  const uint8_t *at = from + 2 + 8 * of;
  memcpy(to + 4 * lane, at, 4);
  put_signs(with_spare(number32(at + 4), apart(number32(at + 4) >> 28)), to + 64 + 4 * lane);
})
PACK_SUPERS(iq2_xs, 74, 64 + 80, 32, number16(from), {
  uint32_t sevens = 0, spare = 0;
  for (int i = 0; i < 4; i++) {
    uint32_t both = number16(from + 2 + 8 * of + 2 * i);
    to[4 * lane + i] = (uint8_t)both;
    sevens |= (both >> 9) << 7 * i;
    spare |= (both >> 8 & 1) << 8 * i;
  }
  put_signs(with_spare(sevens, spare), to + 64 + 4 * lane);
  to[128 + lane] = from[66 + of];
})
PACK_SUPERS(iq2_s, 82, 64 + 96, 32, number16(from), {
  memcpy(to + 4 * lane, from + 2 + 4 * of, 4);
  put_signs(number32(from + 34 + 4 * of), to + 64 + 4 * lane);
  to[128 + lane] = from[66 + of];
  to[144 + lane] = from[74 + of];
})
PACK_SUPERS(iq3_xxs, 98, 128 + 64, 32, number16(from), {
  uint32_t signs = number32(from + 66 + 4 * of);
  memcpy(to + 4 * lane, from + 2 + 8 * of, 4);
  memcpy(to + 64 + 4 * lane, from + 6 + 8 * of, 4);
  put_signs(with_spare(signs, apart(signs >> 28)), to + 128 + 4 * lane);
})
PACK_SUPERS(iq3_s, 110, 128 + 80, 96, number16(from), {
  memcpy(super + 32 + 4 * lane, from + 106, 4);
  memcpy(to + 4 * lane, from + 2 + 8 * of, 4);
  memcpy(to + 64 + 4 * lane, from + 6 + 8 * of, 4);
  put_signs(number32(from + 74 + 4 * of), to + 128 + 4 * lane);
  to[192 + lane] = from[66 + of];
})
PACK_SUPERS(iq1_s, 50, 64 + 32, 32, number16(from), {
  memcpy(to + 4 * lane, from + 2 + 4 * of, 4);
  memcpy(to + 64 + 2 * lane, from + 34 + 2 * of, 2);
})
PACK_SUPERS(
    iq1_m, 56, 64 + 48, 32,
    number16(from + 48) >> 12 | number16(from + 50) >> 12 << 4 | number16(from + 52) >> 12 << 8 | number16(from + 54) >> 12 << 12, {
      uint32_t scales = number16(from + 48 + of / 2 * 2) >> 6 * (of % 2);
      memcpy(to + 4 * lane, from + 4 * of, 4);
      memcpy(to + 64 + 2 * lane, from + 32 + 2 * of, 2);
      to[96 + lane] = (uint8_t)((scales & 7) | (scales >> 3 & 7) << 4);
    })
