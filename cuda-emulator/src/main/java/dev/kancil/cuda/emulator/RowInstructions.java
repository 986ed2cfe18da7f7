package dev.kancil.cuda.emulator;

/**
 * Instructions without side effects: each computes all lanes of a row, in a loop that the JIT
 * compiles by itself, and keeps those of the mask. Lanes outside the mask may hold anything, so
 * operations must not throw.
 */
final class RowInstructions {
  private RowInstructions() {}

  /** Fewer operands than three: the first stands for the others. */
  @FunctionalInterface
  interface IntOperation {
    void apply(int[] d, int[] a, int[] b, int[] c);
  }

  @FunctionalInterface
  interface LongOperation {
    void apply(long[] d, long[] a, long[] b, long[] c);
  }

  /** From 32 bits to 64. */
  @FunctionalInterface
  interface WideningOperation {
    void apply(long[] d, int[] a, int[] b, long[] c);
  }

  /** From 64 bits to 32. */
  @FunctionalInterface
  interface NarrowingOperation {
    void apply(int[] d, long[] a);
  }

  /** 64 bits, with 32-bit counts. */
  @FunctionalInterface
  interface ShiftOperation {
    void apply(long[] d, long[] a, int[] b, int[] c);
  }

  /** A bit for each lane. */
  @FunctionalInterface
  interface IntTest {
    int apply(int[] a, int[] b);
  }

  @FunctionalInterface
  interface LongTest {
    int apply(long[] a, long[] b);
  }

  static final class Ints extends Instruction {
    private final IntOperation operation;
    private final int d;
    private final int a;
    private final int b;
    private final int c;

    Ints(IntOperation operation, int d, int a, int b, int c) {
      this.operation = operation;
      this.d = d;
      this.a = a;
      this.b = b;
      this.c = c;
    }

    @Override
    void run(Warp warp, int mask) {
      int[][] rows = warp.ints;
      int[] result = warp.intResult(d, mask);
      operation.apply(result, rows[a], rows[b], rows[c]);
      warp.keep(d, mask, result);
    }
  }

  static final class Longs extends Instruction {
    private final LongOperation operation;
    private final int d;
    private final int a;
    private final int b;
    private final int c;

    Longs(LongOperation operation, int d, int a, int b, int c) {
      this.operation = operation;
      this.d = d;
      this.a = a;
      this.b = b;
      this.c = c;
    }

    @Override
    void run(Warp warp, int mask) {
      long[][] rows = warp.longs;
      long[] result = warp.longResult(d, mask);
      operation.apply(result, rows[a], rows[b], rows[c]);
      warp.keep(d, mask, result);
    }
  }

  static final class Widening extends Instruction {
    private final WideningOperation operation;
    private final int d;
    private final int a;
    private final int b;
    private final int c;

    /**
     * @param c a row of longs, or -1 if the operation has none
     */
    Widening(WideningOperation operation, int d, int a, int b, int c) {
      this.operation = operation;
      this.d = d;
      this.a = a;
      this.b = b;
      this.c = c < 0 ? d : c;
    }

    @Override
    void run(Warp warp, int mask) {
      long[] result = warp.longResult(d, mask);
      operation.apply(result, warp.ints[a], warp.ints[b], warp.longs[c]);
      warp.keep(d, mask, result);
    }
  }

  static final class Narrowing extends Instruction {
    private final NarrowingOperation operation;
    private final int d;
    private final int a;

    Narrowing(NarrowingOperation operation, int d, int a) {
      this.operation = operation;
      this.d = d;
      this.a = a;
    }

    @Override
    void run(Warp warp, int mask) {
      int[] result = warp.intResult(d, mask);
      operation.apply(result, warp.longs[a]);
      warp.keep(d, mask, result);
    }
  }

  static final class Shifting extends Instruction {
    private final ShiftOperation operation;
    private final int d;
    private final int a;
    private final int b;
    private final int c;

    Shifting(ShiftOperation operation, int d, int a, int b, int c) {
      this.operation = operation;
      this.d = d;
      this.a = a;
      this.b = b;
      this.c = c;
    }

    @Override
    void run(Warp warp, int mask) {
      long[] result = warp.longResult(d, mask);
      operation.apply(result, warp.longs[a], warp.ints[b], warp.ints[c]);
      warp.keep(d, mask, result);
    }
  }
}
