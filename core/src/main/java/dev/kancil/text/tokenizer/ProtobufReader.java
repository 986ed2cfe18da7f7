package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Steps through the fields of one message of Protocol Buffers' wire format. After {@link #next},
 * the field's number is there, and its value can be asked for once; what nobody asks for is
 * skipped.
 */
final class ProtobufReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final String place;
  private final ByteBuffer buffer;
  private int number;
  private int wireType;
  private boolean pending;

  /**
   * @param place what errors call the file and the message
   */
  ProtobufReader(String place, byte[] message) {
    this.place = place;
    this.buffer = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Goes to the next field, if there is one. */
  boolean next() {
    if (pending) {
      skip();
    }
    if (!buffer.hasRemaining()) {
      return false;
    }
    long tag = varint();
    number = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    if (tag >>> 32 != 0 || number == 0) {
      throw fail("a field without number");
    }
    pending = true;
    return true;
  }

  int number() {
    return number;
  }

  private void skip() {
    switch (wireType) {
      case VARINT -> integer();
      case FIXED64 -> {
        take(FIXED64);
        need(8);
        buffer.position(buffer.position() + 8);
      }
      case BYTES -> bytes();
      case FIXED32 -> real();
      default -> throw fail("a field of the unknown type " + wireType);
    }
  }

  long integer() {
    take(VARINT);
    return varint();
  }

  boolean bool() {
    return integer() != 0;
  }

  float real() {
    take(FIXED32);
    need(4);
    return buffer.getFloat();
  }

  byte[] bytes() {
    take(BYTES);
    long length = varint();
    if (length < 0 || length > buffer.remaining()) {
      throw fail("a field that is longer than the message");
    }
    int from = buffer.position();
    buffer.position(from + (int) length);
    return Arrays.copyOfRange(buffer.array(), from, from + (int) length);
  }

  String text() {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes())).toString();
    } catch (CharacterCodingException e) {
      throw fail("a text that is not UTF-8");
    }
  }

  private void take(int type) {
    if (wireType != type) {
      throw fail("a value of the type " + wireType + ", not " + type);
    }
    pending = false;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      need(1);
      byte next = buffer.get();
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw fail("a number that is too long");
  }

  private void need(int bytes) {
    if (buffer.remaining() < bytes) {
      throw fail("an unexpected end");
    }
  }

  FormatException fail(String what) {
    return new FormatException(
        place + ": field " + number + ", before byte " + buffer.position() + ": " + what);
  }
}
