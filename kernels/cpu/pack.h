// Rows of weights as files have them (ggml's blocks) become tiles, in which the lanes of registers find their rows beside each other: in each
// register of quants a lane's four bytes are four columns of its row. No bit is lost; scales of six bits become bytes.
//
// A block of 32 columns is registers of nibbles (register j: columns 8j to 8j + 3 low, 8j + 4 to 8j + 7 high), then registers of what is above four bits:
// one of single bits (bit j of a byte: columns 4j to 4j + 3), or two of two bits (bits 2j and 2j + 1 of register i: columns 16i + 4j to 16i + 4j + 3); or registers
// of bytes, which products.h says the sign of. Quants of two and three bits have registers of two bits first. Padding rows are zeros.
// (Of those with codebooks codebooks.h tells.)

#define RUNS(n) for (int i = 0; i < n; i++)

static INLINE void put_nibbles(const uint8_t *q, uint8_t *to) {
  for (int j = 0; j < 4; j++) {
    uint8_t both[4];
    for (int b = 0; b < 4; b++) {
      both[b] = (uint8_t)((q[8 * j + b] & 15) | q[8 * j + 4 + b] << 4);
    }
    memcpy(to + 64 * j, both, 4);
  }
}

// Bit `from` of each quant.
static INLINE void put_bits(const uint8_t *q, int from, uint8_t *to) {
  uint8_t bits[4] = {0, 0, 0, 0};
  for (int j = 0; j < 8; j++) {
    for (int b = 0; b < 4; b++) {
      bits[b] |= (uint8_t)((q[4 * j + b] >> from & 1) << j);
    }
  }
  memcpy(to, bits, 4);
}

// Two bits of each quant, from `from` on.
static INLINE void put_pairs(const uint8_t *q, int from, uint8_t *to) {
  for (int i = 0; i < 2; i++) {
    uint8_t bits[4] = {0, 0, 0, 0};
    for (int j = 0; j < 4; j++) {
      for (int b = 0; b < 4; b++) {
        bits[b] |= (uint8_t)((q[16 * i + 4 * j + b] >> from & 3) << 2 * j);
      }
    }
    memcpy(to + 64 * i, bits, 4);
  }
}

static INLINE void put_eights(const uint8_t *q, uint8_t *to) {
  for (int j = 0; j < 8; j++) {
    memcpy(to + 64 * j, q + 4 * j, 4);
  }
}

static INLINE void get_nibbles(const uint8_t *at, uint8_t *q) {
  RUNS(16) {
    q[i] = at[i] & 15;
    q[16 + i] = at[i] >> 4;
  }
}

static INLINE void get_fives(const uint8_t *high, const uint8_t *at, uint8_t *q) {
  uint32_t fifth;
  memcpy(&fifth, high, 4);
  get_nibbles(at, q);
  RUNS(32) { q[i] |= (uint8_t)((fifth >> i & 1) << 4); }
}

// Where block b lies in a tile, whose blocks take so many bytes, and so many each 8 of them share.
#define BLOCK_OF(bytes, super_bytes) (tile + (bytes) * b + (super_bytes) * (b / 8 + 1))
#define SUPER_OF(bytes, super_bytes) (tile + (8 * (bytes) + (super_bytes)) * (b / 8))

#define PACK_BLOCKS(name, block_bytes, quant_bytes, scale_bytes, body) \
  static void pack_row_##name(const uint8_t *row, long blocks, int lane, uint8_t *tile) { \
    for (long b = 0; b < blocks; b++) { \
      const uint8_t *at = row + block_bytes * b; \
      uint8_t *quants_at = BLOCK_OF(quant_bytes + scale_bytes, 0) + 4 * lane; \
      uint8_t *scales_at = BLOCK_OF(quant_bytes + scale_bytes, 0) + quant_bytes; \
      uint8_t q[32]; \
      body \
    } \
  }

