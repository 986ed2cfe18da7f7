package dev.kancil.cuda.emulator;

import java.util.List;

/** {@code ld}, of one element or several. */
final class LoadInstruction extends MemoryInstruction {
  /**
   * @param bits of the register
   */
  record Target(Form.Row row, int bits) {}

  private final PtxType type;
  private final Target[] targets;

  LoadInstruction(MemoryDecoder.Place place, PtxType type, List<Target> targets) {
    super(place.space(), place.base(), place.offset(), type.bytes() * targets.size(), Access.READ);
    this.type = type;
    this.targets = targets.toArray(Target[]::new);
  }

  @Override
  void run(Warp warp, int mask) {
    long[] at = locate(warp, mask);
    for (int i = 0; i < targets.length; i++) {
      Form.Row row = targets[i].row;
      long offset = (long) i * type.bytes();
      if (row.isLong()) {
        load(warp.longs[row.index()], at, offset, mask);
      } else if (type.bits == 32) {
        loadInts(warp.ints[row.index()], at, offset, mask);
      } else {
        load(warp.ints[row.index()], at, offset, mask, targets[i].bits == 32 ? -1 : 0xffff);
      }
    }
  }

  private static void loadInts(int[] row, long[] at, long offset, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      row[lane] = Memory.getInt(at[lane] + offset);
    }
  }

  private void load(int[] row, long[] at, long offset, int mask, int kept) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      row[lane] = (int) value(at[lane] + offset) & kept;
    }
  }

  private void load(long[] row, long[] at, long offset, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      row[lane] = value(at[lane] + offset);
    }
  }

  private long value(long address) {
    boolean signed = type.isSigned();
    return switch (type.bits) {
      case 8 -> signed ? Memory.getByte(address) : Memory.getByte(address) & 0xff;
      case 16 -> signed ? Memory.getShort(address) : Memory.getShort(address) & 0xffff;
      case 32 -> signed ? Memory.getInt(address) : Memory.getInt(address) & 0xffff_ffffL;
      default -> Memory.getLong(address);
    };
  }
}
