package dev.kancil.cuda.emulator;

import java.util.List;

/** {@code st}, of one element or several. */
final class StoreInstruction extends MemoryInstruction {
  private final PtxType type;
  private final Form.Row[] sources;

  StoreInstruction(MemoryDecoder.Place place, PtxType type, List<Form.Row> sources) {
    super(place.space(), place.base(), place.offset(), type.bytes() * sources.size(), Access.WRITE);
    this.type = type;
    this.sources = sources.toArray(Form.Row[]::new);
  }

  @Override
  void run(Warp warp, int mask) {
    long[] at = locate(warp, mask);
    for (int i = 0; i < sources.length; i++) {
      Form.Row row = sources[i];
      long offset = (long) i * type.bytes();
      if (row.isLong()) {
        store(warp.longs[row.index()], at, offset, mask);
      } else {
        store(warp.ints[row.index()], at, offset, mask);
      }
    }
  }

  private void store(int[] row, long[] at, long offset, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      int value = row[lane];
      switch (type.bits) {
        case 8 -> Memory.set(at[lane] + offset, (byte) value);
        case 16 -> Memory.set(at[lane] + offset, (short) value);
        default -> Memory.set(at[lane] + offset, value);
      }
    }
  }

  private void store(long[] row, long[] at, long offset, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      long value = row[lane];
      switch (type.bits) {
        case 8 -> Memory.set(at[lane] + offset, (byte) value);
        case 16 -> Memory.set(at[lane] + offset, (short) value);
        case 32 -> Memory.set(at[lane] + offset, (int) value);
        default -> Memory.set(at[lane] + offset, value);
      }
    }
  }
}
