// Superblocks with many rows of x as bytes: arm64 multiplies several times as many of them at once as words. Quants and scales stay apart, and a number
// of x is high · 128 + low (round_words). A block's products with all that is high are shifted, take in those with what is low, and are scaled with whole numbers.

#if SUPER_COLUMNS % 32 != 0
#error "blocks of 32 columns"
#endif

typedef struct {
  // Of each block, register r of columns 4j to 4j + 3.
  bytes of[REGISTERS * SUPER_COLUMNS / 4];
  // Of each 16 columns.
  ints scales[REGISTERS * SUPER_COLUMNS / 16];
} wide_quants;

// Takes block b of some lanes as register r: quants less 2^offset, unless that is negative; each 16 columns have scales of their own, or not.
static INLINE void put_quants(
    wide_quants *w, int b, const bytes *q, const int offset, const uint8_t *scales, const int halves, int r, int registers) {
  UNROLL for (int j = 0; j < 8; j++) {
    w->of[registers * (8 * b + j) + r] = offset >= 0 ? subtract_bytes(q[j], 1 << offset) : q[j];
  }
  UNROLL for (int half = 0; half < 1 + halves; half++) {
    words scale = halves ? signed_words(scales + 16 * half) : unsigned_words(scales, 1);
    w->scales[registers * (2 * b + half) + r] = ints_from_signed(scale.first);
  }
}

// sums = Σ scale Σ quants x, of some blocks.
static INLINE void multiply_bytes_of(
    const bytes *w, const ints *scales, const int halves, int blocks, const uint8_t *x, long x_bytes, ints *sums, const int tokens,
    const int registers) {
  for (int i = 0; i < tokens * registers; i++) {
    sums[i] = no_ints();
  }
  for (int b = 0; b < blocks; b++) {
    UNROLL for (int half = 0; half < 1 + halves; half++) {
      // Columns that share a scale, sixteen at a time.
      const int sixteens = 2 - halves;
      ints sum[WIDE_TOKENS][REGISTERS];
      UNROLL for (int t = 0; t < tokens; t++) {
        UNROLL for (int r = 0; r < registers; r++) {
          sum[t][r] = no_ints();
        }
      }
      UNROLL for (int low = 0; low < 2; low++) {
        UNROLL for (int i = half; i < half + sixteens; i++) {
          int8x16_t numbers[WIDE_TOKENS];
          UNROLL for (int t = 0; t < tokens; t++) {
            numbers[t] = vld1q_s8((const int8_t *)x + t * x_bytes + 64 * b + 32 * i + 16 * low);
          }
          UNROLL for (int r = 0; r < registers; r++) {
            const bytes *four = w + registers * (8 * b + 4 * i) + r;
            UNROLL for (int t = 0; t < tokens; t++) {
              sum[t][r] = ADD_DOTS(sum[t][r], four[0], numbers[t], 0);
            }
            UNROLL for (int t = 0; t < tokens; t++) {
              sum[t][r] = ADD_DOTS(sum[t][r], four[registers], numbers[t], 1);
            }
            UNROLL for (int t = 0; t < tokens; t++) {
              sum[t][r] = ADD_DOTS(sum[t][r], four[2 * registers], numbers[t], 2);
            }
            UNROLL for (int t = 0; t < tokens; t++) {
              sum[t][r] = ADD_DOTS(sum[t][r], four[3 * registers], numbers[t], 3);
            }
          }
        }
        UNROLL for (int t = 0; t < tokens && low == 0; t++) {
          UNROLL for (int r = 0; r < registers; r++) {
            sum[t][r] = shift_left(sum[t][r], 7);
          }
        }
      }
      UNROLL for (int t = 0; t < tokens; t++) {
        UNROLL for (int r = 0; r < registers; r++) {
          sums[registers * t + r] = multiply_add_ints(sum[t][r], scales[registers * (2 * b + half) + r], sums[registers * t + r]);
        }
      }
    }
  }
}

// sums += scale · x_scale · Σ w x, of one piece of a superblock's columns, as many as there are scales of a block.
static NOINLINE void add_quants_products(
    const wide_quants *w, int piece, int pieces, const uint8_t *x, long x_bytes, const floats *scale, const float *x_scales, floats *sums, int tokens,
    int registers) {
  ints whole[REGISTERS * WIDE_TOKENS];
  int blocks = SUPER_COLUMNS / BLOCK / pieces;
  const bytes *of = w->of + registers * 8 * blocks * piece;
  const ints *scales = w->scales + registers * 2 * blocks * piece;
  if (pieces == 2) {
    WIDE_CASES(tokens, registers, multiply_bytes_of, of, scales, 1, blocks, x, x_bytes, whole)
  } else {
    WIDE_CASES(tokens, registers, multiply_bytes_of, of, scales, 0, blocks, x, x_bytes, whole)
  }
  add_scaled(whole, x_bytes, scale, x_scales, sums, tokens, registers);
}
