package dev.kancil.format.json;

import dev.kancil.FormatException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one JSON text (RFC 8259) into plain values: {@code Map<String, Object>} in the order of the
 * text, {@code List<Object>}, {@code String}, {@code Long} (a {@code BigInteger} where it needs
 * one), {@code Double}, {@code Boolean} and {@code null}. Of two members with one name the last
 * stays, in the first one's place, as Python reads it.
 *
 * <p>Nesting is bounded, so that hostile text cannot exhaust the stack.
 */
public final class Json {
  /** How deep arrays and objects may nest. */
  public static final int MAX_DEPTH = 200;

  /** Longer integers cost quadratic time to read, and nothing holds one. */
  private static final int MAX_NUMBER_LENGTH = 400;

  private final String text;
  private int position;

  private Json(String text) {
    this.text = text;
  }

  /**
   * Reads a text that is one JSON value.
   *
   * @throws FormatException if it is anything else; the message gives the offset in characters
   */
  public static @Nullable Object parse(String text) {
    Json json = new Json(text);
    Object value = json.value(0);
    json.skipSpace();
    if (json.position < text.length()) {
      throw json.fail("text after the value");
    }
    return value;
  }

  private @Nullable Object value(int depth) {
    if (depth > MAX_DEPTH) {
      throw fail("nested deeper than " + MAX_DEPTH);
    }
    skipSpace();
    char c = peek();
    return switch (c) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> word("true", Boolean.TRUE);
      case 'f' -> word("false", Boolean.FALSE);
      case 'n' -> word("null", null);
      default -> {
        if (c == '-' || isDigit(c)) {
          yield number();
        }
        throw fail("no value");
      }
    };
  }

  private Map<String, @Nullable Object> object(int depth) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    position++;
    skipSpace();
    if (peek() == '}') {
      position++;
      return members;
    }
    while (true) {
      skipSpace();
      if (peek() != '"') {
        throw fail("no member name");
      }
      String name = string();
      skipSpace();
      expect(':');
      members.put(name, value(depth + 1));
      skipSpace();
      if (peek() == '}') {
        position++;
        return members;
      }
      expect(',');
    }
  }

  private List<@Nullable Object> array(int depth) {
    List<@Nullable Object> elements = new ArrayList<>();
    position++;
    skipSpace();
    if (peek() == ']') {
      position++;
      return elements;
    }
    while (true) {
      elements.add(value(depth + 1));
      skipSpace();
      if (peek() == ']') {
        position++;
        return elements;
      }
      expect(',');
    }
  }

  private String string() {
    int start = ++position;
    int end = start;
    while (end < text.length() && text.charAt(end) != '"' && text.charAt(end) != '\\') {
      if (text.charAt(end) < ' ') {
        position = end;
        throw fail("control character in a string");
      }
      end++;
    }
    position = end;
    if (peek() == '"') {
      position++;
      return text.substring(start, end);
    }
    StringBuilder value = new StringBuilder().append(text, start, end);
    while (true) {
      char c = peek();
      if (c < ' ') {
        throw fail("control character in a string");
      }
      position++;
      if (c == '"') {
        return value.toString();
      }
      value.append(c == '\\' ? escape() : c);
    }
  }

  private char escape() {
    char c = peek();
    position++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
          int digit = peek() < 128 ? Character.digit(peek(), 16) : -1;
          if (digit < 0) {
            throw fail("no hexadecimal digit");
          }
          unit = unit * 16 + digit;
          position++;
        }
        yield (char) unit;
      }
      default -> throw fail("unknown escape");
    };
  }

  private Number number() {
    int start = position;
    if (text.charAt(position) == '-') {
      position++;
    }
    int leading = position;
    digits();
    if (position - leading > 1 && text.charAt(leading) == '0') {
      throw fail("number with a leading zero");
    }
    boolean whole = true;
    if (position < text.length() && text.charAt(position) == '.') {
      whole = false;
      position++;
      digits();
    }
    if (position < text.length() && (text.charAt(position) | 0x20) == 'e') {
      whole = false;
      position++;
      if (position < text.length()
          && (text.charAt(position) == '+' || text.charAt(position) == '-')) {
        position++;
      }
      digits();
    }
    int length = position - start;
    if (length > MAX_NUMBER_LENGTH) {
      throw fail("number of more than " + MAX_NUMBER_LENGTH + " characters");
    }
    String number = text.substring(start, position);
    if (!whole) {
      return Double.valueOf(number);
    }
    return length <= 18 ? (Number) Long.valueOf(number) : narrowed(new BigInteger(number));
  }

  private static Number narrowed(BigInteger value) {
    return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
  }

  private void digits() {
    int start = position;
    while (position < text.length() && isDigit(text.charAt(position))) {
      position++;
    }
    if (position == start) {
      throw fail("no digit");
    }
  }

  private @Nullable Object word(String word, @Nullable Boolean value) {
    if (!text.startsWith(word, position)) {
      throw fail("no value");
    }
    position += word.length();
    return value;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private void expect(char c) {
    if (peek() != c) {
      throw fail("expected '" + c + "'");
    }
    position++;
  }

  private char peek() {
    if (position >= text.length()) {
      throw fail("unexpected end");
    }
    return text.charAt(position);
  }

  private void skipSpace() {
    while (position < text.length()) {
      char c = text.charAt(position);
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        return;
      }
      position++;
    }
  }

  private FormatException fail(String what) {
    return new FormatException("JSON, offset " + position + ": " + what);
  }
}
