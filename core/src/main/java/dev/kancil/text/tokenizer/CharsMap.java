package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * SentencePiece's compiled rules of normalisation: a double array (Yata, darts-clone) that finds
 * texts, and what each of them becomes. The array comes from a file and may be anything: a place
 * outside it is no match.
 */
final class CharsMap {
  private final int[] units;
  private final byte[] texts;

  private CharsMap(int[] units, byte[] texts) {
    this.units = units;
    this.texts = texts;
  }

  static CharsMap ofBase64(String place, String text) {
    try {
      return of(place, Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      throw new FormatException(place + " is not base64", e);
    }
  }

  /**
   * @param place what errors call the file and the field
   * @param bytes the array's size in bytes, the array, the texts, each with a zero behind it
   */
  static CharsMap of(String place, byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long size = bytes.length < 4 ? -1 : Integer.toUnsignedLong(buffer.getInt());
    if (size < 4 || size % 4 != 0 || size > bytes.length - 4L) {
      throw new FormatException(place + " is no compiled map of characters");
    }
    int[] units = new int[(int) (size / 4)];
    buffer.asIntBuffer().get(units);
    byte[] texts = new byte[bytes.length - 4 - (int) size];
    buffer.position(4 + (int) size).get(texts);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
    } catch (CharacterCodingException e) {
      throw new FormatException(place + " has texts that are not UTF-8", e);
    }
    return new CharsMap(units, texts);
  }

  /** A rule that was found. */
  record Match(int length, String text) {}

  /**
   * A rule for what begins at a place, or null.
   *
   * @param longest whether the longest of several is meant, or else the shortest
   */
  @Nullable Match find(byte[] text, int from, int to, boolean longest) {
    int node = offset(units[0]);
    int value = -1;
    int length = 0;
    for (int at = from; at < to && text[at] != 0; at++) {
      int label = text[at] & 0xFF;
      node ^= label;
      if (node < 0 || node >= units.length || (units[node] & (1 << 31 | 0xFF)) != label) {
        break;
      }
      int unit = units[node];
      node ^= offset(unit);
      if ((unit >>> 8 & 1) == 1 && node >= 0 && node < units.length) {
        value = units[node] & Integer.MAX_VALUE;
        length = at + 1 - from;
        if (!longest) {
          break;
        }
      }
    }
    return value < 0 ? null : new Match(length, textAt(value));
  }

  private static int offset(int unit) {
    return (unit >>> 10) << ((unit & 1 << 9) >>> 6);
  }

  private String textAt(int from) {
    int to = Math.min(from, texts.length);
    int start = to;
    while (to < texts.length && texts[to] != 0) {
      to++;
    }
    return new String(texts, start, to - start, StandardCharsets.UTF_8);
  }
}
