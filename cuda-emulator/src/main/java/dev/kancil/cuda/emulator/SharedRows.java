package dev.kancil.cuda.emulator;

/**
 * What a warp has read of a matrix in shared memory, for an instruction that goes on reading it
 * until the warp has waited.
 *
 * @param values four for each row of 16 halves
 */
record SharedRows(SharedMatrix matrix, long[] values) {
  private static final int LONGS = 4;

  /** Reads rows, as all lanes of the warp. */
  static SharedRows read(Warp warp, Instruction instruction, SharedMatrix matrix, int rows) {
    SharedRows read = new SharedRows(matrix, new long[rows * LONGS]);
    int limit = warp.block.launch.sharedBytes();
    for (int row = 0; row < rows; row++) {
      for (int unit = 0; unit < 2; unit++) {
        int address = matrix.unit(row, unit);
        if (address > limit - SharedMatrix.UNIT_BYTES) {
          throw warp.block.fault(
              CudaError.ILLEGAL_ADDRESS,
              instruction,
              warp,
              0,
              "row "
                  + row
                  + " of a matrix: 16 bytes at offset "
                  + address
                  + " of shared memory, which has "
                  + limit);
        }
        checkOrder(warp, instruction, address);
        long at = warp.block.sharedAddress() + address;
        read.values[row * LONGS + 2 * unit] = Memory.getLong(at);
        read.values[row * LONGS + 2 * unit + 1] = Memory.getLong(at + Long.BYTES);
      }
    }
    return read;
  }

  /** The warp has waited: nobody may have written meanwhile. */
  void checkUnchanged(Warp warp, Instruction instruction) {
    for (int row = 0; row < values.length / LONGS; row++) {
      for (int unit = 0; unit < 2; unit++) {
        int address = matrix.unit(row, unit);
        checkOrder(warp, instruction, address);
        long at = warp.block.sharedAddress() + address;
        if (values[row * LONGS + 2 * unit] != Memory.getLong(at)
            || values[row * LONGS + 2 * unit + 1] != Memory.getLong(at + Long.BYTES)) {
          throw WarpgroupProducts.fault(
              warp,
              instruction,
              "shared memory at offset "
                  + address
                  + ", row "
                  + row
                  + " of a matrix, has changed before the warp waited");
        }
      }
    }
  }

  private static void checkOrder(Warp warp, Instruction instruction, int address) {
    RaceCheck races = warp.block.races;
    if (races == null) {
      return;
    }
    int writer = races.readTogether(address, SharedMatrix.UNIT_BYTES, warp.index);
    if (writer != RaceCheck.NOBODY) {
      throw MemoryInstruction.race(instruction, warp, 0, address, writer);
    }
    MemoryInstruction.checkPublished(instruction, warp, 0, address, SharedMatrix.UNIT_BYTES);
  }

  /** Unpacks a row's 16 numbers. */
  void unpack(HalfFormat format, int row, float[] to, int first) {
    for (int i = 0; i < LONGS; i++) {
      long bits = values[row * LONGS + i];
      for (int j = 0; j < 4; j++) {
        to[first + 4 * i + j] = format.toFloat((int) (bits >>> 16 * j) & 0xffff);
      }
    }
  }
}