PACK_BLOCKS(q4_0, 18, 256, 32, {
  get_nibbles(at + 2, q);
  put_nibbles(q, quants_at);
  memcpy(scales_at + 2 * lane, at, 2);
})
PACK_BLOCKS(q4_1, 20, 256, 64, {
  get_nibbles(at + 4, q);
  put_nibbles(q, quants_at);
  memcpy(scales_at + 2 * lane, at, 2);
  memcpy(scales_at + 32 + 2 * lane, at + 2, 2);
})
PACK_BLOCKS(q5_0, 22, 320, 32, {
  get_fives(at + 2, at + 6, q);
  put_nibbles(q, quants_at);
  put_bits(q, 4, quants_at + 256);
  memcpy(scales_at + 2 * lane, at, 2);
})
PACK_BLOCKS(q5_1, 24, 320, 64, {
  get_fives(at + 4, at + 8, q);
  put_nibbles(q, quants_at);
  put_bits(q, 4, quants_at + 256);
  memcpy(scales_at + 2 * lane, at, 2);
  memcpy(scales_at + 32 + 2 * lane, at + 2, 2);
})
PACK_BLOCKS(q8_0, 34, 512, 32, {
  RUNS(32) { q[i] = at[2 + i] ^ EIGHT_BITS_ZERO; }
  put_eights(q, quants_at);
  memcpy(scales_at + 2 * lane, at, 2);
})
PACK_BLOCKS(iq4_nl, 18, 256, 32, {
  get_nibbles(at + 2, q);
  put_nibbles(q, quants_at);
  memcpy(scales_at + 2 * lane, at, 2);
})
PACK_BLOCKS(mxfp4, 17, 256, 16, {
  get_nibbles(at + 1, q);
  put_nibbles(q, quants_at);
  scales_at[lane] = at[0];
})

static void pack_row_nvfp4(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *at = row + 36 * (b / 2), *packed = at + 4 + 16 * (b % 2);
    uint8_t q[32], *to = BLOCK_OF(256 + 32, 0);
    RUNS(32) { q[i] = packed[8 * (i / 16) + i % 8] >> 4 * (i / 8 % 2) & 15; }
    put_nibbles(q, to + 4 * lane);
    for (int half = 0; half < 2; half++) {
      uint8_t scale = at[2 * (b % 2) + half];
      // One that is no number is 0.
      to[256 + 16 * half + lane] = scale == 0x7f ? 0 : scale & 0x7f;
    }
  }
}

// The scale and minimum of a superblock's block i, of six bits each (ggml).
static INLINE void get_sixths(const uint8_t *packed, int i, uint8_t *scale, uint8_t *minimum) {
  if (i < 4) {
    *scale = packed[i] & 63;
    *minimum = packed[i + 4] & 63;
  } else {
    *scale = (uint8_t)((packed[i + 4] & 15) | (packed[i - 4] >> 6) << 4);
    *minimum = (uint8_t)((packed[i + 4] >> 4) | (packed[i] >> 6) << 4);
  }
}

// What superblocks with minimums have of scales, of which a tile has two bytes a lane for each of both, and each block a byte.
static INLINE void put_super_scales(const uint8_t *super, int of, uint8_t *scales, uint8_t *supers) {
  get_sixths(super + 4, of, scales, scales + 16);
  memcpy(supers, super, 2);
  memcpy(supers + 32, super + 2, 2);
}

static void pack_row_q4_k(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 144 * (b / 8);
    int of = (int)(b % 8);
    uint8_t q[32];
    RUNS(32) { q[i] = super[16 + 32 * (of / 2) + i] >> 4 * (of % 2) & 15; }
    uint8_t *to = BLOCK_OF(256 + 32, 64);
    put_nibbles(q, to + 4 * lane);
    put_super_scales(super, of, to + 256 + lane, SUPER_OF(256 + 32, 64) + 2 * lane);
  }
}

static void pack_row_q5_k(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 176 * (b / 8);
    int of = (int)(b % 8);
    uint8_t q[32];
    RUNS(32) { q[i] = (uint8_t)((super[48 + 32 * (of / 2) + i] >> 4 * (of % 2) & 15) | (super[16 + i] >> of & 1) << 4); }
    uint8_t *to = BLOCK_OF(320 + 32, 64);
    put_nibbles(q, to + 4 * lane);
    put_bits(q, 4, to + 256 + 4 * lane);
    put_super_scales(super, of, to + 320 + lane, SUPER_OF(320 + 32, 64) + 2 * lane);
  }
}

static void pack_row_q6_k(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 210 * (b / 8);
    int half = (int)(b % 8) / 4, of = (int)(b % 4);
    const uint8_t *low = super + 64 * half + 32 * (of % 2);
    const uint8_t *high = super + 128 + 32 * half;
    uint8_t q[32];
    RUNS(32) { q[i] = (uint8_t)((low[i] >> 4 * (of / 2) & 15) | (high[i] >> 2 * of & 3) << 4); }
    uint8_t *to = BLOCK_OF(384 + 32, 32);
    put_nibbles(q, to + 4 * lane);
    put_pairs(q, 4, to + 256 + 4 * lane);
    to[384 + lane] = super[192 + 2 * (b % 8)];
    to[384 + 16 + lane] = super[192 + 2 * (b % 8) + 1];
    memcpy(SUPER_OF(384 + 32, 32) + 2 * lane, super + 208, 2);
  }
}

