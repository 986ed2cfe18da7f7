package dev.kancil.text.tokenizer;

import java.lang.Character.UnicodeScript;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Writes a pattern of another library as one of {@link Pattern} that matches the same.
 *
 * <p>Hugging Face's library uses Oniguruma with Ruby's syntax; tiktoken uses Rust's fancy-regex.
 * Both know Unicode's classes where Java's are ASCII's: {@code \s} is White_Space, {@code \d} is
 * Nd, {@code \w} is a letter, mark, digit or connector. They differ from Java, and from each other,
 * in anchors, in what {@code .} leaves out, in {@code (?m)}, and in what a {@code +} behind an
 * interval means. What has no counterpart is refused; so is what is rare enough that nobody could
 * say what it matches. Ignoring case follows Unicode's simple folding alone: an {@code ß} is not
 * {@code ss}.
 */
final class PatternTranslation {
  /** Whose pattern it is. */
  enum Flavour {
    ONIGURUMA("\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}²³¹¼½¾"),
    RUST("\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200C\\u200D");

    private final String word;

    Flavour(String word) {
      this.word = word;
    }
  }

  private static final int MAX_LENGTH = 100_000;
  private static final int MAX_DEPTH = 200;
  private static final String SPACE = "\\p{IsWhite_Space}";

  /** POSIX brackets as what stands within a class. */
  private static final Map<String, String> POSIX =
      Map.ofEntries(
          Map.entry("alpha", "\\p{IsAlphabetic}"),
          Map.entry("digit", "\\p{Nd}"),
          Map.entry("alnum", "\\p{IsAlphabetic}\\p{Nd}"),
          Map.entry("upper", "\\p{IsUppercase}"),
          Map.entry("lower", "\\p{IsLowercase}"),
          Map.entry("space", SPACE),
          Map.entry("punct", "\\p{P}\\p{S}"),
          Map.entry("cntrl", "\\p{Cc}"),
          Map.entry("xdigit", "0-9a-fA-F"),
          Map.entry("ascii", "\\x00-\\x7F"));

  private final String source;
  private final Flavour flavour;
  private final StringBuilder out = new StringBuilder();
  private int at;

  /** Where the last atom begins in the output, or -1: nothing that could be repeated. */
  private int atom = -1;

  private PatternTranslation(String source, Flavour flavour) {
    this.source = source;
    this.flavour = flavour;
  }

  /**
   * @throws PatternSyntaxException if the pattern is invalid or has no counterpart
   */
  static Pattern pattern(String source, Flavour flavour) {
    if (source.length() > MAX_LENGTH) {
      throw new PatternSyntaxException("it has " + source.length() + " characters", "", -1);
    }
    PatternTranslation translation = new PatternTranslation(source, flavour);
    translation.alternatives(0);
    if (translation.at < source.length()) {
      throw translation.refuse("a parenthesis that none opens");
    }
    try {
      return Pattern.compile(translation.out.toString(), Pattern.UNIX_LINES);
    } catch (StackOverflowError _) {
      throw translation.refuse("nesting too deep");
    }
  }

  private void alternatives(int depth) {
    if (depth > MAX_DEPTH) {
      throw refuse("nesting too deep");
    }
    atom = -1;
    while (at < source.length() && source.charAt(at) != ')') {
      char c = source.charAt(at);
      switch (c) {
        case '|' -> {
          at++;
          out.append('|');
          atom = -1;
        }
        case '(' -> group(depth);
        case '[' -> {
          int start = out.length();
          characterClass(0);
          atom = start;
        }
        case '\\' -> {
          int start = out.length();
          at++;
          escape(false);
          atom = start;
        }
        case '*', '+', '?' -> {
          at++;
          repeat(String.valueOf(c), true);
        }
        case '{' -> interval();
        case '^' -> {
          at++;
          out.append(flavour == Flavour.ONIGURUMA ? "(?m:^)" : "\\A");
          atom = -1;
        }
        case '$' -> {
          at++;
          out.append(flavour == Flavour.ONIGURUMA ? "(?m:$)" : "\\z");
          atom = -1;
        }
        default -> literal();
      }
    }
  }

  private void literal() {
    atom = out.length();
    int code = source.codePointAt(at);
    at += Character.charCount(code);
    if (code == '.') {
      out.append('.');
    } else {
      appendLiteral(code);
    }
  }

  private void appendLiteral(int code) {
    if (code < 128 && !Character.isLetterOrDigit(code) && code > ' ') {
      out.append('\\');
    }
    out.appendCodePoint(code);
  }

  /** Appends a quantifier to the last atom. */
  private void repeat(String quantifier, boolean mayBePossessive) {
    if (atom < 0) {
      throw refuse("a quantifier without what it repeats");
    }
    char next = at < source.length() ? source.charAt(at) : 0;
    if (next == '?') {
      at++;
      out.append(quantifier).append('?');
    } else if (next == '+' && (mayBePossessive || flavour == Flavour.RUST)) {
      at++;
      out.append(quantifier).append('+');
    } else {
      out.append(quantifier);
    }
    // Another quantifier repeats what is now the atom as a whole.
    if (at < source.length() && "*+?".indexOf(source.charAt(at)) >= 0) {
      out.insert(atom, "(?:").append(')');
    }
  }

