// Weights of tiles (weight_tiles.h) as the halves that products of rounded activations multiply, rounded once: exactly scaled quants, minus
// minima that are kept in two parts; bfloats as they are.

#ifndef ROUNDED_WEIGHTS_H
#define ROUNDED_WEIGHTS_H

#include "eight_bit_floats.h"
#include "weight_tiles.h"

static inline uint twice(uint half_bits) { return half_bits | half_bits << 16; }
static inline uint lower_twice(uint pair) { return __byte_perm(pair, 0, 0x1010); }
static inline uint upper_twice(uint pair) { return __byte_perm(pair, 0, 0x3232); }

// Quants minus `offset`, exactly: as mantissas of 1024 + q, or of 64 + q for rows g + 8 of types with few bits, whose quants stand four
// bits higher.
template <bool WIDE>
static inline a_fragment numbers(a_fragment a, int offset) {
  for (int i = 0; i < 4; i++) {
    bool high = !WIDE && i % 2 == 1;
    // -(1024 + offset), whose unit is 1 up to 2048; -(64 + offset), whose unit is 1/16 up to 128.
    uint minus = high ? 0xd400 + 16 * offset : 0xe400 + offset;
    a.pair[i] = add_halves(a.pair[i] | (high ? 0x54005400 : 0x64006400), twice(minus));
  }
  return a;
}

// Quants minus the format's offset, exactly.
template <class F>
static inline a_fragment whole_quants(const typename F::raw &r, int step) {
  a_fragment a = F::quants(r, step);
  if constexpr (F::ARE_FLOATS) {
    for (int i = 0; i < 4; i++) {
      // By 2^15.
      a.pair[i] = multiplied_halves(a.pair[i], 0x78007800);
    }
    return a;
  } else {
    return numbers<F::ARE_BYTES>(a, F::FROM);
  }
}

template <int BITS, bool MINIMUM, int OFFSET, class LEVELS>
static inline a_fragment weights_of(const typename small_blocks<BITS, MINIMUM, OFFSET, LEVELS>::raw &r, int step,
                                    small_blocks<BITS, MINIMUM, OFFSET, LEVELS>) {
  typedef small_blocks<BITS, MINIMUM, OFFSET, LEVELS> F;
  a_fragment a = whole_quants<F>(r, step);
  for (int i = 0; i < 4; i++) {
    uint both = i % 2 == 0 ? r.scales.x : r.scales.y;
    uint scale = step < 2 ? lower_twice(both) : upper_twice(both);
    if (MINIMUM) {
      uint minima = i % 2 == 0 ? r.minima.x : r.minima.y;
      a.pair[i] = fma_halves(a.pair[i], scale, step < 2 ? lower_twice(minima) : upper_twice(minima));
    } else {
      a.pair[i] = multiplied_halves(a.pair[i], scale);
    }
  }
  return a;
}

template <bool FIFTH>
static inline a_fragment weights_of(const typename super_blocks<FIFTH>::raw &r, int step, super_blocks<FIFTH>) {
  a_fragment a = numbers<false>(super_blocks<FIFTH>::quants(r, step), 0);
  int sub = step / 2;
  for (int row = 0; row < 2; row++) {
    super_header h = super_header_of(r.headers[row]);
    uint scales = sub < 4 ? h.scales.x : h.scales.y, minima = sub < 4 ? h.minima.x : h.minima.y;
    // Twice the byte as a half, exactly.
    uint selector = 0x4040 | sub % 4 * 0x0101;
    uint scale = add_halves(__byte_perm(scales, 0x64646464, selector), 0xe400e400);
    float minimum = -h.dmin * (float)(minima >> 8 * (sub % 4) & 255);
    uint high = halves_of(minimum, minimum);
    float rest = minimum - low_half(high);
    uint low = halves_of(rest, rest);
    uint d = lower_twice(r.headers[row].x);
    for (int i = row; i < 4; i += 2) {
      a.pair[i] = add_halves(fma_halves(multiplied_halves(a.pair[i], scale), d, high), low);
    }
  }
  return a;
}

template <class Q>
static inline a_fragment weights_of(const typename sixteens<Q>::raw &r, int step, sixteens<Q>) {
  typedef sixteens<Q> F;
  a_fragment a = whole_quants<F>(r, step);
  for (int row = 0; row < 2; row++) {
    uint byte = word_of(r.scales[row], step / 4) >> 8 * (step % 4) & 255;
    if constexpr (F::HAVE_MINIMA) {
      float minimum = -F::dmin_of(r, row) * (float)(byte >> 4);
      uint high = halves_of(minimum, minimum);
      float rest = minimum - low_half(high);
      uint low = halves_of(rest, rest);
      // Exact, as is its product with a quant.
      uint scale = halves_of((float)(byte & 15), (float)(byte & 15)), d = row == 0 ? lower_twice(r.d) : upper_twice(r.d);
      for (int i = row; i < 4; i += 2) {
        a.pair[i] = add_halves(fma_halves(multiplied_halves(a.pair[i], scale), d, high), low);
      }
    } else {
      float scale = F::ARE_FLOATS ? eight_bit_float((uchar)byte) * F::WHOLE : F::d_of(r, row) * (float)((int)byte - 128);
      uint high = halves_of(scale, scale);
      float rest = scale - low_half(high);
      uint low = halves_of(rest, rest);
      for (int i = row; i < 4; i += 2) {
        a.pair[i] = fma_halves(a.pair[i], high, multiplied_halves(a.pair[i], low));
      }
    }
  }
  return a;
}

static inline a_fragment weights_of(const eight_bit_floats::raw &r, int step, eight_bit_floats) {
  a_fragment a = eight_bit_floats::quants(r, step);
  for (int row = 0; row < 2; row++) {
    float scale = eight_bit_floats::scale_of(r, row, step / 2) * eight_bit_floats::UNIT;
    uint high = halves_of(scale, scale);
    float rest = scale - low_half(high);
    uint low = halves_of(rest, rest);
    for (int i = row; i < 4; i += 2) {
      a.pair[i] = fma_halves(a.pair[i], high, multiplied_halves(a.pair[i], low));
    }
  }
  return a;
}

template <bool BFLOAT>
static inline a_fragment weights_of(const typename sixteen_bits<BFLOAT>::raw &r, int step, sixteen_bits<BFLOAT>) {
  return sixteen_bits<BFLOAT>::quants(r, step);
}

#endif
