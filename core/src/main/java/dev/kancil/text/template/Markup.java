package dev.kancil.text.template;

/**
 * What the filter {@code safe} returns: a string that, added to another with {@code +}, escapes the
 * other for HTML. Everywhere else it is its text.
 */
record Markup(String text) {
  /** The sum of two operands of which at least one is markup. */
  static Markup add(Evaluation evaluation, Object left, Object right) {
    String first = part(evaluation, left);
    String second = part(evaluation, right);
    evaluation.reserve((long) first.length() + second.length());
    return new Markup(first.concat(second));
  }

  private static String part(Evaluation evaluation, Object value) {
    return value instanceof Markup markup ? markup.text : escape(evaluation, (String) value);
  }

  static String escape(Evaluation evaluation, String text) {
    evaluation.reserve(text.length());
    StringBuilder escaped = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '\'' -> escaped.append("&#39;");
        case '"' -> escaped.append("&#34;");
        default -> escaped.append(c);
      }
    }
    evaluation.reserve(escaped.length() - text.length());
    return escaped.toString();
  }
}
