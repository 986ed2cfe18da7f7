/* The angle of a position, for one pair of columns: (cos, sin). angles[digit][value][pair] turns by value · 256^digit
 * positions; the position's base-256 digits are turned by one after the other, which is exact to float32 anywhere. */
static inline float2 rotation(global const float2 *angles, int position, int pair) {
  float2 turn = (float2)(1, 0);
  for (int digit = 0; digit < 4; digit++) {
    int value = (position >> (8 * digit)) & 255;
    if (value != 0) {
      float2 by = angles[((size_t)digit * 256 + value) * (ROTARY_WIDTH / 2) + pair];
      turn = (float2)(turn.x * by.x - turn.y * by.y, turn.x * by.y + turn.y * by.x);
    }
  }
  return turn;
}

/* Column `column` of a head, turned. */
static inline float turned(global const float *head, global const float2 *angles, int position, int column) {
  if (column >= ROTARY_WIDTH) {
    return head[column];
  }
#if defined(PAIRING_NEIGHBOURS)
  int pair = column / 2, first = column & ~1, second = first + 1, is_second = column & 1;
#else
  int pair = column % (ROTARY_WIDTH / 2), first = pair, second = pair + ROTARY_WIDTH / 2;
  int is_second = column >= ROTARY_WIDTH / 2;
#endif
  float2 turn = rotation(angles, position, pair);
  float a = head[first], b = head[second];
  return is_second ? fma(a, turn.y, b * turn.x) : fma(a, turn.x, -(b * turn.y));
}
