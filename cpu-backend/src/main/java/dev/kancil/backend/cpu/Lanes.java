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
 * lanes: 4, 8 or 16, so that no vector is longer than half a block of 32. Bytes and shorts are
 * widened to one integer per lane.
 */
final class Lanes {
  static final VectorSpecies<Float> FLOATS =
      switch (FloatVector.SPECIES_PREFERRED.length()) {
        case 1, 2, 4 -> FloatVector.SPECIES_128;
        case 8 -> FloatVector.SPECIES_256;
        default -> FloatVector.SPECIES_512;
      };
  static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
  static final int LENGTH = FLOATS.length();
  private static final VectorSpecies<Byte> BYTES =
      LENGTH == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
  private static final VectorSpecies<Short> SHORTS =
      switch (LENGTH) {
        case 4 -> ShortVector.SPECIES_64;
        case 8 -> ShortVector.SPECIES_128;
        default -> ShortVector.SPECIES_256;
      };
  // Of no use but where vectors have four lanes.
  private static final IntVector TO_TOP =
      IntVector.fromArray(INTS, new int[] {24, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0);

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

  static float single(MemorySegment source, long at) {
    return Float.intBitsToFloat(source.get(INT, at));
  }

  static float half(MemorySegment source, long at) {
    return Float.float16ToFloat(source.get(SHORT, at));
  }

  static FloatVector floats(MemorySegment source, long at) {
    return FloatVector.fromMemorySegment(FLOATS, source, at, ORDER);
  }

  static IntVector integers(MemorySegment source, long at) {
    return IntVector.fromMemorySegment(INTS, source, at, ORDER);
  }

  static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  /** {@link #LENGTH} unsigned bytes, one per lane. */
  static IntVector unsigned(MemorySegment source, long at) {
    if (LENGTH == 4) {
      return four(source, at).lanewise(VectorOperators.LSHR, 24);
    }
    return (IntVector) bytes(source, at).convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
  }

  /** {@link #LENGTH} signed bytes as floats. */
  static FloatVector signedFloats(MemorySegment source, long at) {
    return toFloat(signed(source, at));
  }

  private static IntVector signed(MemorySegment source, long at) {
    if (LENGTH == 4) {
      return four(source, at).lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector) bytes(source, at).convertShape(VectorOperators.B2I, INTS, 0);
  }

  /**
   * {@link #LENGTH} bytes of E4M3, ±480 where they are no numbers. Shifted to float's fields, the
   * sign extended to the left of them, the exponent is 120 too small, which one exact
   * multiplication mends, subnormals included.
   */
  static FloatVector eightBitFloats(MemorySegment source, long at) {
    return signed(source, at)
        .lanewise(VectorOperators.LSHL, 20)
        .and(0x87f00000)
        .reinterpretAsFloats()
        .mul(0x1p120f);
  }

  /**
   * The same, and what is no number, of which many may be subnormal: processors multiply these
   * slowly where they are so in float32, too.
   */
  static FloatVector e4m3(MemorySegment source, long at) {
    IntVector bits = signed(source, at);
    IntVector magnitude = bits.and(0x7f);
    IntVector normal = magnitude.lanewise(VectorOperators.LSHL, 20).add(120 << 23);
    IntVector small = toFloat(magnitude).mul(0x1p-9f).reinterpretAsInts();
    return normal
        .blend(small, magnitude.compare(VectorOperators.LT, 8))
        .blend(0x7fc00000, magnitude.compare(VectorOperators.EQ, 0x7f))
        .or(bits.and(0x80000000))
        .reinterpretAsFloats();
  }

  /** Four bytes, each shifted to the top of its lane: no byte vector is so short. */
  private static IntVector four(MemorySegment source, long at) {
    return IntVector.broadcast(INTS, source.get(INT, at)).lanewise(VectorOperators.LSHL, TO_TOP);
  }

  private static ByteVector bytes(MemorySegment source, long at) {
    return ByteVector.fromMemorySegment(BYTES, source, at, ORDER);
  }

  static FloatVector toFloat(IntVector integers) {
    return (FloatVector) integers.convertShape(VectorOperators.I2F, FLOATS, 0);
  }

  /** {@link #LENGTH} patterns of 16 bits, zero-extended, one per lane. */
  static IntVector patterns(MemorySegment source, long at) {
    ShortVector shorts = ShortVector.fromMemorySegment(SHORTS, source, at, ORDER);
    return (IntVector) shorts.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
  }

  /**
   * The values of half-precision patterns. Shifted to float's fields the exponent is 112 too small;
   * subnormals are integers times 2⁻²⁴; infinities and NaNs get the exponent that they lost.
   * Subnormal floats don't occur on the way, which some processors take a hundred times longer for.
   */
  static FloatVector halves(IntVector patterns) {
    IntVector magnitude = patterns.and(0x7fff);
    IntVector bits = magnitude.lanewise(VectorOperators.LSHL, 13);
    IntVector sign = patterns.and(0x8000).lanewise(VectorOperators.LSHL, 16);
    IntVector subnormal = toFloat(magnitude).mul(0x1p-24f).reinterpretAsInts();
    return bits.add(0x38000000)
        .blend(bits.or(0x7f800000), magnitude.compare(VectorOperators.GE, 0x7c00))
        .blend(subnormal, magnitude.compare(VectorOperators.LT, 0x400))
        .or(sign)
        .reinterpretAsFloats();
  }

  /** The values of bfloat16 patterns. */
  static FloatVector brainFloats(IntVector patterns) {
    return patterns.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }
}
