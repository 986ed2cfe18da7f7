// Rows of floats between products: sums, norms, activations, what a router and a sampler need of exponentials.
//
// Mapping: a call is some rows, or a run of elements, of one thread's; the compiler turns these loops into whole registers.
// Traffic: each input and output once; norms read a row again from the first-level cache.

enum { SILU, GELU, GELU_TANH, QUICK_GELU, RELU, RELU_SQUARED };
#define QUICK_FACTOR 1.702f
#define SQRT_8_OVER_PI 1.5957692f

// 1 - 2 / (e^2|x| + 1) with the sign of x; an odd polynomial below 0.625, where that difference would lose digits (Cephes).
static INLINE float tanh_of(float x) {
  float size = __builtin_fabsf(x);
  float far = __builtin_copysignf(1 - 2 / (exponential(2 * size) + 1), x);
  float square = x * x;
  float p = -5.7049887e-3f;
  p = fused(p, square, 2.0639088e-2f);
  p = fused(p, square, -5.3739715e-2f);
  p = fused(p, square, 0.13331442f);
  p = fused(p, square, -0.3333328f);
  return size < 0.625f ? fused(p * square, x, x) : far;
}

// x times how likely a normally distributed number is at most x: below -|x| that is e^(-x^2/2) t p(t) with t = 1 / (1 + |x|/4) and a polynomial p that
// was fitted at Chebyshev's points, to 1.3e-8 of it up to |x| = 14, where it is nothing.
static INLINE float gelu_of(float x) {
  float t = 1 / fused(__builtin_fabsf(x), 0.25f, 1);
  float p = 0.015741844f;
  p = fused(p, t, -0.05837098f);
  p = fused(p, t, 0.041589286f);
  p = fused(p, t, 0.04136781f);
  p = fused(p, t, 0.0024003587f);
  p = fused(p, t, 0.091932096f);
  p = fused(p, t, 0.070272885f);
  p = fused(p, t, 0.09586339f);
  p = fused(p, t, 0.09945357f);
  p = fused(p, t, 0.09974976f);
  float tail = p * t * exponential(-0.5f * x * x) * x;
  return x < 0 ? tail : x - tail;
}

// Three are x / (1 + e^-z), with z = x for SiLU and, since (1 + tanh u) / 2 = 1 / (1 + e^-2u), z = 2u for GELU by tanh.
static INLINE float activation_of(const int activation, float x) {
  switch (activation) {
    case SILU: return x / (1 + exponential(-x));
    case GELU: return gelu_of(x);
    case GELU_TANH: return x / (1 + exponential(fused(x * x, 0.044715f, 1) * x * -SQRT_8_OVER_PI));
    case QUICK_GELU: return x / (1 + exponential(-QUICK_FACTOR * x));
    case RELU: return x < 0 ? 0 : x;
    default: return x < 0 ? 0 : x * x;
  }
}

// All functions of rows have one signature, since what calls from Java binds each new one for tens of milliseconds: a second input, a parameter and a
// kind are what a function says, or nothing; what it returns is 0, or what it says.
#define ROW_FUNCTION(name) \
  int EXPORT(name)(const float *x, const float *other, float *y, long count, float parameter, int kind)
#define UNUSED(parameter) (void)parameter

// y[i] = f(x[i]); y is one of the inputs or apart.
#define MAP(count, expression) \
  for (long i = 0; i < count; i++) { \
    y[i] = expression; \
  }
#define OF_ACTIVATION(activation, statement) \
  switch (activation) { \
    case SILU: statement(SILU); break; \
    case GELU: statement(GELU); break; \
    case GELU_TANH: statement(GELU_TANH); break; \
    case QUICK_GELU: statement(QUICK_GELU); break; \
    case RELU: statement(RELU); break; \
    default: statement(RELU_SQUARED); break; \
  }

static INLINE float clamped(float x, float limit) { return x < -limit ? -limit : x > limit ? limit : x; }

ROW_FUNCTION(add) {
  UNUSED(parameter), UNUSED(kind);
  MAP(count, x[i] + other[i])
  return 0;
}

ROW_FUNCTION(scale) {
  UNUSED(other), UNUSED(kind);
  MAP(count, x[i] * parameter)
  return 0;
}

ROW_FUNCTION(clamp) {
  UNUSED(other), UNUSED(kind);
  MAP(count, clamped(x[i], parameter))
  return 0;
}

ROW_FUNCTION(soft_cap) {
  UNUSED(other), UNUSED(kind);
  float inverse = 1 / parameter;
  MAP(count, tanh_of(x[i] * inverse) * parameter)
  return 0;
}

ROW_FUNCTION(activate) {
  UNUSED(other), UNUSED(parameter);
#define ACTIVATE(activation) MAP(count, activation_of(activation, x[i]))
  OF_ACTIVATION(kind, ACTIVATE)
  return 0;
}

