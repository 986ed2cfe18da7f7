package dev.kancil.text.template;

/**
 * One token of a template.
 *
 * @param text of a string the unescaped value, else as written
 * @param line where it begins, from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    TEXT,
    BLOCK_BEGIN,
    BLOCK_END,
    OUTPUT_BEGIN,
    OUTPUT_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind expected, String expectedText) {
    return kind == expected && text.equals(expectedText);
  }

  String described() {
    return switch (kind) {
      case END -> "end of template";
      case BLOCK_END -> "end of statement block";
      case OUTPUT_END -> "end of print statement";
      default -> "'" + Values.shortened(text) + "'";
    };
  }
}
