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

  private final String file;
  private final MemorySegment data;
  private long position;

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
    byte[] bytes = new byte[(int) length];
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, advance(length), bytes, 0, bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * A count of things that take at least {@code smallest} bytes each, so that no count is believed
   * that the rest of the file could not hold.
   */
  int count(String what, int smallest) {
    long count = int64();
    if (count < 0 || count > Integer.MAX_VALUE - 8 || count > remaining() / smallest) {
      throw error("an impossible " + what + " of " + Long.toUnsignedString(count));
    }
    return (int) count;
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
