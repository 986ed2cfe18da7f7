package dev.kancil.cuda.emulator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The host's memory by address. Whoever uses it has checked the address against an allocation that
 * cannot go away: the device frees nothing while a kernel runs.
 */
final class Memory {
  @SuppressWarnings("restricted")
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private Memory() {}

  static byte getByte(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  static short getShort(long address) {
    return ALL.get(SHORT, address);
  }

  static int getInt(long address) {
    return ALL.get(INT, address);
  }

  static long getLong(long address) {
    return ALL.get(LONG, address);
  }

  static void set(long address, byte value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, value);
  }

  static void set(long address, short value) {
    ALL.set(SHORT, address, value);
  }

  static void set(long address, int value) {
    ALL.set(INT, address, value);
  }

  static void set(long address, long value) {
    ALL.set(LONG, address, value);
  }

  static byte[] bytes(long address, int count) {
    byte[] bytes = new byte[count];
    MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, address, bytes, 0, count);
    return bytes;
  }

  static void set(long address, byte[] bytes) {
    MemorySegment.copy(bytes, 0, ALL, ValueLayout.JAVA_BYTE, address, bytes.length);
  }

  static void poison(long address, int bytes) {
    poison(ALL.asSlice(address, bytes));
  }

  /** Fills memory with NaNs of every width. */
  static void poison(MemorySegment memory) {
    long longs = memory.byteSize() / Long.BYTES * Long.BYTES;
    for (long at = 0; at < longs; at += Long.BYTES) {
      memory.set(LONG, at, Warp.LONG_POISON);
    }
    for (long at = longs; at < memory.byteSize(); at++) {
      memory.set(ValueLayout.JAVA_BYTE, at, (byte) ((at & 1) == 0 ? 0xff : 0x7f));
    }
  }
}
