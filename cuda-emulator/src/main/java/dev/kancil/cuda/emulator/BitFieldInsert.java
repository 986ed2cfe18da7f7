package dev.kancil.cuda.emulator;

/** {@code bfi d, a, b, position, length}: the lowest bits of a take the place of some of b. */
final class BitFieldInsert extends Instruction {
  private final boolean isLong;
  private final int d;
  private final int a;
  private final int b;
  private final int position;
  private final int length;

  private BitFieldInsert(boolean isLong, int d, int a, int b, int position, int length) {
    this.isLong = isLong;
    this.d = d;
    this.a = a;
    this.b = b;
    this.position = position;
    this.length = length;
  }

  static Instruction decode(Form form) {
    PtxType type = form.type();
    form.finish(5);
    if (type.kind != PtxType.Kind.BITS || type.bits < 32) {
      throw form.unknown();
    }
    return new BitFieldInsert(
        type.isLong(),
        form.target(0, type),
        form.source(1, type),
        form.source(2, type),
        form.source(3, PtxType.B32),
        form.source(4, PtxType.B32));
  }

  @Override
  void run(Warp warp, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      int width = isLong ? 64 : 32;
      int from = BitOperations.place(warp.ints[position][lane], width);
      int count = BitOperations.place(warp.ints[length][lane], width);
      long bits = count >= 64 ? -1 : (1L << count) - 1;
      bits = from >= 64 ? 0 : bits << from;
      if (isLong) {
        long inserted = from >= 64 ? 0 : warp.longs[a][lane] << from;
        warp.longs[d][lane] = warp.longs[b][lane] & ~bits | inserted & bits;
      } else {
        long inserted = from >= 64 ? 0 : (long) warp.ints[a][lane] << from;
        warp.ints[d][lane] = (int) (warp.ints[b][lane] & ~bits | inserted & bits);
      }
    }
  }
}
