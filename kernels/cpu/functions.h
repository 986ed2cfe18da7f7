// Functions of floats, the same bits with every instruction set.

// e^x for x of at most 0: 2^n e^r with n = round(x / ln 2), so that |r| <= ln 2 / 2, and a polynomial for e^r (Cephes, S. Moshier, for the splitting of
// ln 2 and the coefficients). From -104 down it is 0.
static INLINE floats exponential(floats x) {
  // In this order what is no number stays none.
  floats bounded = maximum(all(-104), x);
  // Adding and taking off 1.5 * 2^23 rounds to the nearest integer.
  floats n = subtract(add(multiply(bounded, all(1.442695f)), all(0x1.8p23f)), all(0x1.8p23f));
  floats r = multiply_add(n, all(-0.6933594f), bounded);
  r = multiply_add(n, all(2.1219444e-4f), r);
  floats p = all(1.9875691e-4f);
  p = multiply_add(p, r, all(1.3981999e-3f));
  p = multiply_add(p, r, all(8.333452e-3f));
  p = multiply_add(p, r, all(4.1665796e-2f));
  p = multiply_add(p, r, all(0.16666666f));
  p = multiply_add(p, r, all(0.5f));
  p = add(multiply_add(p, multiply(r, r), r), all(1));
  return times_power(p, n);
}
