package dev.kancil.cuda.emulator;

/**
 * Where a matrix of halves lies in shared memory, as a descriptor of {@code wgmma} tells it (PTX
 * ISA, "Matrix Descriptor Format" and "Strides"): rows along which K runs, 16 columns of them, in
 * two units of 16 bytes. Eight rows are a pattern: each has the swizzle's bytes, and its units
 * change places with each other by the address of the row; without swizzle, eight rows' first units
 * are one after the other, and so are their second ones.
 *
 * @param start the address of the first row's first unit, before units change places
 * @param leading bytes from a row's first to its second unit
 * @param stride bytes from eight rows to the next eight
 * @param swizzle bytes of a row: 128, 64 or 32; 16 if units stay in place
 */
record SharedMatrix(int start, int leading, int stride, int swizzle) {
  static final int UNIT_BYTES = 16;

  /** Bits that mean nothing. */
  private static final long UNUSED = 0x3ff1_c000_c000_c000L;

  private static final int FIELD = 0x3fff;

  /**
   * @throws IllegalArgumentException that says what is wrong with it
   */
  static SharedMatrix of(long descriptor) {
    if ((descriptor & UNUSED) != 0) {
      throw wrong(descriptor, "it has bits that mean nothing");
    }
    if ((descriptor >>> 49 & 7) != 0) {
      throw wrong(descriptor, "only a base offset of 0 is emulated");
    }
    int start = field(descriptor, 0);
    int stride = field(descriptor, 32);
    int mode = (int) (descriptor >>> 62);
    if (mode == 0) {
      return new SharedMatrix(start, field(descriptor, 16), stride, UNIT_BYTES);
    }
    int swizzle = 256 >> mode;
    int within = start & swizzle - 1;
    if ((start - within) % (8 * swizzle) != 0) {
      throw wrong(
          descriptor,
          "its rows of " + swizzle + " bytes do not begin at a multiple of " + 8 * swizzle);
    }
    if (within > swizzle - 2 * UNIT_BYTES) {
      throw wrong(descriptor, "32 bytes from byte " + within + " of a row of " + swizzle);
    }
    return new SharedMatrix(start, UNIT_BYTES, stride, swizzle);
  }

  private static int field(long descriptor, int shift) {
    return ((int) (descriptor >>> shift) & FIELD) << 4;
  }

  private static IllegalArgumentException wrong(long descriptor, String what) {
    return new IllegalArgumentException(
        "matrix descriptor 0x" + Long.toHexString(descriptor) + ": " + what);
  }

  /**
   * The address of 16 bytes.
   *
   * @param unit 0 for columns 0 to 7, 1 for columns 8 to 15
   */
  int unit(int row, int unit) {
    int address = start + (row >> 3) * stride + (row & 7) * swizzle + unit * leading;
    return address ^ address >> 3 & swizzle - UNIT_BYTES;
  }
}