  private void interval() {
    int end = source.indexOf('}', at);
    String inner = end < 0 ? "" : source.substring(at + 1, end);
    if (!inner.matches("[0-9]{1,5}(,[0-9]{0,5})?|,[0-9]{1,5}") || atom < 0) {
      literal();
      return;
    }
    at = end + 1;
    boolean fixed = inner.indexOf(',') < 0;
    if (fixed && flavour == Flavour.ONIGURUMA && at < source.length() && source.charAt(at) == '?') {
      throw refuse("an interval of one number with a question mark");
    }
    repeat("{" + (inner.startsWith(",") ? "0" : "") + inner + "}", false);
  }

  private void group(int depth) {
    int start = out.length();
    at++;
    out.append('(');
    if (at < source.length() && source.charAt(at) == '?') {
      at++;
      if (!opening(depth)) {
        return;
      }
    } else {
      // Nothing asks what a group has matched unless a backreference does, and these are refused.
      out.append("?:");
    }
    alternatives(depth + 1);
    if (at == source.length()) {
      throw refuse("a parenthesis that none closes");
    }
    at++;
    out.append(')');
    atom = start;
  }

  /** What follows {@code (?}; false if the group is complete. */
  private boolean opening(int depth) {
    for (String kind : new String[] {":", "=", "!", ">", "<=", "<!"}) {
      if (source.startsWith(kind, at)) {
        at += kind.length();
        out.append('?').append(kind);
        return true;
      }
    }
    if (source.startsWith("#", at)) {
      int end = source.indexOf(')', at);
      if (end < 0) {
        throw refuse("a comment without end");
      }
      at = end + 1;
      out.append("?:)");
      return false;
    }
    if (source.startsWith("<", at) || source.startsWith("P<", at)) {
      int end = source.indexOf('>', at);
      if (end < 0) {
        throw refuse("a name without end");
      }
      at = end + 1;
      out.append("?:");
      return true;
    }
    StringBuilder on = new StringBuilder();
    StringBuilder off = new StringBuilder();
    boolean negative = false;
    while (at < source.length() && source.charAt(at) != ':' && source.charAt(at) != ')') {
      char option = source.charAt(at++);
      if (option == '-') {
        negative = true;
        continue;
      }
      (negative ? off : on).append(options(option));
    }
    out.append('?').append(on).append(off.isEmpty() ? "" : "-").append(off);
    if (at < source.length() && source.charAt(at) == ':') {
      at++;
      out.append(':');
      return true;
    }
    if (at == source.length()) {
      throw refuse("a group without end");
    }
    // Options hold to the end of the group around them, alternatives included.
    out.append(":");
    at++;
    alternatives(depth + 1);
    out.append(')');
    atom = -1;
    return false;
  }

  private String options(char option) {
    if (option == 'i') {
      return "iu";
    }
    if (option == 'm' && flavour == Flavour.ONIGURUMA || option == 's' && flavour == Flavour.RUST) {
      return "s";
    }
    if (option == 'u' && flavour == Flavour.RUST) {
      return "";
    }
    throw refuse("the option " + option);
  }

  private void characterClass(int depth) {
    if (depth > MAX_DEPTH) {
      throw refuse("nesting too deep");
    }
    at++;
    out.append('[');
    if (at < source.length() && source.charAt(at) == '^') {
      at++;
      out.append('^');
    }
    boolean first = true;
    while (true) {
      if (at >= source.length()) {
        throw refuse("a class without end");
      }
      char c = source.charAt(at);
      if (c == ']' && !first) {
        at++;
        out.append(']');
        return;
      }
      first = false;
      if (c == '[') {
        int end = source.startsWith("[:", at) ? source.indexOf(":]", at) : -1;
        if (end > 0) {
          posix(source.substring(at + 2, end));
          at = end + 2;
        } else {
          characterClass(depth + 1);
        }
      } else if (c == '\\') {
        at++;
        escape(true);
      } else if (source.startsWith("&&", at)) {
        at += 2;
        out.append("&&");
      } else if (c == '-') {
        at++;
        boolean range =
            out.charAt(out.length() - 1) != '['
                && out.charAt(out.length() - 1) != '^'
                && at < source.length()
                && source.charAt(at) != ']'
                && !endsWithSet();
        if (flavour == Flavour.RUST && source.startsWith("-", at)) {
          throw refuse("the difference of classes");
        }
        out.append(range ? "-" : "\\-");
      } else {
        int code = source.codePointAt(at);
        at += Character.charCount(code);
        appendLiteral(code);
      }
    }
  }

