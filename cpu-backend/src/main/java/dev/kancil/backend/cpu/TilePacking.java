package dev.kancil.backend.cpu;

import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Rows of weights as files have them become lanes of tiles, as {@link TileForm} lays these out. */
final class TilePacking {
  private static final int BLOCK = 32;
  private static final int ROWS = TileForm.ROWS;

  private final DataType type;
  private final TileForm form;
  private final int columns;
  // Of the block that is being laid.
  private final byte[] quants = new byte[BLOCK];

  TilePacking(DataType type, TileForm form, int columns) {
    this.type = type;
    this.form = form;
    this.columns = columns;
  }

  /**
   * Lays a row.
   *
   * @param at of the row in {@code from}
   * @param tile where the tile begins, whose bytes are zeros
   * @param lane of the row
   */
  void pack(MemorySegment from, long at, MemorySegment to, long tile, int lane) {
    for (int block = 0; block < columns / BLOCK; block++) {
      int column = block * BLOCK;
      long source = at + type.byteSize(column / type.blockElements() * type.blockElements());
      read(from, source, block % 8);
      scales(from, source, block, to, tile, lane);
      if (form.quants() == TileForm.Quants.BYTES) {
        long target = tile + form.quants(columns) + (long) column * ROWS + lane;
        for (int i = 0; i < BLOCK; i++) {
          to.set(ValueLayout.JAVA_BYTE, target + (long) i * ROWS, quants[i]);
        }
      } else {
        int bits = form.quants().lowBits;
        if (bits == 4) {
          putNibbles(to, tile + form.quants(columns) + (long) column * ROWS / 2 + 4L * lane);
        } else {
          putParts(to, tile + form.quants(columns), column, lane, 0, bits);
        }
        putParts(to, tile + form.highQuants(columns), column, lane, bits, form.quants().highBits);
      }
    }
  }

  private void putNibbles(MemorySegment to, long at) {
    for (int j = 0; j < BLOCK / 8; j++) {
      int both = 0;
      for (int b = 0; b < 4; b++) {
        both |= (quants[8 * j + b] & 15 | (quants[8 * j + 4 + b] & 15) << 4) << 8 * b;
      }
      to.set(Lanes.INT, at + 4L * ROWS * j, both);
    }
  }

  /** Some bits of the quants, from bit {@code first} on. */
  private void putParts(MemorySegment to, long plane, int column, int lane, int first, int bits) {
    for (int from = 0; bits > 0 && from < BLOCK; from += BLOCK / bits) {
      int all = 0;
      for (int j = 0; j < 8 / bits; j++) {
        for (int b = 0; b < 4; b++) {
          int part = quants[from + 4 * j + b] >> first & (1 << bits) - 1;
          all |= part << 8 * b + bits * j;
        }
      }
      long at = plane + (long) (column + from) * bits / 8 * ROWS + 4L * lane;
      to.set(Lanes.INT, at, all);
    }
  }

