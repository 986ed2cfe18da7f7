package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.GlobalMemory.Allocation;
import java.util.Locale;

/** {@code cp.async.bulk}: many bytes at once, whose places and number are multiples of 16. */
abstract class BulkInstruction extends MemoryInstruction {
  static final int UNIT = 16;

  BulkInstruction(MemoryDecoder.Place place, int bytes, Access access) {
    super(place.space(), place.base(), place.offset(), bytes, access);
  }

  /**
   * How many bytes a lane moves.
   *
   * @param row of sizes
   */
  final int size(Warp warp, int lane, int row) {
    int bytes = warp.ints[row][lane];
    if (bytes < 0 || bytes % UNIT != 0) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED,
          this,
          warp,
          lane,
          Integer.toUnsignedString(bytes) + " bytes are not a multiple of " + UNIT);
    }
    return bytes;
  }

  /** Where a lane reads or writes global memory. */
  final long global(Warp warp, int lane, MemoryDecoder.Place place, int bytes, Access access) {
    long address = address(warp, lane, place);
    if (bytes == 0) {
      return 0;
    }
    Allocation allocation = find(warp, lane, address, bytes, access);
    if (access != Access.READ && allocation.isReadOnly) {
      throw warp.block.fault(
          CudaError.ILLEGAL_ADDRESS, this, warp, lane, "a write into " + allocation.describe());
    }
    return allocation.hostAddress + (address - allocation.address);
  }

  /** Where a lane reads or writes shared memory: the offset. */
  final int shared(Warp warp, int lane, MemoryDecoder.Place place, int bytes) {
    long address = address(warp, lane, place);
    int limit = warp.block.launch.sharedBytes();
    if (address < 0 || address > limit - bytes) {
      throw warp.block.fault(
          CudaError.ILLEGAL_ADDRESS,
          this,
          warp,
          lane,
          bytes + " bytes at offset " + address + " of shared memory, which has " + limit);
    }
    return (int) address;
  }

  private long address(Warp warp, int lane, MemoryDecoder.Place place) {
    int row = place.base().index();
    long base = place.base().isLong() ? warp.longs[row][lane] : warp.ints[row][lane] & 0xffff_ffffL;
    long address = base + place.offset();
    if (address % UNIT != 0) {
      throw warp.block.fault(
          CudaError.MISALIGNED_ADDRESS,
          this,
          warp,
          lane,
          String.format(Locale.ROOT, "0x%x is not a multiple of %d", address, UNIT));
    }
    return address;
  }
}
