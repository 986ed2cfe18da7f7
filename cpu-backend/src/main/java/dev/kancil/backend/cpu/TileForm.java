package dev.kancil.backend.cpu;

import dev.kancil.tensor.DataType;
import org.jspecify.annotations.Nullable;

/**
 * How a quantised type lies in tiles of {@link #ROWS} rows that the Vector API multiplies, lanes
 * being rows: what scales are made of, one behind the other, then the quants.
 *
 * <p>A weight is {@code scale · q + minimum}. Small blocks have a half for each scale and, some,
 * another for each minimum; superblocks have the same once, and a byte for each that is multiplied
 * with it. Bits of quants are kept apart as {@link Quants} says. No bit is lost.
 *
 * @param scaleColumns columns that share a scale
 * @param halfColumns columns that share a half
 * @param hasMinimum whether minimums are in the file; else they are {@code -offset · scale}
 */
record TileForm(Quants quants, int scaleColumns, int halfColumns, boolean hasMinimum, int offset) {
  /** Rows of a tile. */
  static final int ROWS = 16;

  private static final int HALF_BYTES = 2 * ROWS;

  /** How quants lie. */
  enum Quants {
    /** Integers of 16 columns of a row, with column 4j + b as the two bits from 8b + 2j on. */
    TWOS(2, 0),
    /**
     * And behind them integers of 32 columns, with the third bit of column 4j + b as bit 8b + j.
     */
    THREES(2, 1),
    /**
     * Integers of eight columns of a row: byte b has column b in its low and 4 + b in its high
     * half.
     */
    NIBBLES(4, 0),
    /** Laid as nibbles are, which are numbers of IQ4's levels, from 128 on. */
    IQ4_LEVELS(4, 0),
    /** Of MXFP4's values, doubled, from 12 on. */
    FP4_LEVELS(4, 0),
    /**
     * And behind them integers of 32 columns, with the fifth bit of column 4j + b as bit 8b + j.
     */
    FIVES(4, 1),
    /**
     * And behind nibbles integers of 16 columns, with two bits of column 4j + b from 8b + 2j on.
     */
    SIXES(4, 2),
    /** A signed byte for each column and row, the rows of a column beside each other. */
    BYTES(8, 0);

    /** Bits of the first part, and of the one behind it. */
    final int lowBits;

    final int highBits;

    Quants(int lowBits, int highBits) {
      this.lowBits = lowBits;
      this.highBits = highBits;
    }
  }

  static @Nullable TileForm of(DataType type) {
    return switch (type) {
      case Q4_0 -> new TileForm(Quants.NIBBLES, 32, 32, false, 8);
      case Q4_1 -> new TileForm(Quants.NIBBLES, 32, 32, true, 0);
      case Q5_0 -> new TileForm(Quants.FIVES, 32, 32, false, 16);
      case Q5_1 -> new TileForm(Quants.FIVES, 32, 32, true, 0);
      case Q8_0 -> new TileForm(Quants.BYTES, 32, 32, false, 0);
      case IQ4_NL -> new TileForm(Quants.IQ4_LEVELS, 32, 32, false, 128);
      case MXFP4 -> new TileForm(Quants.FP4_LEVELS, 32, 32, false, 12);
      case IQ4_XS -> new TileForm(Quants.IQ4_LEVELS, 32, 256, false, 128);
      case Q2_K -> new TileForm(Quants.TWOS, 16, 256, true, 0);
      case Q3_K -> new TileForm(Quants.THREES, 16, 256, false, 4);
      case Q4_K -> new TileForm(Quants.NIBBLES, 32, 256, true, 0);
      case Q5_K -> new TileForm(Quants.FIVES, 32, 256, true, 0);
      case Q6_K -> new TileForm(Quants.SIXES, 16, 256, false, 32);
      default -> null;
    };
  }

  /** Whether scales are bytes times halves. */
  boolean isSuper() {
    return halfColumns > scaleColumns;
  }

  /** Whether scales are powers of two that halves don't hold, but BF16 does. */
  boolean hasPowers() {
    return quants == Quants.FP4_LEVELS;
  }

  /** Whether a byte has a scale in its low half and a minimum in its high one. */
  boolean hasPairs() {
    return hasMinimum && quants == Quants.TWOS;
  }

  /** Whether sums of x are needed. */
  boolean hasOffsets() {
    return hasMinimum || offset != 0;
  }

  /** Where the halves of minimums begin in a tile; those of scales begin it. */
  long minimumHalves(int columns) {
    return (long) columns / halfColumns * HALF_BYTES;
  }

  /** Where the bytes of scales begin. */
  long scaleBytes(int columns) {
    return minimumHalves(columns) * (hasMinimum ? 2 : 1);
  }

  /** Where the bytes of minimums begin. */
  long minimumBytes(int columns) {
    return hasPairs() ? scaleBytes(columns) : scaleBytes(columns) + bytesOfScales(columns);
  }

  private long bytesOfScales(int columns) {
    return isSuper() ? (long) columns / scaleColumns * ROWS : 0;
  }

  /** Where quants begin. */
  long quants(int columns) {
    int planes = hasMinimum && !hasPairs() ? 2 : 1;
    return scaleBytes(columns) + planes * bytesOfScales(columns);
  }

  /** Where the higher bits of quants begin. */
  long highQuants(int columns) {
    return quants(columns) + (long) columns * ROWS * quants.lowBits / 8;
  }

  /** Bytes of a tile. */
  long bytes(int columns) {
    return highQuants(columns) + (long) columns * ROWS * quants.highBits / 8;
  }
}
