package dev.kancil.cuda.emulator;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The fundamental types of PTX (PTX ISA, "Types"), as far as they can be interpreted. */
enum PtxType {
  PRED(1, Kind.PREDICATE),
  B8(8, Kind.BITS),
  B16(16, Kind.BITS),
  B32(32, Kind.BITS),
  B64(64, Kind.BITS),
  U8(8, Kind.UNSIGNED),
  U16(16, Kind.UNSIGNED),
  U32(32, Kind.UNSIGNED),
  U64(64, Kind.UNSIGNED),
  S8(8, Kind.SIGNED),
  S16(16, Kind.SIGNED),
  S32(32, Kind.SIGNED),
  S64(64, Kind.SIGNED),
  F16(16, Kind.FLOAT),
  F16X2(32, Kind.PACKED),
  BF16(16, Kind.BFLOAT),
  BF16X2(32, Kind.PACKED),
  F32(32, Kind.FLOAT),
  F64(64, Kind.FLOAT);

  /** How a type's bits are read. */
  enum Kind {
    PREDICATE,
    BITS,
    UNSIGNED,
    SIGNED,
    FLOAT,
    BFLOAT,
    /** Two halves in a word. */
    PACKED
  }

  private static final PtxType[] VALUES = values();

  final int bits;
  final Kind kind;

  PtxType(int bits, Kind kind) {
    this.bits = bits;
    this.kind = kind;
  }

  /** The type that a modifier names, as {@code u32}; null if it names none. */
  static @Nullable PtxType named(String modifier) {
    for (PtxType type : VALUES) {
      if (type.text().equals(modifier)) {
        return type;
      }
    }
    return null;
  }

  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  int bytes() {
    return Math.max(1, bits / 8);
  }

  /** Whether its registers are rows of longs. */
  boolean isLong() {
    return bits == 64;
  }

  boolean isSigned() {
    return kind == Kind.SIGNED;
  }

  /** Whole numbers, and bits that are as good as unsigned ones. */
  boolean isInteger() {
    return kind == Kind.SIGNED || kind == Kind.UNSIGNED || kind == Kind.BITS;
  }

  boolean isHalf() {
    return this == F16 || this == F16X2 || this == BF16 || this == BF16X2;
  }
}