static void pack_row_q3_k(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 110 * (b / 8);
    int of = (int)(b % 8);
    uint8_t q[32];
    RUNS(32) { q[i] = (uint8_t)((super[32 + 32 * (of / 4) + i] >> 2 * (of % 4) & 3) | (super[i] >> of & 1) << 2); }
    uint8_t *to = BLOCK_OF(192 + 32, 32);
    put_pairs(q, 0, to + 4 * lane);
    put_bits(q, 2, to + 128 + 4 * lane);
    const uint8_t *packed = super + 96;
    for (int half = 0; half < 2; half++) {
      int i = 2 * of + half;
      int low = packed[i % 8] >> 4 * (i / 8) & 15, high = packed[8 + i % 4] >> 2 * (i / 4) & 3;
      to[192 + 16 * half + lane] = (uint8_t)((low | high << 4) - 32);
    }
    memcpy(SUPER_OF(192 + 32, 32) + 2 * lane, super + 108, 2);
  }
}

static void pack_row_q2_k(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 84 * (b / 8);
    int of = (int)(b % 8);
    uint8_t q[32];
    RUNS(32) { q[i] = super[16 + 32 * (of / 4) + i] >> 2 * (of % 4) & 3; }
    uint8_t *to = BLOCK_OF(128 + 32, 64);
    put_pairs(q, 0, to + 4 * lane);
    to[128 + lane] = super[2 * of];
    to[128 + 16 + lane] = super[2 * of + 1];
    memcpy(SUPER_OF(128 + 32, 64) + 2 * lane, super + 80, 2);
    memcpy(SUPER_OF(128 + 32, 64) + 32 + 2 * lane, super + 82, 2);
  }
}

static void pack_row_iq4_xs(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 136 * (b / 8);
    int of = (int)(b % 8);
    uint16_t high;
    memcpy(&high, super + 2, 2);
    uint8_t q[32];
    get_nibbles(super + 8 + 16 * of, q);
    uint8_t *to = BLOCK_OF(256 + 16, 32);
    put_nibbles(q, to + 4 * lane);
    int scale = (super[4 + of / 2] >> 4 * (of % 2) & 15) | (high >> 2 * of & 3) << 4;
    to[256 + lane] = (uint8_t)(scale - 32);
    memcpy(SUPER_OF(256 + 16, 32) + 2 * lane, super, 2);
  }
}

// A row's quants of two bits, and its superblocks' scales.
static INLINE void put_ternary(const uint8_t *q, const uint8_t *half, long b, int lane, uint8_t *tile) {
  put_pairs(q, 0, BLOCK_OF(128, 32) + 4 * lane);
  memcpy(SUPER_OF(128, 32) + 2 * lane, half, 2);
}

static void pack_row_tq2_0(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 66 * (b / 8);
    int of = (int)(b % 8);
    uint8_t q[32];
    RUNS(32) { q[i] = super[32 * (of / 4) + i] >> 2 * (of % 4) & 3; }
    put_ternary(q, super + 64, b, lane, tile);
  }
}

static void pack_row_tq1_0(const uint8_t *row, long blocks, int lane, uint8_t *tile) {
  static const uint8_t POWERS[5] = {1, 3, 9, 27, 81};
  for (long b = 0; b < blocks; b++) {
    const uint8_t *super = row + 54 * (b / 8);
    uint8_t q[32];
    for (int i = 0; i < 32; i++) {
      // Runs of 32, 16 and 4 bytes have the first, second, ... digits of as many elements one behind the other.
      int k = (int)(b % 8) * 32 + i, start = k < 160 ? 0 : k < 240 ? 160 : 240, run = k < 160 ? 32 : k < 240 ? 16 : 4;
      uint8_t fraction = super[start / 5 + (k - start) % run];
      q[i] = (uint8_t)((uint8_t)(fraction * POWERS[(k - start) / run]) * 3 >> 8);
    }
    put_ternary(q, super + 52, b, lane, tile);
  }
}

static void pack_row_f32(const uint8_t *row, long columns, int lane, uint8_t *tile) {
  for (long k = 0; k < columns; k++) {
    memcpy(tile + 64 * k + 4 * lane, row + 4 * k, 4);
  }
}

static void pack_row_f16(const uint8_t *row, long columns, int lane, uint8_t *tile) {
  for (long k = 0; k < columns; k++) {
    memcpy(tile + 32 * k + 2 * lane, row + 2 * k, 2);
  }
}

static void pack_row_bf16(const uint8_t *row, long columns, int lane, uint8_t *tile) {
#ifdef __AVX512BF16__
  for (long k = 0; k < columns; k++) {
    memcpy(tile + 64 * (k / 2) + 4 * lane + 2 * (k % 2), row + 2 * k, 2);
  }
#else
  pack_row_f16(row, columns, lane, tile);
#endif
}
