package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.List;

/** Cuts PTX into words, numbers, strings and single characters. */
final class PtxLexer {
  /** What a token is. */
  enum Kind {
    /** A name, directive or mnemonic with all its modifiers. */
    WORD,
    NUMBER,
    STRING,
    SYMBOL,
    END
  }

  record Token(Kind kind, String text, int line) {
    boolean is(String other) {
      return kind != Kind.STRING && text.equals(other);
    }
  }

  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  private PtxLexer(String text) {
    this.text = text;
  }

  /** All tokens; the last is the only one of kind END. */
  static List<Token> tokens(String text) {
    PtxLexer lexer = new PtxLexer(text);
    while (lexer.next()) {}
    lexer.tokens.add(new Token(Kind.END, "the end", lexer.line));
    return lexer.tokens;
  }

  private boolean next() {
    skipBlanks();
    if (at >= text.length()) {
      return false;
    }
    int start = at;
    char c = text.charAt(at);
    if (c == '"') {
      int end = text.indexOf('"', at + 1);
      if (end < 0) {
        throw new PtxException(line, "a string without an end");
      }
      at = end + 1;
      tokens.add(new Token(Kind.STRING, text.substring(start + 1, end), line));
      line += (int) text.substring(start, end).chars().filter(ch -> ch == '\n').count();
    } else if (isDigit(c)) {
      while (at < text.length() && (isWord(text.charAt(at)) || isExponentSign())) {
        at++;
      }
      tokens.add(new Token(Kind.NUMBER, text.substring(start, at), line));
    } else if (isWord(c)) {
      // Directives may stick together: .reg.b16
      boolean isDirective = c == '.';
      at++;
      while (at < text.length()
          && (isWord(text.charAt(at)) && !(isDirective && text.charAt(at) == '.')
              || isDoubleColon())) {
        at += text.charAt(at) == ':' ? 2 : 1;
      }
      tokens.add(new Token(Kind.WORD, text.substring(start, at), line));
    } else if (c > ' ' && c < 127) {
      at++;
      tokens.add(new Token(Kind.SYMBOL, text.substring(start, at), line));
    } else {
      throw new PtxException(line, "a character that PTX has not: code " + (int) c);
    }
    return true;
  }

  private void skipBlanks() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\n') {
        line++;
        at++;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        at++;
      } else if (text.startsWith("//", at)) {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else if (text.startsWith("/*", at)) {
        int end = text.indexOf("*/", at + 2);
        if (end < 0) {
          throw new PtxException(line, "a comment without an end");
        }
        line += (int) text.substring(at, end).chars().filter(ch -> ch == '\n').count();
        at = end + 2;
      } else {
        return;
      }
    }
  }

  // 1.5e-3, but not 0x1e-3 nor 0f4000000e.
  private boolean isExponentSign() {
    char sign = text.charAt(at);
    char before = Character.toLowerCase(text.charAt(at - 1));
    return (sign == '-' || sign == '+')
        && before == 'e'
        && text.substring(Math.max(0, at - 40), at).matches("(?s).*\\d\\.\\d*[eE]");
  }

  private boolean isDoubleColon() {
    return text.startsWith("::", at)
        && at + 2 < text.length()
        && isWord(text.charAt(at + 2))
        && text.charAt(at + 2) != '.';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isWord(char c) {
    return isDigit(c)
        || c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c == '_'
        || c == '$'
        || c == '%'
        || c == '.';
  }
}
