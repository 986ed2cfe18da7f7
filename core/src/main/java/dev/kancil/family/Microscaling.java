package dev.kancil.family;

import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Packs blocks of MXFP4 as {@link DataType#MXFP4} has them: a block's scale before its bytes, of
 * which byte i has element i in its low half and element i + 16 in its high half. They come with
 * elements 2i and 2i + 1 in a byte.
 */
final class Microscaling {
  /** Bytes of a block's elements. */
  static final int BLOCK_BYTES = 16;

  private Microscaling() {}

  static void pack(MemorySegment blocks, MemorySegment scales, MemorySegment to) {
    int packedBytes = DataType.MXFP4.blockBytes();
    for (long block = 0; block < scales.byteSize(); block++) {
      long from = block * BLOCK_BYTES;
      long at = block * packedBytes;
      to.set(ValueLayout.JAVA_BYTE, at, scales.get(ValueLayout.JAVA_BYTE, block));
      for (int i = 0; i < BLOCK_BYTES; i++) {
        int low = blocks.get(ValueLayout.JAVA_BYTE, from + i / 2) >> 4 * (i % 2) & 15;
        int high = blocks.get(ValueLayout.JAVA_BYTE, from + 8 + i / 2) >> 4 * (i % 2) & 15;
        to.set(ValueLayout.JAVA_BYTE, at + 1 + i, (byte) (low | high << 4));
      }
    }
  }
}
