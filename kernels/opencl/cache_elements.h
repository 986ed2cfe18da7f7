/* Elements of cached rows. A row holds all KV heads side by side in its type: F32, F16, BF16, or Q8_0 in blocks of 34
 * bytes, a half-precision scale and 32 signed bytes; a block may hold the end of one head and the beginning of the next.
 * The type of keys is chosen by KEY_*, that of values by VALUE_*. Rounding is to nearest even, in Q8_0 to nearest
 * away from zero, as the reference has it. */

#define Q8_ELEMENTS 32
#define Q8_BYTES 34

static inline float f32_element(global const uchar *row, int i) { return ((global const float *)row)[i]; }
static inline float f16_element(global const uchar *row, int i) { return vload_half(i, (global const half *)row); }
static inline float bf16_element(global const uchar *row, int i) {
  return as_float((uint)((global const ushort *)row)[i] << 16);
}
static inline float q8_0_element(global const uchar *row, int i) {
  global const uchar *block = row + i / Q8_ELEMENTS * Q8_BYTES;
  return vload_half(0, (global const half *)block) * (float)(char)block[2 + i % Q8_ELEMENTS];
}

/* Sixteen elements from a multiple of 16 on. */
static inline float16 f32_vector(global const uchar *row, int i) { return vload16(0, (global const float *)row + i); }
static inline float16 bf16_vector(global const uchar *row, int i) {
  return as_float16(convert_uint16(vload16(0, (global const ushort *)row + i)) << (uint16)(16));
}
#if defined(HALF_BY_SCALING)
/* Shifted to float's fields the exponent is 112 too small, which one exact multiplication mends, subnormals included; a
 * compiler without conversions in its vectors would take the elements apart. Caches hold no infinities. */
static inline float16 f16_vector(global const uchar *row, int i) {
  uint16 bits = convert_uint16(vload16(0, (global const ushort *)row + i));
  float16 magnitude = as_float16((bits & (uint16)(0x7fff)) << (uint16)(13)) * (float16)(0x1p112f);
  return as_float16(as_uint16(magnitude) | ((bits & (uint16)(0x8000)) << (uint16)(16)));
}
#else
static inline float16 f16_vector(global const uchar *row, int i) { return vload_half16(0, (global const half *)row + i); }
#endif
static inline float16 q8_0_vector(global const uchar *row, int i) {
  global const uchar *block = row + i / Q8_ELEMENTS * Q8_BYTES;
  return vload_half(0, (global const half *)block) *
         convert_float16(vload16(0, (global const char *)block + 2 + i % Q8_ELEMENTS));
}

static inline void f32_store(float x, global uchar *row, int i) { ((global float *)row)[i] = x; }
static inline void f16_store(float x, global uchar *row, int i) { vstore_half_rte(x, i, (global half *)row); }
static inline void bf16_store(float x, global uchar *row, int i) {
  uint bits = as_uint(x);
  ((global ushort *)row)[i] =
      isnan(x) ? (ushort)(bits >> 16 | 0x40) : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
/* Thirty-two elements from the first of a block on. */
static inline void q8_0_store(const float *x, global uchar *row, int i) {
  global uchar *block = row + i / Q8_ELEMENTS * Q8_BYTES;
  float most = 0;
  for (int j = 0; j < Q8_ELEMENTS; j++) {
    most = fmax(most, fabs(x[j]));
  }
  float d = most / 127;
  float inverse = d == 0 ? 0 : 1 / d;
  vstore_half_rte(d, 0, (global half *)block);
  for (int j = 0; j < Q8_ELEMENTS; j++) {
    float scaled = x[j] * inverse;
    block[2 + j] = (uchar)(char)(int)(scaled + copysign(0.5f, scaled));
  }
}

#if defined(KEY_F32)
#define KEY_ROW_BYTES(columns) ((size_t)(columns) * 4)
#define key_element f32_element
#define key_vector f32_vector
#define key_store f32_store
#elif defined(KEY_F16)
#define KEY_ROW_BYTES(columns) ((size_t)(columns) * 2)
#define key_element f16_element
#define key_vector f16_vector
#define key_store f16_store
#elif defined(KEY_BF16)
#define KEY_ROW_BYTES(columns) ((size_t)(columns) * 2)
#define key_element bf16_element
#define key_vector bf16_vector
#define key_store bf16_store
#elif defined(KEY_Q8_0)
#define KEY_ROW_BYTES(columns) ((size_t)(columns) / Q8_ELEMENTS * Q8_BYTES)
#define key_element q8_0_element
#define key_vector q8_0_vector
#endif

#if defined(VALUE_F32)
#define VALUE_ROW_BYTES(columns) ((size_t)(columns) * 4)
#define value_element f32_element
#define value_vector f32_vector
#define value_store f32_store
#elif defined(VALUE_F16)
#define VALUE_ROW_BYTES(columns) ((size_t)(columns) * 2)
#define value_element f16_element
#define value_vector f16_vector
#define value_store f16_store
#elif defined(VALUE_BF16)
#define VALUE_ROW_BYTES(columns) ((size_t)(columns) * 2)
#define value_element bf16_element
#define value_vector bf16_vector
#define value_store bf16_store
#elif defined(VALUE_Q8_0)
#define VALUE_ROW_BYTES(columns) ((size_t)(columns) / Q8_ELEMENTS * Q8_BYTES)
#define value_element q8_0_element
#define value_vector q8_0_vector
#endif

/* The row of a layer's pages where a position of the batch's sequence lies. */
static inline size_t cache_row(global const int *table_starts, global const int *tables, int sequence, int position) {
  return (size_t)tables[table_starts[sequence] + position / PAGE_TOKENS] * PAGE_TOKENS + position % PAGE_TOKENS;
}
