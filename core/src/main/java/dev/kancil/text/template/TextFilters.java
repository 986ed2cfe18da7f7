package dev.kancil.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The filters that see their input as text. */
final class TextFilters {
  private TextFilters() {}

  /** Null where there is no such filter. */
  static @Nullable Object apply(
      Evaluation evaluation, String name, Object value, Arguments arguments) {
    return switch (name) {
      case "trim" -> {
        Object characters = arguments.check(name, "chars").get(0, "chars", None.NONE);
        yield StringMethods.strip(
            evaluation, PythonText.string(evaluation, value), characters, true, true);
      }
      case "upper", "lower", "capitalize" ->
          StringMethods.call(
              evaluation, PythonText.string(evaluation, value), name, arguments.check(name));
      case "title" -> {
        arguments.check(name);
        yield title(evaluation, PythonText.string(evaluation, value));
      }
      case "replace" -> {
        arguments.check(name, "old", "new", "count");
        Object count = arguments.get(2, "count", None.NONE);
        yield StringMethods.replace(
            evaluation,
            PythonText.string(evaluation, value),
            PythonText.string(evaluation, arguments.require(name, 0, "old")),
            PythonText.string(evaluation, arguments.require(name, 1, "new")),
            count == None.NONE ? -1 : Arithmetic.index(count, "count"));
      }
      case "indent" -> indent(evaluation, PythonText.string(evaluation, value), arguments);
      case "escape", "e", "forceescape" ->
          new Markup(Markup.escape(evaluation, PythonText.string(evaluation, value)));
      case "format" ->
          Formatting.percent(
              evaluation,
              PythonText.string(evaluation, value),
              arguments.positional(),
              new Tuple(arguments.positional()));
      case "wordcount" -> {
        String text = PythonText.string(evaluation, value);
        yield (long) Splitting.atSpace(evaluation, text, Long.MAX_VALUE).size();
      }
      default -> null;
    };
  }

  private static String indent(Evaluation evaluation, String text, Arguments arguments) {
    arguments.check("indent", "width", "first", "blank");
    Object width = arguments.get(0, "width", 4L);
    String indentation;
    if (width instanceof String string) {
      indentation = string;
    } else {
      long spaces = Math.clamp(Arithmetic.index(width, "width"), 0, Integer.MAX_VALUE);
      evaluation.reserve(spaces);
      indentation = " ".repeat((int) spaces);
    }
    boolean blank = arguments.flag(2, "blank", false);
    // The newline that Jinja adds keeps the last line, empty ones too.
    List<String> lines = PythonText.lines(evaluation, text.concat("\n"), false);
    StringBuilder indented = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      indented.append(i == 0 ? "" : "\n");
      boolean wanted = i == 0 ? arguments.flag(1, "first", false) : blank || !line.isEmpty();
      if (wanted) {
        evaluation.reserve(indentation.length());
        indented.append(indentation);
      }
      indented.append(line);
    }
    return indented.toString();
  }

  /** Words begin after white space, hyphens and opening brackets, unlike those of str.title. */
  private static String title(Evaluation evaluation, String text) {
    evaluation.reserve(text.length());
    StringBuilder title = new StringBuilder();
    boolean begins = true;
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      title.appendCodePoint(begins ? Character.toUpperCase(c) : Character.toLowerCase(c));
      begins = PythonText.isSpace(c) || "-({[<".indexOf(c) >= 0;
    }
    return title.toString();
  }
}