  /** The block's quants, which is so many-th of its superblock. */
  private void read(MemorySegment from, long at, int of) {
    switch (type) {
      case Q4_0 -> nibbles(from, at + 2);
      case Q4_1 -> nibbles(from, at + 4);
      case Q5_0 -> fives(from, at + 2);
      case Q5_1 -> fives(from, at + 4);
      case IQ4_NL -> nibbles(from, at + 2);
      case MXFP4 -> nibbles(from, at + 1);
      case IQ4_XS -> nibbles(from, at + 8 + 16 * of);
      case Q8_0 -> MemorySegment.copy(from, ValueLayout.JAVA_BYTE, at + 2, quants, 0, BLOCK);
      case Q2_K -> put(from, at + 16 + BLOCK * (of / 4), 2 * (of % 4), 3);
      case Q3_K -> {
        put(from, at + 32 + BLOCK * (of / 4), 2 * (of % 4), 3);
        add(from, at, of, 1, 2);
      }
      case Q4_K -> put(from, at + 16 + BLOCK * (of / 2), 4 * (of % 2), 15);
      case Q5_K -> {
        put(from, at + 48 + BLOCK * (of / 2), 4 * (of % 2), 15);
        add(from, at + 16, of, 1, 4);
      }
      case Q6_K -> {
        put(from, at + 64 * (of / 4) + BLOCK * (of % 2), 4 * (of % 4 / 2), 15);
        add(from, at + 128 + BLOCK * (of / 4), 2 * (of % 4), 3, 4);
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Quants are some bits of a byte each. */
  private void put(MemorySegment from, long at, int shift, int mask) {
    Arrays.fill(quants, (byte) 0);
    add(from, at, shift, mask, 0);
  }

  /** Quants have some bits of a byte each, too, from bit {@code place} on. */
  private void add(MemorySegment from, long at, int shift, int mask, int place) {
    for (int i = 0; i < BLOCK; i++) {
      int bits = from.get(ValueLayout.JAVA_BYTE, at + i) >> shift & mask;
      quants[i] |= (byte) (bits << place);
    }
  }

  private void nibbles(MemorySegment from, long at) {
    for (int i = 0; i < BLOCK / 2; i++) {
      int both = from.get(ValueLayout.JAVA_BYTE, at + i);
      quants[i] = (byte) (both & 15);
      quants[i + BLOCK / 2] = (byte) (both >> 4 & 15);
    }
  }

  private void fives(MemorySegment from, long at) {
    nibbles(from, at + 4);
    int fifths = from.get(Lanes.INT, at);
    for (int i = 0; i < BLOCK; i++) {
      quants[i] |= (byte) ((fifths >> i & 1) << 4);
    }
  }

  private void scales(
      MemorySegment from, long at, int block, MemorySegment to, long tile, int lane) {
    long group = (long) block * BLOCK / form.halfColumns();
    long half = tile + 2 * (group * ROWS + lane);
    long second = half + form.minimumHalves(columns);
    long bytes =
        tile + form.scaleBytes(columns) + (long) block * BLOCK / form.scaleColumns() * ROWS + lane;
    int of = block % 8;
    switch (type) {
      case Q4_0, Q5_0, Q8_0, IQ4_NL -> copyHalf(from, at, to, half);
      case MXFP4 -> to.set(Lanes.SHORT, half, power(from.get(ValueLayout.JAVA_BYTE, at) & 0xff));
      case IQ4_XS -> {
        copyHalf(from, at, to, half);
        int low = from.get(ValueLayout.JAVA_BYTE, at + 4 + of / 2) >> 4 * (of % 2) & 15;
        int high = from.get(Lanes.SHORT, at + 2) >> 2 * of & 3;
        to.set(ValueLayout.JAVA_BYTE, bytes, (byte) ((low | high << 4) - 32));
      }
      case Q4_1, Q5_1 -> {
        copyHalf(from, at, to, half);
        copyHalf(from, at + 2, to, second);
      }
      case Q4_K, Q5_K -> {
        copyHalf(from, at, to, half);
        copyHalf(from, at + 2, to, second);
        long minimum = bytes + form.minimumBytes(columns) - form.scaleBytes(columns);
        int sixBits = SuperBlockDecoding.part(SuperBlockDecoding.scales(from, at + 4), of);
        to.set(ValueLayout.JAVA_BYTE, bytes, (byte) sixBits);
        sixBits = SuperBlockDecoding.part(SuperBlockDecoding.minima(from, at + 4), of);
        to.set(ValueLayout.JAVA_BYTE, minimum, (byte) sixBits);
      }
      case Q2_K -> {
        copyHalf(from, at + 80, to, half);
        copyHalf(from, at + 82, to, second);
        copyTwo(from, at + 2 * of, to, bytes);
      }
      case Q3_K -> {
        copyHalf(from, at + 108, to, half);
        for (int i = 0; i < 2; i++) {
          byte scale = (byte) (sixBits(from, at + 96, 2 * of + i) - 32);
          to.set(ValueLayout.JAVA_BYTE, bytes + (long) i * ROWS, scale);
        }
      }
      case Q6_K -> {
        copyHalf(from, at + 208, to, half);
        copyTwo(from, at + 192 + 2 * of, to, bytes);
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Half of what E8M0 says, as BF16: {@code 2^(exponent - 128)}. */
  private static short power(int exponent) {
    return (short) (exponent < 2 ? 0x20 << exponent : exponent - 1 << 7);
  }

  /** Q3_K's: four bits in the halves of eight bytes, two in the pairs of four behind them. */
  private static int sixBits(MemorySegment from, long at, int i) {
    int low = from.get(ValueLayout.JAVA_BYTE, at + i % 8) >> 4 * (i / 8) & 15;
    int high = from.get(ValueLayout.JAVA_BYTE, at + 8 + i % 4) >> 2 * (i / 4) & 3;
    return low | high << 4;
  }

  /** The bytes of a block's two scales. */
  private static void copyTwo(MemorySegment from, long at, MemorySegment to, long target) {
    to.set(ValueLayout.JAVA_BYTE, target, from.get(ValueLayout.JAVA_BYTE, at));
    to.set(ValueLayout.JAVA_BYTE, target + ROWS, from.get(ValueLayout.JAVA_BYTE, at + 1));
  }

  private static void copyHalf(MemorySegment from, long at, MemorySegment to, long target) {
    to.set(Lanes.SHORT, target, from.get(Lanes.SHORT, at));
  }
}
