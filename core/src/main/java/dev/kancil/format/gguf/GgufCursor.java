package dev.kancil.format.gguf;

import dev.kancil.FormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads a file's header from front to back; every length is checked before it is believed. */
final class GgufCursor {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The longest string that is believed: chat templates reach some hundred kilobytes. */
  private static final int MAX_STRING = 1 << 26;

  /**
   * The most memory that a header may take once it is read. The largest vocabularies stay far
   * below; a file can be sparse, so that its length alone bounds nothing.
   */
  private static final long MAX_HEAP = 1L << 29;

  private static final int STRING_HEAP = 64;

  private final String file;
  private final MemorySegment data;
  private long position;
  private long heap;

  GgufCursor(String file, MemorySegment data) {
    this.file = file;
    this.data = data;
  }

  long position() {
    return position;
  }

  /** Bytes between here and the file's end. */
  long remaining() {
    return data.byteSize() - position;
  }

  String file() {
    return file;
  }

  byte int8() {
    return data.get(ValueLayout.JAVA_BYTE, advance(1));
  }

  short int16() {
    return data.get(SHORT, advance(2));
  }

  int int32() {
    return data.get(INT, advance(4));
  }

  long int64() {
    return data.get(LONG, advance(8));
  }

  String string(String what) {
    long length = int64();
    if (length < 0 || length > MAX_STRING || length > remaining()) {
      throw error(what + " has an impossible length of " + Long.toUnsignedString(length));
    }
    spend(STRING_HEAP + length, what);
    byte[] bytes = new byte[(int) length];
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, advance(length), bytes, 0, bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * A count of things, which is not believed if the rest of the file could not hold them.
   *
   * @param smallest bytes that each takes at least in the file
   * @param heapEach bytes that each takes in memory, strings apart
   */
  int count(String what, int smallest, int heapEach) {
    long count = int64();
    if (count < 0 || count > Integer.MAX_VALUE - 8 || count > remaining() / smallest) {
      throw error("an impossible " + what + " of " + Long.toUnsignedString(count));
    }
    spend(count * heapEach, what);
    return (int) count;
  }

  private void spend(long bytes, String what) {
    heap += bytes;
    if (heap > MAX_HEAP) {
      throw error("the header is too large: " + what);
    }
  }

  FormatException error(String message) {
    return new FormatException(file + ": " + message + " (at byte " + position + ")");
  }

  private long advance(long bytes) {
    if (bytes > remaining()) {
      throw error("the file ends within its header");
    }
    long at = position;
    position += bytes;
    return at;
  }
}
