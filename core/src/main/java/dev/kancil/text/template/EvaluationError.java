package dev.kancil.text.template;

/** How parsing or evaluation ends early; never leaves the package, which adds name and line. */
final class EvaluationError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Where, or 0: where the evaluation is. */
  private final int line;

  EvaluationError(String message) {
    this(message, 0);
  }

  EvaluationError(String message, int line) {
    super(message, null, false, false);
    this.line = line;
  }

  int line() {
    return line;
  }

  String text() {
    String message = getMessage();
    return message == null ? "" : message;
  }
}
