// Element-wise functions of feed-forward layers, one of them chosen by a define:
//   ACTIVATION_SILU       x / (1 + e^-x)                                       (Elfwing et al. 2017)
//   ACTIVATION_GELU_TANH  x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))        (Hendrycks and Gimpel 2016)

#ifndef ACTIVATIONS_H
#define ACTIVATIONS_H

#include "dialect.h"

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
#endif

#endif
