// Superblocks with many rows of x as bytes: arm64 multiplies several times as many of them at once as words. Quants and scales stay apart, and a number
// of x is high · 128 + low (round_words). A block's products with what is high are shifted and take in those with what is low, and are scaled as whole
// numbers.

// Registers of scales for one of rows, and what multiplies: pairs of rows with pairs of rows of x, eight columns at once, or rows with one row of x.
#ifdef __ARM_FEATURE_MATMUL_INT8
#define SCALE_REGISTERS 2
#else
#define SCALE_REGISTERS 1
#endif

typedef struct {
  // Of each block, register r of columns 4j to 4j + 3; or, where pairs are multiplied, of columns 8j to 8j + 7 rows 0 to 3, then rows 4 to 7.
  bytes of[REGISTERS * SUPER_COLUMNS / 4];
  // Of each 16 columns.
  ints scales[REGISTERS * SCALE_REGISTERS * SUPER_COLUMNS / 16];
} wide_quants;

#ifdef __ARM_FEATURE_MATMUL_INT8

static INLINE uint8x16_t lower_rows(uint8x16_t a, uint8x16_t b) {
  return vreinterpretq_u8_u32(vzip1q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}
static INLINE uint8x16_t upper_rows(uint8x16_t a, uint8x16_t b) {
  return vreinterpretq_u8_u32(vzip2q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

// Eight columns of eight rows, and next to each other what belongs to both of a pair.
static INLINE void put_columns(bytes *to, int registers, bytes q, bytes next) {
  to[0] = (bytes){lower_rows(q.first, next.first), upper_rows(q.first, next.first)};
  to[registers] = (bytes){lower_rows(q.second, next.second), upper_rows(q.second, next.second)};
}
static INLINE void put_scales(ints *to, ints x) {
  to[0] = (ints){vzip1q_s32(x.first, x.first), vzip2q_s32(x.first, x.first)};
  to[1] = (ints){vzip1q_s32(x.second, x.second), vzip2q_s32(x.second, x.second)};
}

// sums = Σ scale Σ quants x, of some blocks.
static INLINE void multiply_bytes_of(
    const bytes *w, const ints *scales, const int halves, int blocks, const uint8_t *x, long x_bytes, ints *sums, const int tokens,
    const int registers) {
  // Of a pair of rows and one of rows of x: the first row's with both, then the second one's.
  int32x4_t total[WIDE_TOKENS / 2][REGISTERS][4];
  UNROLL for (int t = 0; t < tokens / 2; t++) {
    UNROLL for (int i = 0; i < 4 * registers; i++) {
      total[t][i / 4][i % 4] = vdupq_n_s32(0);
    }
  }
  for (int b = 0; b < blocks; b++) {
    UNROLL for (int half = 0; half < 1 + halves; half++) {
      int32x4_t sum[WIDE_TOKENS / 2][REGISTERS][4];
      UNROLL for (int t = 0; t < tokens / 2; t++) {
        UNROLL for (int i = 0; i < 4 * registers; i++) {
          sum[t][i / 4][i % 4] = vdupq_n_s32(0);
        }
      }
      UNROLL for (int low = 0; low < 2; low++) {
        KEEP(w);
        UNROLL for (int j = 4 * half; j < 4 * half + 8 - 4 * halves; j += 2) {
          int8x16_t pair[WIDE_TOKENS / 2];
          UNROLL for (int t = 0; t < tokens / 2; t++) {
            const uint8_t *from = x + 2 * t * x_bytes + 64 * b + j / 4 * 32 + 16 * low + j % 4 * 4;
            pair[t] = vcombine_s8(vld1_s8((const int8_t *)from), vld1_s8((const int8_t *)from + x_bytes));
          }
          UNROLL for (int r = 0; r < registers; r++) {
            UNROLL for (int i = 0; i < 2; i++) {
              bytes rows = w[registers * (8 * b + j + i) + r];
              UNROLL for (int t = 0; t < tokens / 2; t++) {
                sum[t][r][2 * i] = vmmlaq_s32(sum[t][r][2 * i], vreinterpretq_s8_u8(rows.first), pair[t]);
                sum[t][r][2 * i + 1] = vmmlaq_s32(sum[t][r][2 * i + 1], vreinterpretq_s8_u8(rows.second), pair[t]);
              }
            }
          }
        }
        if (low == 0) {
          UNROLL for (int t = 0; t < tokens / 2; t++) {
            UNROLL for (int i = 0; i < 4 * registers; i++) {
              sum[t][i / 4][i % 4] = vshlq_n_s32(sum[t][i / 4][i % 4], 7);
            }
          }
        }
      }
      UNROLL for (int t = 0; t < tokens / 2; t++) {
        UNROLL for (int i = 0; i < 2 * registers; i++) {
          ints scale = scales[2 * registers * (2 * b + half) + i];
          int32x4_t *to = total[t][i / 2] + 2 * (i % 2), *from = sum[t][i / 2] + 2 * (i % 2);
          to[0] = vmlaq_s32(to[0], from[0], scale.first);
          to[1] = vmlaq_s32(to[1], from[1], scale.second);
        }
      }
    }
  }
  UNROLL for (int t = 0; t < tokens / 2; t++) {
    UNROLL for (int r = 0; r < registers; r++) {
      int32x4_t *of = total[t][r];
      sums[registers * 2 * t + r] = (ints){vuzp1q_s32(of[0], of[1]), vuzp1q_s32(of[2], of[3])};
      sums[registers * (2 * t + 1) + r] = (ints){vuzp2q_s32(of[0], of[1]), vuzp2q_s32(of[2], of[3])};
    }
  }
}

#else

static INLINE void put_columns(bytes *to, int registers, bytes q, bytes next) {
  to[0] = q;
  to[registers] = next;
}
static INLINE void put_scales(ints *to, ints x) { to[0] = x; }

// sums = Σ scale Σ quants x, of some blocks.
static INLINE void multiply_bytes_of(
    const bytes *w, const ints *scales, const int halves, int blocks, const uint8_t *x, long x_bytes, ints *sums, const int tokens,
    const int registers) {
  for (int i = 0; i < tokens * registers; i++) {
    sums[i] = no_ints();
  }
  for (int b = 0; b < blocks; b++) {
    UNROLL for (int half = 0; half < 1 + halves; half++) {
      ints sum[WIDE_TOKENS][REGISTERS];
      UNROLL for (int t = 0; t < tokens; t++) {
        UNROLL for (int r = 0; r < registers; r++) {
          sum[t][r] = no_ints();
        }
      }
      UNROLL for (int low = 0; low < 2; low++) {
        // Else the compiler keeps what it has loaded of w for the second time, where it has no room.
        KEEP(w);
        UNROLL for (int sixteen = half; sixteen < 2 - halves + half; sixteen++) {
          int8x16_t numbers[WIDE_TOKENS];
          UNROLL for (int t = 0; t < tokens; t++) {
            numbers[t] = vld1q_s8((const int8_t *)x + t * x_bytes + 64 * b + 32 * sixteen + 16 * low);
          }
          UNROLL for (int r = 0; r < registers; r++) {
            UNROLL for (int j = 0; j < 4; j++) {
              bytes four = w[registers * (8 * b + 4 * sixteen + j) + r];
              UNROLL for (int t = 0; t < tokens; t++) {
                sum[t][r] = add_dots(sum[t][r], four, numbers[t], j);
              }
            }
          }
        }
        if (low == 0) {
          UNROLL for (int t = 0; t < tokens; t++) {
            UNROLL for (int r = 0; r < registers; r++) {
              sum[t][r] = (ints){vshlq_n_s32(sum[t][r].first, 7), vshlq_n_s32(sum[t][r].second, 7)};
            }
          }
        }
      }
      UNROLL for (int t = 0; t < tokens; t++) {
        UNROLL for (int r = 0; r < registers; r++) {
          ints scale = scales[registers * (2 * b + half) + r], *to = sums + registers * t + r;
          *to = (ints){vmlaq_s32(to->first, sum[t][r].first, scale.first), vmlaq_s32(to->second, sum[t][r].second, scale.second)};
        }
      }
    }
  }
}

#endif

// Takes block b of some lanes as register r: quants less 2^offset, unless that is negative; each 16 columns have scales of their own, or not.
static INLINE void put_quants(
    wide_quants *w, int b, const bytes *q, const int offset, const ints *scales, const int halves, int r, int registers) {
  UNROLL for (int j = 0; j < 8; j += 2) {
    bytes both[2] = {q[j], q[j + 1]};
    if (offset >= 0) {
      both[0] = subtract_bytes(both[0], 1 << offset);
      both[1] = subtract_bytes(both[1], 1 << offset);
    }
    put_columns(w->of + registers * (8 * b + j) + r, registers, both[0], both[1]);
  }
  UNROLL for (int half = 0; half < 1 + halves; half++) {
    put_scales(w->scales + SCALE_REGISTERS * (registers * (2 * b + half) + r), scales[half]);
  }
}

// sums += scale · x_scale · Σ w x, of one piece of a superblock's columns, as many as there are scales of a block.
static NOINLINE void add_quants_products(
    const wide_quants *w, int piece, int pieces, const uint8_t *x, long x_bytes, const floats *scale, const float *x_scales, floats *sums, int tokens,
    int registers) {
  ints whole[REGISTERS * WIDE_TOKENS];
  int blocks = SUPER_COLUMNS / BLOCK / pieces;
  const bytes *of = w->of + registers * 8 * blocks * piece;
  const ints *scales = w->scales + SCALE_REGISTERS * registers * 2 * blocks * piece;
  if (pieces == 2) {
    WIDE_CASES(tokens, registers, multiply_bytes_of, of, scales, 1, blocks, x, x_bytes, whole)
  } else {
    WIDE_CASES(tokens, registers, multiply_bytes_of, of, scales, 0, blocks, x, x_bytes, whole)
  }
  add_scaled(whole, x_bytes, scale, x_scales, sums, tokens, registers);
}