// x are gates.
ROW_FUNCTION(glu) {
  UNUSED(parameter);
#define GLU(activation) MAP(count, activation_of(activation, x[i]) * other[i])
  OF_ACTIVATION(kind, GLU)
  return 0;
}

// Gates are at most the parameter; what they are multiplied with lies within it, and is one more.
ROW_FUNCTION(clamped_glu) {
#define CLAMPED_GLU(activation) \
  MAP(count, activation_of(activation, x[i] > parameter ? parameter : x[i]) * (clamped(other[i], parameter) + 1))
  OF_ACTIVATION(kind, CLAMPED_GLU)
  return 0;
}

// Sixteen sums, whatever a register holds, so that each set adds up in the same order.
typedef struct {
  float of[16];
} sixteen;

static INLINE float sum_of_sixteen(const sixteen *sums) {
  float sum[8];
  UNROLL for (int i = 0; i < 8; i++) {
    sum[i] = sums->of[i] + sums->of[i + 8];
  }
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

// The sum of what the columns differ from `mean`, or of its squares.
static INLINE float differences(const float *x, long count, float mean, const int are_squared) {
  sixteen sums = {{0}};
  long i = 0;
  for (; i + 16 <= count; i += 16) {
    UNROLL for (int j = 0; j < 16; j++) {
      float difference = x[i + j] - mean;
      sums.of[j] = are_squared ? fused(difference, difference, sums.of[j]) : sums.of[j] + difference;
    }
  }
  for (int j = 0; i + j < count; j++) {
    float difference = x[i + j] - mean;
    sums.of[j] = are_squared ? fused(difference, difference, sums.of[j]) : sums.of[j] + difference;
  }
  return sum_of_sixteen(&sums);
}

// y = weight x / sqrt(mean(x^2) + epsilon). The parameter is epsilon, the other input weights.
ROW_FUNCTION(rms_norm) {
  UNUSED(kind);
  float squares = differences(x, count, 0, 1);
  float factor = (float)(1 / __builtin_sqrt((double)squares / (double)count + parameter));
  MAP(count, x[i] * factor * other[i])
  return 0;
}

// y = weight (x - mean) / sqrt(variance + epsilon) + bias. The parameter is epsilon, the other input weights and then biases. What the mean's rounding
// loses is in the differences' sum.
ROW_FUNCTION(layer_norm) {
  UNUSED(kind);
  float mean = differences(x, count, 0, 0) / (float)count;
  float off = differences(x, count, mean, 0) / (float)count;
  double variance = (double)differences(x, count, mean, 1) / (double)count - (double)off * off;
  float factor = (float)(1 / __builtin_sqrt((variance < 0 ? 0 : variance) + parameter));
  MAP(count, fused((x[i] - mean - off) * factor, other[i], other[count + i]))
  return 0;
}

// y = the sum of other[slot] x[slot], of `kind` slots in their order.
ROW_FUNCTION(weighted_sum) {
  UNUSED(parameter);
  memset(y, 0, sizeof(float) * (size_t)count);
  for (int slot = 0; slot < kind; slot++, x += count) {
    MAP(count, fused(x[i], other[slot], y[i]))
  }
  return 0;
}

// The largest number; minus infinity if there is none.
static INLINE float largest_of(const float *x, long count) {
  sixteen most;
  for (int j = 0; j < 16; j++) {
    most.of[j] = -__builtin_inff();
  }
  long i = 0;
  for (; i + 16 <= count; i += 16) {
    UNROLL for (int j = 0; j < 16; j++) {
      most.of[j] = x[i + j] > most.of[j] ? x[i + j] : most.of[j];
    }
  }
  for (int j = 0; i + j < count; j++) {
    most.of[j] = x[i + j] > most.of[j] ? x[i + j] : most.of[j];
  }
  float largest = most.of[0];
  for (int j = 1; j < 16; j++) {
    largest = most.of[j] > largest ? most.of[j] : largest;
  }
  return largest;
}

// Returns the place of the first of the largest numbers; -1 if none is above minus infinity.
ROW_FUNCTION(likeliest) {
  UNUSED(other), UNUSED(y), UNUSED(parameter), UNUSED(kind);
  float largest = -__builtin_inff();
  long block = -1;
  for (long from = 0; from < count; from += 1024) {
    float most = largest_of(x + from, count - from < 1024 ? count - from : 1024);
    if (most > largest) {
      largest = most;
      block = from;
    }
  }
  while (block >= 0 && x[block] != largest) {
    block++;
  }
  return (int)block;
}

// Turns heads by angles: pairs of columns (a, b) become (a cos - b sin, a sin + b cos). The other input is the pairs' cosines, then their sines; the
// parameter a head's width; `kind` the number of pairs, negative where they are neighbours, else they are halves. What is in no pair is copied.
ROW_FUNCTION(turn) {
  long width = (long)parameter, pairs = kind < 0 ? -kind : kind;
  const float *cosines = other, *sines = other + pairs;
  for (long head = 0; head < count; head += width, x += width, y += width) {
    if (kind < 0) {
      for (long i = 0; i < pairs; i++) {
        float a = x[2 * i], b = x[2 * i + 1];
        y[2 * i] = a * cosines[i] - b * sines[i];
        y[2 * i + 1] = a * sines[i] + b * cosines[i];
      }
    } else {
      for (long i = 0; i < pairs; i++) {
        float a = x[i], b = x[i + pairs];
        y[i] = a * cosines[i] - b * sines[i];
        y[i + pairs] = a * sines[i] + b * cosines[i];
      }
    }
    for (long i = 2 * pairs; i < width; i++) {
      y[i] = x[i];
    }
  }
  return 0;
}

// y is a row of a cache of halves.
ROW_FUNCTION(to_halves) {
  UNUSED(other), UNUSED(parameter), UNUSED(kind);
  uint16_t *halves = (uint16_t *)y;
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    store_halves(halves + i, load(x + i));
  }
  if (i < count) {
    float end[LANES] = {0};
    uint16_t rounded[LANES];
    memcpy(end, x + i, sizeof(float) * (size_t)(count - i));
    store_halves(rounded, load(end));
    memcpy(halves + i, rounded, sizeof(uint16_t) * (size_t)(count - i));
  }
  return 0;
}

