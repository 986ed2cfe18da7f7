package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Quants of some columns of a vector of rows, put together from their bits: four columns of a row
 * are the bytes of an integer, those of all rows beside each other. They stay in the first-level
 * cache for the loop that multiplies or decodes them. (C2 stops inlining in a loop that does both.)
 */
final class TileQuants {
  /** Columns that are put together at once: whole blocks. */
  static final int COLUMNS = 512;

  /** Integers that they take. */
  static final int ROOM = COLUMNS / 4 * LENGTH;

  private static final int LOW_BITS = 0x0f0f0f0f;

  private static final byte[] IQ4_LEVELS =
      repeated(1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241);
  private static final byte[] FP4_LEVELS =
      repeated(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);

  /** For each sixteen bytes of a vector. */
  private static byte[] repeated(int... sixteen) {
    byte[] levels = new byte[4 * LENGTH];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (byte) sixteen[i % 16];
    }
    return levels;
  }

  private TileQuants() {}

  /**
   * Puts quants together.
   *
   * @param at of the quants of the first row
   * @param highAt of their higher bits
   * @param first column, the first of a block
   * @param count of columns, {@link #COLUMNS} at most
   */
  static void unpack(
      TileForm.Quants quants,
      MemorySegment data,
      long at,
      long highAt,
      int first,
      int count,
      int[] to) {
    long low = at + 2L * quants.lowBits * first;
    long high = highAt + 2L * quants.highBits * first;
    switch (quants) {
      case TWOS -> twos(data, low, count, to);
      case THREES -> {
        twos(data, low, count, to);
        addBits(data, high, 2, count, to);
      }
      case NIBBLES -> nibbles(data, low, count, to);
      case IQ4_LEVELS -> {
        nibbles(data, low, count, to);
        lookUp(IQ4_LEVELS, count, to);
      }
      case FP4_LEVELS -> {
        nibbles(data, low, count, to);
        lookUp(FP4_LEVELS, count, to);
      }
      case FIVES -> {
        nibbles(data, low, count, to);
        addBits(data, high, 4, count, to);
      }
      case SIXES -> {
        nibbles(data, low, count, to);
        addSixths(data, high, count, to);
      }
      case BYTES -> throw new IllegalArgumentException("bytes are not in parts");
    }
  }

  private static void twos(MemorySegment data, long at, int count, int[] to) {
    for (int c = 0; c < count; c += 16) {
      IntVector q = Lanes.integers(data, at + 4L * c);
      int i = c / 4 * LENGTH;
      for (int j = 0; j < 4; j++) {
        q.lanewise(VectorOperators.LSHR, 2 * j).and(0x03030303).intoArray(to, i + j * LENGTH);
      }
    }
  }

  private static void nibbles(MemorySegment data, long at, int count, int[] to) {
    for (int c = 0; c < count; c += 8) {
      IntVector q = Lanes.integers(data, at + 8L * c);
      int i = c / 4 * LENGTH;
      q.and(LOW_BITS).intoArray(to, i);
      q.lanewise(VectorOperators.LSHR, 4).and(LOW_BITS).intoArray(to, i + LENGTH);
    }
  }

  /** Each byte becomes the level that it is the number of. */
  private static void lookUp(byte[] levels, int count, int[] to) {
    ByteVector table = ByteVector.fromArray(Lanes.FLOATS.withLanes(byte.class), levels, 0);
    for (int i = 0; i < count / 4 * LENGTH; i += LENGTH) {
      ByteVector numbers = IntVector.fromArray(Lanes.INTS, to, i).reinterpretAsBytes();
      numbers.selectFrom(table).reinterpretAsInts().intoArray(to, i);
    }
  }

  /** Adds one bit to each quant, as bit {@code place}. */
  private static void addBits(MemorySegment data, long at, int place, int count, int[] to) {
    for (int c = 0; c < count; c += 32) {
      IntVector bits = Lanes.integers(data, at + 2L * c);
      int i = c / 4 * LENGTH;
      for (int j = 0; j < 8; j++) {
        bits.lanewise(VectorOperators.LSHR, j)
            .and(0x01010101)
            .lanewise(VectorOperators.LSHL, place)
            .or(IntVector.fromArray(Lanes.INTS, to, i + j * LENGTH))
            .intoArray(to, i + j * LENGTH);
      }
    }
  }

  private static void addSixths(MemorySegment data, long at, int count, int[] to) {
    for (int c = 0; c < count; c += 16) {
      IntVector bits = Lanes.integers(data, at + 4L * c);
      int i = c / 4 * LENGTH;
      for (int j = 0; j < 4; j++) {
        bits.lanewise(VectorOperators.LSHR, 2 * j)
            .and(0x03030303)
            .lanewise(VectorOperators.LSHL, 4)
            .or(IntVector.fromArray(Lanes.INTS, to, i + j * LENGTH))
            .intoArray(to, i + j * LENGTH);
      }
    }
  }
}
