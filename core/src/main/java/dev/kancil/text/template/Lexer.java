package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into tokens, with the whitespace rules of {@code trim_blocks} (a newline right
 * after a block tag goes) and {@code lstrip_blocks} (so does the indentation before one).
 */
final class Lexer {
  private static final int MAX_LENGTH = 1 << 20;

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;
  private int lineEnd;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String source) {
    if (source.length() > MAX_LENGTH) {
      throw new EvaluationError("longer than " + MAX_LENGTH + " characters", 1);
    }
    String lines = PythonText.normalizeNewlines(source);
    // Jinja drops the last newline, and only that one.
    Lexer lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (true) {
      int tag = nextTag(position);
      if (tag < 0) {
        text(position, source.length(), ' ', false);
        add(Token.Kind.END, "", source.length());
        return;
      }
      char kind = source.charAt(tag + 1);
      char sign = signAt(tag + 2);
      text(position, tag, sign, kind != '{');
      position = tag + (sign == ' ' ? 2 : 3);
      if (kind == '#') {
        comment(tag);
      } else if (kind == '{') {
        add(Token.Kind.OUTPUT_BEGIN, "{{", tag);
        expression('}', Token.Kind.OUTPUT_END);
      } else if (!raw(tag)) {
        add(Token.Kind.BLOCK_BEGIN, "{%", tag);
        expression('%', Token.Kind.BLOCK_END);
      }
    }
  }

  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      char next = i + 1 < source.length() ? source.charAt(i + 1) : ' ';
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
    }
    return -1;
  }

  private char signAt(int at) {
    char c = at < source.length() ? source.charAt(at) : ' ';
    return c == '-' || c == '+' ? c : ' ';
  }

  /** Text before a tag, less what the tag's sign or its being a block takes away. */
  private void text(int start, int end, char sign, boolean block) {
    int keptEnd = end;
    if (sign == '-') {
      while (keptEnd > start && PythonText.isSpace(source.charAt(keptEnd - 1))) {
        keptEnd--;
      }
    } else if (sign == ' ' && block) {
      int lineStart = end;
      while (lineStart > start
          && source.charAt(lineStart - 1) != '\n'
          && PythonText.isSpace(source.charAt(lineStart - 1))) {
        lineStart--;
      }
      if (lineStart == 0 || source.charAt(lineStart - 1) == '\n') {
        keptEnd = lineStart;
      }
    }
    if (keptEnd > start) {
      add(Token.Kind.TEXT, source.substring(start, keptEnd), start);
    }
  }

  private void comment(int tag) {
    int end = source.indexOf("#}", position);
    if (end < 0) {
      throw fail("Missing end of comment tag", tag);
    }
    char sign = end > position ? signAt(end - 1) : ' ';
    position = end + 2;
    afterTag(sign, true);
  }

  /** Skips what belongs to the end of a tag. */
  private void afterTag(char sign, boolean block) {
    if (sign == '-') {
      skipSpace();
    } else if (sign == ' '
        && block
        && position < source.length()
        && source.charAt(position) == '\n') {
      position++;
    }
  }

  private void skipSpace() {
    while (position < source.length() && PythonText.isSpace(source.charAt(position))) {
      position++;
    }
  }

  /** Reads {@code raw … endraw} if that is what the block at {@code position} is. */
  private boolean raw(int tag) {
    int afterName = blockNamed("raw", position);
    if (afterName < 0) {
      return false;
    }
    // The beginning of a raw block, unlike any other tag, keeps the newline after it.
    boolean strip = source.charAt(afterName) == '-';
    position = afterName + (strip ? 3 : 2);
    if (strip) {
      skipSpace();
    }
    for (int end = source.indexOf("{%", position); end >= 0; end = source.indexOf("{%", end + 2)) {
      char sign = signAt(end + 2);
      int closed = blockNamed("endraw", end + (sign == ' ' ? 2 : 3));
      if (closed >= 0) {
        text(position, end, sign, true);
        char endSign = signAt(closed);
        position = closed + (endSign == ' ' ? 2 : 3);
        afterTag(endSign, true);
        return true;
      }
    }
    throw fail("Missing end of raw directive", tag);
  }

  /** Where the end of a tag of this one word lies, its sign included, or -1. */
  private int blockNamed(String name, int from) {
    int at = from;
    while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
      at++;
    }
    if (!source.startsWith(name, at)) {
      return -1;
    }
    at += name.length();
    while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
      at++;
    }
    return source.startsWith("%}", signAt(at) == ' ' ? at : at + 1) ? at : -1;
  }

  private void expression(char endCharacter, Token.Kind endKind) {
    StringBuilder open = new StringBuilder();
    int begin = position;
    while (true) {
      skipSpace();
      if (position >= source.length()) {
        throw fail("unexpected end of template inside a tag", begin);
      }
      // Inside brackets the end of a tag is not one: {{ {'a': {}} }}.
      if (open.isEmpty() && endsTag(endCharacter)) {
        char sign = signAt(position);
        add(endKind, "", position);
        position += sign == ' ' ? 2 : 3;
        afterTag(sign, endCharacter == '%');
        return;
      }
      char c = source.charAt(position);
      if (c >= '0' && c <= '9') {
        number();
      } else if (c == '_' || Character.isUnicodeIdentifierStart(c)) {
        int start = position;
        while (position < source.length()
            && (source.charAt(position) == '_'
                || Character.isUnicodeIdentifierPart(source.charAt(position)))) {
          position++;
        }
        add(Token.Kind.NAME, source.substring(start, position), start);
      } else if (c == '\'' || c == '"') {
        string(c);
      } else {
        operator(open);
      }
    }
  }

  private boolean endsTag(char endCharacter) {
    char c = source.charAt(position);
    int at = c == '-' || c == '+' && endCharacter == '%' ? position + 1 : position;
    return at + 1 < source.length()
        && source.charAt(at) == endCharacter
        && source.charAt(at + 1) == '}';
  }

  private void number() {
    int start = position;
    digits();
    boolean whole = true;
    boolean attribute =
        !tokens.isEmpty() && tokens.get(tokens.size() - 1).is(Token.Kind.OPERATOR, ".");
    if (!attribute && digitAt(position + 1) && source.charAt(position) == '.') {
      whole = false;
      position++;
      digits();
    }
    if (!attribute && position < source.length() && (source.charAt(position) | 0x20) == 'e') {
      int exponent = signAt(position + 1) == ' ' ? position + 1 : position + 2;
      if (digitAt(exponent)) {
        whole = false;
        position = exponent;
        digits();
      }
    }
    String digits = source.substring(start, position).replace("_", "");
    add(whole ? Token.Kind.INTEGER : Token.Kind.FLOAT, digits, start);
  }

  private boolean digitAt(int at) {
    return at < source.length() && source.charAt(at) >= '0' && source.charAt(at) <= '9';
  }

  private void digits() {
    while (digitAt(position)
        || position < source.length() && source.charAt(position) == '_' && digitAt(position + 1)) {
      position++;
    }
  }

  private void string(char quote) {
    int start = position++;
    while (position < source.length() && source.charAt(position) != quote) {
      position += source.charAt(position) == '\\' ? 2 : 1;
    }
    if (position >= source.length()) {
      throw fail("unexpected end of a string", start);
    }
    String written = source.substring(start + 1, position++);
    add(Token.Kind.STRING, PythonText.unescape(written), start);
  }

  private void operator(StringBuilder open) {
    char c = source.charAt(position);
    char next = position + 1 < source.length() ? source.charAt(position + 1) : ' ';
    int length =
        next == '=' && (c == '=' || c == '!' || c == '<' || c == '>')
                || c == next && (c == '/' || c == '*')
            ? 2
            : 1;
    if (length == 1 && "+-/*%~[](){}<>=.:|,;".indexOf(c) < 0) {
      throw fail("unexpected char '" + c + "'", position);
    }
    if (c == '(' || c == '[' || c == '{') {
      open.append(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      int last = open.length() - 1;
      if (last < 0 || open.charAt(last) != c) {
        throw fail("unexpected '" + c + "'", position);
      }
      open.setLength(last);
    }
    add(Token.Kind.OPERATOR, source.substring(position, position + length), position);
    position += length;
  }

  private void add(Token.Kind kind, String text, int at) {
    tokens.add(new Token(kind, text, lineOf(at)));
  }

  private EvaluationError fail(String message, int at) {
    return new EvaluationError(message, lineOf(at));
  }

  /** Positions come in rising order but for a tag's own beginning, named in an error. */
  private int lineOf(int at) {
    for (; lineEnd < at; lineEnd++) {
      if (source.charAt(lineEnd) == '\n') {
        line++;
      }
    }
    return line;
  }
}
