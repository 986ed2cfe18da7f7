// Rows of activations as products take them: X_UNITS of type x_unit each, floats as they are, or, where INTEGER_DOT is defined, blocks
// that are rounded to bytes.
// Defines: COLUMNS, INTEGER_DOT (optional).

#ifndef X_UNITS_H
#define X_UNITS_H

#include "dialect.h"

#ifdef INTEGER_DOT
#include "rounded_activations.h"
typedef rounded_block x_unit;
#define X_UNITS (COLUMNS / 32)
#else
typedef float x_unit;
#define X_UNITS COLUMNS
#endif

static inline float x_value(GLOBAL const x_unit *row, int column) {
#ifdef INTEGER_DOT
  return row[column / 32].scale * ((GLOBAL const char *)row[column / 32].q)[column % 32];
#else
  return row[column];
#endif
}

#endif
