// Memory that ends where pages begin that nobody may touch, so that kernels that read or write behind it are ended; and what looks random in it, the
// same for each instruction set.

typedef struct {
  void *at;
  size_t bytes;
} mapping;

static mapping mappings[64];
static int mapping_count;

// Bytes of the value 0xa5, until `release`.
static void *memory(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  uint8_t *at = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (at == MAP_FAILED || mprotect(at + whole, page, PROT_NONE) != 0 || mapping_count == 64) {
    fprintf(stderr, "compare_sets: no memory\n");
    exit(2);
  }
  mappings[mapping_count++] = (mapping){at, whole + page};
  memset(at, 0xa5, whole);
  return at + whole - bytes;
}

static void release(void) {
  while (mapping_count > 0) {
    mapping_count--;
    munmap(mappings[mapping_count].at, mappings[mapping_count].bytes);
  }
}

static uint64_t seed;

// Steele, Lea and Flood's SplitMix.
static uint32_t random_bits(void) {
  uint64_t z = seed += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (uint32_t)(z >> 32);
}

// Near zero, mostly, and of 9 powers of two.
static float random_float(void) {
  float sum = 0;
  for (int i = 0; i < 4; i++) {
    sum += (float)(random_bits() >> 8) * 0x1p-24f - 0.5f;
  }
  return ldexpf(sum, (int)(random_bits() % 9) - 4);
}

static float *random_floats(size_t count) {
  float *to = memory(4 * count);
  for (size_t i = 0; i < count; i++) {
    to[i] = random_float();
  }
  return to;
}

// Every so many are the least and the largest, endless, none, or a zero.
static float *odd_floats(size_t count) {
  static const float ODD[] = {0, -0.0f, 1e-45f, -1e-40f, INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 88.5f, -103.5f, 65520, 6e-8f, 0.625f};
  float *to = random_floats(count);
  for (size_t i = 3; i < count; i += 5) {
    to[i] = ODD[i / 5 % (sizeof ODD / sizeof ODD[0])];
  }
  return to;
}

// A half that is a number, of any size or below what a normal one is.
static uint16_t random_half(void) {
  uint32_t bits = random_bits();
  return (uint16_t)((bits & 0x83ff) | (bits >> 16) % 20 << 10);
}