  /** Whether what was just written is a set, behind which a hyphen is one. */
  private boolean endsWithSet() {
    char last = out.charAt(out.length() - 1);
    return (last == '}' || last == ']') && out.charAt(out.length() - 2) != '\\';
  }

  private void posix(String name) {
    boolean negative = name.startsWith("^");
    String set = POSIX.get(negative ? name.substring(1) : name);
    if (set == null) {
      throw refuse("the class " + name);
    }
    out.append(negative ? "[^" : "[").append(set).append(']');
  }

  /** Translates what stands behind a backslash. */
  private void escape(boolean inClass) {
    if (at >= source.length()) {
      throw refuse("a backslash at the end");
    }
    int code = source.codePointAt(at);
    at += Character.charCount(code);
    switch (code) {
      case 's' -> out.append(SPACE);
      case 'S' -> out.append("\\P{IsWhite_Space}");
      case 'd' -> out.append("\\p{Nd}");
      case 'D' -> out.append("\\P{Nd}");
      case 'w' -> out.append('[').append(flavour.word).append(']');
      case 'W' -> out.append("[^").append(flavour.word).append(']');
      case 'h' -> out.append("[0-9a-fA-F]");
      case 'H' -> out.append("[^0-9a-fA-F]");
      case 'v' -> out.append("\\x0B");
      case 'n', 'r', 't', 'f', 'a', 'e' -> out.append('\\').append((char) code);
      case 'p', 'P' -> property(code == 'P');
      case 'x' -> hexadecimal(2);
      case 'u' -> hexadecimal(4);
      case 'U' -> hexadecimal(8);
      case 'A', 'z', 'Z', 'G', 'b', 'B', 'R', 'X' -> {
        if (inClass) {
          throw refuse("the escape \\" + (char) code + " in a class");
        }
        anchor((char) code);
      }
      default -> {
        if (code < 128 && Character.isLetterOrDigit(code)) {
          throw refuse("the escape \\" + (char) code);
        }
        appendLiteral(code);
      }
    }
  }

  private void anchor(char kind) {
    String word = "[" + flavour.word + "]";
    switch (kind) {
      case 'b' ->
          out.append("(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))");
      case 'B' ->
          out.append("(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))");
      default -> out.append('\\').append(kind);
    }
  }

  private void hexadecimal(int digits) {
    String number;
    if (at < source.length() && source.charAt(at) == '{') {
      int end = source.indexOf('}', at);
      number = end < 0 ? "" : source.substring(at + 1, end);
      at = end < 0 ? at : end + 1;
    } else {
      number = source.substring(at, Math.min(source.length(), at + digits));
      at += number.length();
    }
    if (!number.matches("[0-9a-fA-F]{1,8}")) {
      throw refuse("an escape without a hexadecimal number");
    }
    long code = Long.parseLong(number, 16);
    if (code > Character.MAX_CODE_POINT) {
      throw refuse("the character " + number);
    }
    out.append("\\x{").append(Long.toHexString(code)).append('}');
  }

  private void property(boolean negated) {
    boolean negative = negated;
    String name;
    if (at < source.length() && source.charAt(at) == '{') {
      int end = source.indexOf('}', at);
      if (end < 0) {
        throw refuse("a property without end");
      }
      name = source.substring(at + 1, end);
      at = end + 1;
    } else if (at < source.length() && flavour == Flavour.RUST) {
      name = source.substring(at, at + 1);
      at++;
    } else {
      throw refuse("a property without name");
    }
    if (name.startsWith("^")) {
      negative = !negative;
      name = name.substring(1);
    }
    out.append(negative ? "\\P{" : "\\p{").append(propertyName(name)).append('}');
  }

  private String propertyName(String name) {
    if (name.matches("[A-Z][a-z]?") && "LMNPSZC".indexOf(name.charAt(0)) >= 0) {
      return name;
    }
    switch (name.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "")) {
      case "alpha", "alphabetic" -> {
        return "IsAlphabetic";
      }
      case "upper", "uppercase" -> {
        return "IsUppercase";
      }
      case "lower", "lowercase" -> {
        return "IsLowercase";
      }
      case "space", "whitespace" -> {
        return "IsWhite_Space";
      }
      case "digit" -> {
        return "Nd";
      }
      case "letter" -> {
        return "L";
      }
      case "number" -> {
        return "N";
      }
      case "punctuation" -> {
        return "P";
      }
      case "mark" -> {
        return "M";
      }
      case "symbol" -> {
        return "S";
      }
      case "ideographic" -> {
        return "IsIdeographic";
      }
      case "emoji" -> {
        return "IsEmoji";
      }
      default -> {
        try {
          return "Is" + UnicodeScript.forName(name).name();
        } catch (IllegalArgumentException _) {
          throw refuse("the property " + (name.length() > 40 ? name.substring(0, 40) : name));
        }
      }
    }
  }

  private PatternSyntaxException refuse(String what) {
    return new PatternSyntaxException(what, "", at);
  }
}
