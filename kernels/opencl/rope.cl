/* rope: each head's columns turned by the row's position (Su et al. 2021).
 * Items: one a head. Traffic: 8 bytes a column. */
#include "rotation.h"

kernel void rope(global const float *x, global const int *positions, global const float2 *angles, global float *y,
                 global const int *counts, int which) {
  size_t head = get_global_id(0);
  if (head >= (size_t)counts[which] * HEADS) {
    return;
  }
  int position = positions[head / HEADS];
  for (int column = 0; column < HEAD_WIDTH; column++) {
    y[head * HEAD_WIDTH + column] = turned(x + head * HEAD_WIDTH, angles, position, column);
  }
}
