// AMX: eight registers that are tiles of up to 16 rows of 64 bytes. Tiles 0 to 3 hold sums, 4 and 5 rows of x, 6 and 7 weights; what multiplies takes a
// row of x, 64 bytes of it, with 16 rows of weights, whose tile has in each row four bytes (or two BF16) of each of them.
//
// TILES_STAND_IN is for processors without AMX: the same in C, by which what is written for tiles is held to plain C there.

#define TILE_TOKENS 16
#define TILE_COLUMNS 64

// How many rows tiles of x and of sums have; all others have 16, and all rows 64 bytes.
typedef struct {
  uint8_t palette, start, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_shapes;

static INLINE tile_shapes shapes_of(int tokens) {
  tile_shapes shapes = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    shapes.row_bytes[i] = 64;
    shapes.rows[i] = (uint8_t)(i < 6 ? tokens : 16);
  }
  return shapes;
}

#ifdef TILES_STAND_IN

static __thread tile_shapes shapes_now;
static __thread uint8_t tiles_now[8][16][64];

static void begin_tiles(int tokens) { shapes_now = shapes_of(tokens); }
static void end_tiles(void) { memset(&shapes_now, 0, sizeof shapes_now); }
static void TILE_ZERO(int to) { memset(tiles_now[to], 0, sizeof tiles_now[to]); }
static void TILE_LOAD(int to, const void *at, long stride) {
  TILE_ZERO(to);
  for (int row = 0; row < shapes_now.rows[to]; row++) {
    memcpy(tiles_now[to][row], (const uint8_t *)at + row * stride, 64);
  }
}
static void TILE_STORE(int from, void *at, long stride) {
  for (int row = 0; row < shapes_now.rows[from]; row++) {
    memcpy((uint8_t *)at + row * stride, tiles_now[from][row], 64);
  }
}
static void TILE_DOT_BYTES(int to, int x, int w) {
  for (int row = 0; row < shapes_now.rows[to]; row++) {
    int32_t sums[16];
    memcpy(sums, tiles_now[to][row], 64);
    for (int k = 0; k < 64; k++) {
      for (int n = 0; n < 16; n++) {
        sums[n] += (int8_t)tiles_now[x][row][k] * (int8_t)tiles_now[w][k / 4][4 * n + k % 4];
      }
    }
    memcpy(tiles_now[to][row], sums, 64);
  }
}
// Zero for what is below the least normal float.
static float normal(float x) { return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0, x) : x; }
static float brain_float_at(const uint8_t *at) {
  uint16_t bits;
  memcpy(&bits, at, 2);
  return normal(float_of_bits((uint32_t)bits << 16));
}
static void TILE_DOT_BRAIN_FLOATS(int to, int x, int w) {
  for (int row = 0; row < shapes_now.rows[to]; row++) {
    for (int n = 0; n < 16; n++) {
      float sums[2] = {0, 0}, sum;
      for (int k = 0; k < 32; k++) {
        float product = brain_float_at(tiles_now[x][row] + 2 * k) * brain_float_at(tiles_now[w][k / 2] + 4 * n + 2 * (k % 2));
        sums[k % 2] = normal(sums[k % 2] + normal(product));
      }
      memcpy(&sum, tiles_now[to][row] + 4 * n, 4);
      sum = normal(sum + normal(sums[0] + sums[1]));
      memcpy(tiles_now[to][row] + 4 * n, &sum, 4);
    }
  }
}

// As vcvtneps2bf16 rounds, which is another extension; what is no number stays none.
static __m256i rounded_brain_floats(__m512 x) {
  uint16_t rounded[16];
  for (int i = 0; i < 16; i++) {
    uint32_t bits;
    float lane = normal(x[i]);
    memcpy(&bits, &lane, 4);
    rounded[i] = (uint16_t)(lane != lane ? bits >> 16 | 64 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
  return _mm256_loadu_si256((const __m256i *)rounded);
}

#else

// What compilers have for these does not say that they read and write memory.
#define TILE_LOAD(to, at, stride) \
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #to ::"r"((const void *)(at)), "r"((long)(stride)) : "memory")
#define TILE_STORE(from, at, stride) \
  __asm__ volatile("tilestored %%tmm" #from ", (%0,%1,1)" ::"r"((void *)(at)), "r"((long)(stride)) : "memory")
#define TILE_ZERO(to) __asm__ volatile("tilezero %tmm" #to)
#define TILE_DOT_BYTES(to, x, w) __asm__ volatile("tdpbssd %tmm" #w ", %tmm" #x ", %tmm" #to)
#define TILE_DOT_BRAIN_FLOATS(to, x, w) __asm__ volatile("tdpbf16ps %tmm" #w ", %tmm" #x ", %tmm" #to)

static INLINE void begin_tiles(int tokens) {
  tile_shapes shapes = shapes_of(tokens);
  __asm__ volatile("ldtilecfg %0" ::"m"(shapes) : "memory");
}
// Else each change of threads would save and restore eight kilobytes.
static INLINE void end_tiles(void) { __asm__ volatile("tilerelease"); }

#endif
