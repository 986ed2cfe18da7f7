// rope: turns each head's columns by its row's position; columns behind ROTARY_WIDTH are copied. See rotation.h.
// Items: dimension 0 one for each vector of pairs or of copied columns of each head, HEADS · TURNS, where TURNS is
// (HEAD_WIDTH - ROTARY_WIDTH / 2) / VECTOR; dimension 1 one a row.
// Traffic: x and y once; 8 bytes of angles for each digit of the position and pair, which stay in caches.
// Invariants: y is not x. Any work-group shape. HEADS: heads in a row of x.
// With VECTOR 1 it is plain: there is no rope_plain.

#include "dialect.h"
#include "rotation.h"

kernel void rope(GLOBAL const float *x, GLOBAL const int *positions, GLOBAL const float2 *angles, GLOBAL float *y,
                 GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  int item = get_global_id(0), row = get_global_id(1);
  if (row >= counts[which] || item >= HEADS * TURNS) {
    return;
  }
  size_t head = ((size_t)row * HEADS + item / TURNS) * HEAD_WIDTH;
  turn_head(x + head, angles, positions[row], item % TURNS, y + head);
}
