package dev.kancil.text.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The byte-level alphabet: each of the 256 bytes written as a visible character. Printable Latin-1
 * stands for itself; the rest is numbered from U+0100 on. Source: Radford et al. 2019 (GPT-2).
 */
final class ByteLevel {
  private static final char[] CHARACTERS = new char[256];
  private static final short[] BYTES = new short[0x100 + 256];

  static {
    java.util.Arrays.fill(BYTES, (short) -1);
    char next = 0x100;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          (value > 0x20 && value < 0x7F) || (value > 0xA0 && value <= 0xFF && value != 0xAD);
      CHARACTERS[value] = printable ? (char) value : next++;
      BYTES[CHARACTERS[value]] = (short) value;
    }
  }

  private ByteLevel() {}

  static char character(byte value) {
    return CHARACTERS[value & 0xFF];
  }

  /** Whether all characters are of the alphabet. */
  static boolean isOf(String text) {
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (unit >= BYTES.length || BYTES[unit] < 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * The bytes that a token's text stands for; characters outside the alphabet stand for themselves.
   */
  static byte[] bytes(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); ) {
      int code = text.codePointAt(i);
      if (code < BYTES.length && BYTES[code] >= 0) {
        bytes.write(BYTES[code]);
      } else {
        bytes.writeBytes(Character.toString(code).getBytes(StandardCharsets.UTF_8));
      }
      i += Character.charCount(code);
    }
    return bytes.toByteArray();
  }
}
