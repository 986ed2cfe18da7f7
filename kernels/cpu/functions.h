// Functions of floats, the same bits with every instruction set. The compiler makes whole registers of loops over them.

static INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

// e^x = 2^n e^r with n = round(x / ln 2), so that |r| <= ln 2 / 2, and a polynomial for e^r (Cephes, S. Moshier, for the splitting of ln 2 and the
// coefficients). From -104 down it is 0, from 88.8 up endless.
static INLINE float exponential(float x) {
  float bounded = x < -104 ? -104 : x > 88.8f ? 88.8f : x;
  // Adding and taking off 1.5 * 2^23 rounds to the nearest integer.
  float n = bounded * 1.442695f + 0x1.8p23f - 0x1.8p23f;
  float r = fused(n, -0.6933594f, bounded);
  r = fused(n, 2.1219444e-4f, r);
  float p = 1.9875691e-4f;
  p = fused(p, r, 1.3981999e-3f);
  p = fused(p, r, 8.333452e-3f);
  p = fused(p, r, 4.1665796e-2f);
  p = fused(p, r, 0.16666666f);
  p = fused(p, r, 0.5f);
  p = fused(p, r * r, r) + 1;
  // What is no number has any power, and stays none.
  int32_t whole = (int32_t)n, half = whole >> 1;
  return p * float_of_bits((uint32_t)(half + 127) << 23) * float_of_bits((uint32_t)(whole - half + 127) << 23);
}
