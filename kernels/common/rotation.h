// Rotary position embedding (Su et al. 2021, "RoFormer") in float32, accurate at every position below 2^31.
// angles[digit][value][pair] is (cos, sin) of value · 256^digit positions; it is made in double precision. Those of digit 0, which
// each position has, are multiplied by the magnitude of a stretched context. A position's
// turn is the product of its base-256 digits' turns, so no large angle is ever formed or reduced on the device.
// Defines: HEAD_WIDTH; ROTARY_WIDTH, the leading columns that are turned; PAIRING_NEIGHBOURS (columns 2i and 2i + 1)
// or PAIRING_HALVES (columns i and i + ROTARY_WIDTH / 2); VECTOR (1, 2, 4 or 8; 1 if not defined), the pairs that are
// turned together, which divides both ROTARY_WIDTH / 2 and HEAD_WIDTH - ROTARY_WIDTH.

#ifndef ROTATION_H
#define ROTATION_H

#include "dialect.h"

#ifndef VECTOR
#define VECTOR 1
#endif
#include "vectors.h"

#define PAIRS (ROTARY_WIDTH / 2)
// Of a head: vectors of its pairs, then vectors of the columns that are only copied.
#define PAIR_VECTORS (PAIRS / VECTOR)
#define TURNS ((HEAD_WIDTH - PAIRS) / VECTOR)
// The first column of a copied vector, by its number among the turns.
#define COPIED_COLUMN(turn) (PAIRS + (turn) * VECTOR)

typedef struct {
  floats first;
  floats second;
} pairs;

#ifdef PAIRING_NEIGHBOURS
#define FIRST_COLUMN(pair) (2 * (pair))
#define SECOND_COLUMN(pair) (2 * (pair) + 1)
#define PAIR_OF(column) ((column) / 2)
#else
#define FIRST_COLUMN(pair) (pair)
#define SECOND_COLUMN(pair) ((pair) + PAIRS)
#define PAIR_OF(column) ((column) % PAIRS)
#endif

static inline float2 times(float2 a, float2 b) {
  return FLOAT2(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
}

// One column of a head, turned: for cache blocks whose columns are wanted in storage order.
static inline float turned_column(GLOBAL const float *head, GLOBAL const float2 *angles, int position, int column) {
  if (column >= ROTARY_WIDTH) {
    return head[column];
  }
  int pair = PAIR_OF(column);
  float2 turn = angles[(size_t)(position & 255) * PAIRS + pair];
  for (int digit = 1; position >> (8 * digit) != 0 && digit < 4; digit++) {
    turn = times(turn, angles[((size_t)digit * 256 + ((position >> (8 * digit)) & 255)) * PAIRS + pair]);
  }
  float2 both = times(FLOAT2(head[FIRST_COLUMN(pair)], head[SECOND_COLUMN(pair)]), turn);
  return column == FIRST_COLUMN(pair) ? both.x : both.y;
}

// VECTOR pairs of a head from number `pair` on, turned.
static inline pairs turned_pairs(GLOBAL const float *head, GLOBAL const float2 *angles, int position, int pair) {
  twice_floats turn = LOAD_TWICE((GLOBAL const float *)(angles + (size_t)(position & 255) * PAIRS + pair));
  floats cosine = EVENS(turn), sine = ODDS(turn);
  for (int digit = 1; position >> (8 * digit) != 0 && digit < 4; digit++) {
    size_t value = digit * 256 + ((position >> (8 * digit)) & 255);
    twice_floats more = LOAD_TWICE((GLOBAL const float *)(angles + value * PAIRS + pair));
    floats before = cosine;
    cosine = fma(before, EVENS(more), -(sine * ODDS(more)));
    sine = fma(before, ODDS(more), sine * EVENS(more));
  }
#ifdef PAIRING_NEIGHBOURS
  twice_floats x = LOAD_TWICE(head + 2 * pair);
  floats first = EVENS(x), second = ODDS(x);
#else
  floats first = LOAD(head + pair), second = LOAD(head + pair + PAIRS);
#endif
  pairs y;
  y.first = fma(first, cosine, -(second * sine));
  y.second = fma(first, sine, second * cosine);
  return y;
}

// Turns or copies vector number `turn` of a head.
static inline void turn_head(GLOBAL const float *x, GLOBAL const float2 *angles, int position, int turn,
                             GLOBAL float *y) {
  if (turn >= PAIR_VECTORS) {
    STORE(LOAD(x + COPIED_COLUMN(turn)), y + COPIED_COLUMN(turn));
    return;
  }
  pairs turned = turned_pairs(x, angles, position, turn * VECTOR);
#ifdef PAIRING_NEIGHBOURS
  twice_floats both;
  EVENS(both) = turned.first;
  ODDS(both) = turned.second;
  STORE_TWICE(both, y + 2 * turn * VECTOR);
#else
  STORE(turned.first, y + turn * VECTOR);
  STORE(turned.second, y + turn * VECTOR + PAIRS);
#endif
}

#endif
