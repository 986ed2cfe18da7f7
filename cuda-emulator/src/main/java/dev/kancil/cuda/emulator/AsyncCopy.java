package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.GlobalMemory.Allocation;
import org.jspecify.annotations.Nullable;

/**
 * {@code cp.async} of 4, 8 or 16 bytes. Global memory is read at once. Shared memory holds poison
 * until the thread waits, since nobody may look at it before; to the race check the thread writes
 * when it begins the copy, and again when it has waited.
 */
final class AsyncCopy extends MemoryInstruction {
  /**
   * How many bytes are read; the others become zero.
   *
   * @param bytes a row; -1: all
   * @param ignored where it holds, none
   */
  record Given(int bytes, Form.@Nullable Predicate ignored) {}

  private final int bytes;
  private final Form.Row source;
  private final long sourceOffset;
  private final Given given;
  private @Nullable Allocation last;

  AsyncCopy(MemoryDecoder.Place target, MemoryDecoder.Place source, int bytes, Given given) {
    super(target.space(), target.base(), target.offset(), bytes, Access.WRITE);
    this.bytes = bytes;
    this.source = source.base();
    sourceOffset = source.offset();
    this.given = given;
  }

  @Override
  void run(Warp warp, int mask) {
    AsyncCopies.Pending pending = warp.copies.begin(warp, mask, bytes, this);
    long[] at = locate(warp, mask);
    System.arraycopy(at, 0, pending.targets, 0, Warp.LANES);
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      int read = bytesRead(warp, lane);
      pending.read(lane, read == 0 ? 0 : hostAddress(warp, lane, read), read);
      for (int i = 0; i < bytes; i += Integer.BYTES) {
        Memory.set(at[lane] + i, Warp.POISON);
      }
    }
  }

  private int bytesRead(Warp warp, int lane) {
    Form.Predicate ignored = given.ignored;
    if (ignored != null) {
      return (ignored.value(warp) >>> lane & 1) != 0 ? 0 : bytes;
    }
    if (given.bytes < 0) {
      return bytes;
    }
    int read = warp.ints[given.bytes][lane];
    if (read < 0 || read > bytes) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED,
          this,
          warp,
          lane,
          Integer.toUnsignedString(read) + " bytes of a source for a copy of " + bytes);
    }
    return read;
  }

  private long hostAddress(Warp warp, int lane, int read) {
    long address =
        (source.isLong() ? warp.longs[source.index()][lane] : warp.ints[source.index()][lane])
            + sourceOffset;
    if ((address & bytes - 1) != 0) {
      throw misaligned(warp, lane, address);
    }
    Allocation allocation = last;
    if (allocation == null
        || allocation.isFreed()
        || address < allocation.address
        || address - allocation.address > allocation.bytes - read) {
      allocation = find(warp, lane, address, read, Access.READ);
      last = allocation;
    }
    return allocation.hostAddress + (address - allocation.address);
  }
}
