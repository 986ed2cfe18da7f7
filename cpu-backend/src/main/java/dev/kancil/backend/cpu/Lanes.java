package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The machine's vectors, as constants that the compiler folds. A float vector has {@link #LENGTH}
 * lanes, a power of two from 2 to 16, so that no vector is longer than half a block of 32.
 *
 * <p>Bytes are widened to one integer per lane. The smallest byte vector has eight lanes, so on
 * machines with shorter float vectors one load of bytes fills {@link #BYTE_PARTS} of them.
 */
final class Lanes {
  static final VectorSpecies<Float> FLOATS =
      FloatVector.SPECIES_PREFERRED.length() > 16
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
  static final int LENGTH = FLOATS.length();
  static final VectorSpecies<Byte> BYTES =
      LENGTH == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
  static final int BYTES_LENGTH = BYTES.length();
  static final int BYTE_PARTS = BYTES_LENGTH / LENGTH;
  static final VectorSpecies<Short> SHORTS =
      LENGTH == 16
          ? ShortVector.SPECIES_256
          : LENGTH == 8 ? ShortVector.SPECIES_128 : ShortVector.SPECIES_64;
  static final int SHORTS_LENGTH = SHORTS.length();
  static final int SHORT_PARTS = SHORTS_LENGTH / LENGTH;

  /** Whether there are 32 vector registers, which decides how large a tile fits in them. */
  static final boolean MANY_REGISTERS =
      LENGTH == 16 || System.getProperty("os.arch", "").equals("aarch64");

  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ORDER);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ORDER);

  private Lanes() {}

  /**
   * The sum of all lanes. Its order is the JVM's choice and differs between its interpreter and its
   * compilers, so that the last bits of a result depend on when a kernel was compiled. A fixed
   * order by shuffles makes the larger kernels allocate, since C2 then gives up inlining them.
   */
  static float sum(FloatVector lanes) {
    return lanes.reduceLanes(VectorOperators.ADD);
  }

  /** The largest multiple of the vector length that is at most {@code elements}. */
  static int whole(int elements) {
    return elements & -LENGTH;
  }

  /** The smallest multiple of the longest vector's length that is at least {@code elements}. */
  static int padded(int elements) {
    return Math.addExact(elements, 15) & -16;
  }

  static float half(MemorySegment source, long at) {
    return Float.float16ToFloat(source.get(SHORT, at));
  }

  static FloatVector floats(MemorySegment source, long at) {
    return FloatVector.fromMemorySegment(FLOATS, source, at, ORDER);
  }

  static ByteVector bytes(MemorySegment source, long at) {
    return ByteVector.fromMemorySegment(BYTES, source, at, ORDER);
  }

  /** Part {@code part} of unsigned bytes, one per lane. */
  static IntVector unsigned(ByteVector bytes, int part) {
    return (IntVector)
        bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, BYTE_PARTS == 1 ? 0 : part);
  }

  /** Part {@code part} of signed bytes as floats. */
  static FloatVector signedFloats(ByteVector bytes, int part) {
    return toFloat(
        (IntVector) bytes.convertShape(VectorOperators.B2I, INTS, BYTE_PARTS == 1 ? 0 : part));
  }

  static FloatVector toFloat(IntVector integers) {
    return (FloatVector) integers.convert(VectorOperators.I2F, 0);
  }

  /** Part {@code part} of 16-bit patterns, zero-extended, one per lane. */
  static IntVector patterns(MemorySegment source, long at, int part) {
    ShortVector shorts = ShortVector.fromMemorySegment(SHORTS, source, at, ORDER);
    return (IntVector)
        shorts.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, SHORT_PARTS == 1 ? 0 : part);
  }

  /**
   * The values of half-precision patterns. Shifted to float's fields the exponent is 112 too small,
   * which one exact multiplication mends, subnormals included; infinities and NaNs get the exponent
   * that they lost.
   */
  static FloatVector halves(IntVector patterns) {
    IntVector magnitude = patterns.and(0x7fff);
    IntVector bits = magnitude.lanewise(VectorOperators.LSHL, 13);
    FloatVector finite = bits.reinterpretAsFloats().mul(0x1p112f);
    IntVector sign = patterns.and(0x8000).lanewise(VectorOperators.LSHL, 16);
    IntVector value = finite.reinterpretAsInts();
    IntVector special = bits.or(0x7f800000);
    return value
        .blend(special, magnitude.compare(VectorOperators.GE, 0x7c00))
        .or(sign)
        .reinterpretAsFloats();
  }

  /** The values of bfloat16 patterns. */
  static FloatVector brainFloats(IntVector patterns) {
    return patterns.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }
}
