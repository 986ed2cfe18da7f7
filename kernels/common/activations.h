// Element-wise functions of feed-forward layers, one of them chosen by a define:
//   ACTIVATION_SILU          x / (1 + e^-x)                                       (Elfwing et al. 2017)
//   ACTIVATION_GELU_TANH     x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))        (Hendrycks and Gimpel 2016)
//   ACTIVATION_GELU          x/2 (1 + erf(x / sqrt(2)))                           (the same)
//   ACTIVATION_QUICK_GELU    x / (1 + e^-1.702x)                                  (the same)
//   ACTIVATION_RELU          max(x, 0)                                            (Nair and Hinton 2010)
//   ACTIVATION_RELU_SQUARED  max(x, 0)^2                                          (So et al. 2021)
// HAS_ACTIVATION is defined where one is.

#ifndef ACTIVATIONS_H
#define ACTIVATIONS_H

#include "dialect.h"

#define HAS_ACTIVATION
#if defined(ACTIVATION_SILU)
static inline float activation(float x) {
  return x / (1.0f + exp(-x));
}
#elif defined(ACTIVATION_GELU_TANH)
// (1 + tanh z) / 2 is 1 / (1 + e^-2z), which does not cancel where x is negative.
static inline float activation(float x) {
  float z = 0.79788456080286536f * fma(0.044715f * x * x, x, x);
  return x / (1.0f + exp(-2.0f * z));
}
#elif defined(ACTIVATION_GELU)
// 1 + erf(z) is erfc(-z), which does not cancel where x is negative.
static inline float activation(float x) {
  return 0.5f * x * erfc(-0.70710678118654752f * x);
}
#elif defined(ACTIVATION_QUICK_GELU)
static inline float activation(float x) {
  return x / (1.0f + exp(-1.702f * x));
}
#elif defined(ACTIVATION_RELU)
static inline float activation(float x) {
  return x < 0 ? 0 : x;
}
#elif defined(ACTIVATION_RELU_SQUARED)
static inline float activation(float x) {
  return x < 0 ? 0 : x * x;
}
#else
#undef HAS_ACTIVATION
#endif

#endif