// y is a row of a cache of bfloat16.
ROW_FUNCTION(to_brain_floats) {
  UNUSED(other), UNUSED(parameter), UNUSED(kind);
  uint16_t *halves = (uint16_t *)y;
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    halves[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
  }
  return 0;
}

// y is a row of a cache of E4M3. What is beyond its largest number becomes that, what is no number 0x7f, whatever its sign.
ROW_FUNCTION(to_e4m3) {
  UNUSED(other), UNUSED(parameter), UNUSED(kind);
  uint8_t *bytes = (uint8_t *)y;
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    uint32_t size = bits & 0x7fffffff;
    // 448
    uint32_t most = size > 0x43e00000 ? 0x43e00000 : size;
    // The last place of 2^14 in float32 is that of subnormal numbers here, so the sum rounds.
    float sum = float_of_bits(most) + 0x1p14f;
    uint32_t small;
    memcpy(&small, &sum, 4);
    uint32_t normal = (most - 0x3c000000 + 0x7ffff + (most >> 20 & 1)) >> 20;
    uint32_t rounded = (most < 0x3c800000 ? small - 0x46800000 : normal) | (bits >> 24 & 0x80);
    bytes[i] = (uint8_t)(size > 0x7f800000 ? 0x7f : rounded);
  }
  return 0;
}

// Functions of Java's arrays, from element `from` on, with one signature, too. They return 0, or what they say.
#define ARRAY_FUNCTION(name) \
  float EXPORT(name)(float *x, long from, long count, float parameter, float second, const float *coefficients, int64_t *results)

// x = e^(x - parameter).
ARRAY_FUNCTION(exponentials) {
  UNUSED(second), UNUSED(coefficients), UNUSED(results);
  float *y = x + from;
  MAP(count, exponential(y[i] - parameter))
  return 0;
}

ARRAY_FUNCTION(tangents) {
  UNUSED(parameter), UNUSED(second), UNUSED(coefficients), UNUSED(results);
  float *y = x + from;
  MAP(count, tanh_of(y[i]))
  return 0;
}

// Returns the largest number; minus infinity if there is none.
ARRAY_FUNCTION(largest) {
  UNUSED(parameter), UNUSED(second), UNUSED(coefficients), UNUSED(results);
  return largest_of(x + from, count);
}

// A sampler's weights: 2^y of y = (x - parameter) second, in units of 2^-40, each step rounded as Sample's documentation says. Coefficients are of the
// polynomial for 2^f, from the highest power down.
ARRAY_FUNCTION(sample_weights) {
  const float c6 = coefficients[0], c5 = coefficients[1], c4 = coefficients[2], c3 = coefficients[3], c2 = coefficients[4], c1 = coefficients[5],
              c0 = coefficients[6];
  const float *logits = x + from;
  for (long i = 0; i < count; i++) {
    float y = logits[i] == parameter ? 0 : (logits[i] - parameter) * second;
    // Also what is no number.
    int is_nothing = !(y >= -42.0f);
    y = is_nothing ? -42.0f : y;
    float n = y + 0x1.8p23f - 0x1.8p23f;
    float f = y - n;
    float p = (((((c6 * f + c5) * f + c4) * f + c3) * f + c2) * f + c1) * f + c0;
    int64_t weight = (int64_t)(int32_t)(p * 0x1p24f) << 16 >> (int32_t)-n;
    results[i] = is_nothing ? 0 : weight;
  }
  return 0;
}
