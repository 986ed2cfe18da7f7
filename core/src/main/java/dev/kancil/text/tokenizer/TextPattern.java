package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A pattern that a file brings, and that may be anything: an invalid one is refused when the file
 * is read, and one that looks at a text's characters unreasonably often gives up with an error.
 */
final class TextPattern {
  private static final long STEPS_PER_CHARACTER = 2000;
  private static final long MORE_STEPS = 10_000_000;

  /** Takes matches in order. */
  interface Matches {
    void match(int from, int to);
  }

  private final String place;
  private final Pattern pattern;

  private TextPattern(String place, Pattern pattern) {
    this.place = place;
    this.pattern = pattern;
  }

  /**
   * @param place what errors call the file and the field
   * @throws FormatException if the pattern is invalid, or has what Java's patterns can't say
   */
  static TextPattern of(String place, String source, Flavour flavour) {
    try {
      return new TextPattern(place, PatternTranslation.pattern(source, flavour));
    } catch (PatternSyntaxException e) {
      throw new FormatException(
          place
              + ": the pattern is invalid or not supported: "
              + e.getDescription().replaceAll("\\p{Cntrl}+", " ")
              + (e.getIndex() < 0 ? "" : ", near " + e.getIndex()));
    }
  }

  /** Exactly this text. */
  static TextPattern literal(String place, String text) {
    return new TextPattern(place, Pattern.compile(text, Pattern.LITERAL));
  }

  /**
   * Finds all matches from left to right; an empty one right behind another is none.
   *
   * @throws FormatException if that takes unreasonably long
   */
  void matches(String text, Matches matches) {
    CountedText counted = new CountedText(text, MORE_STEPS + STEPS_PER_CHARACTER * text.length());
    try {
      Matcher matcher = pattern.matcher(counted);
      int last = -1;
      boolean found = matcher.find();
      while (found) {
        int from = matcher.start();
        int to = matcher.end();
        if (to > from || from != last) {
          matches.match(from, to);
        }
        last = to;
        if (to > from) {
          found = matcher.find();
        } else {
          // Behind an empty match Java goes on at the next UTF-16 unit, which may be half a
          // character.
          found =
              to < text.length() && matcher.find(to + Character.charCount(text.codePointAt(to)));
        }
      }
    } catch (TooManySteps | StackOverflowError _) {
      throw new FormatException(
          place + ": the pattern takes too long on a text of " + text.length() + " characters");
    }
  }

  private static final class TooManySteps extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooManySteps() {
      super(null, null, false, false);
    }
  }

  /** Counts how often it is looked at. */
  private static final class CountedText implements CharSequence {
    private final String text;
    private long left;

    CountedText(String text, long most) {
      this.text = text;
      this.left = most;
    }

    @Override
    public char charAt(int index) {
      if (--left < 0) {
        throw new TooManySteps();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
