package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** The methods of Python's {@code str}. */
final class StringMethods {
  private StringMethods() {}

  static boolean isMethod(String name) {
    return switch (name) {
      case "capitalize",
          "casefold",
          "center",
          "count",
          "endswith",
          "find",
          "format",
          "index",
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isdigit",
          "islower",
          "isnumeric",
          "isspace",
          "isupper",
          "join",
          "ljust",
          "lower",
          "lstrip",
          "partition",
          "removeprefix",
          "removesuffix",
          "replace",
          "rfind",
          "rjust",
          "rpartition",
          "rsplit",
          "rstrip",
          "split",
          "splitlines",
          "startswith",
          "strip",
          "title",
          "upper",
          "zfill" ->
          true;
      default -> false;
    };
  }

  static Object call(Evaluation evaluation, String text, String name, Arguments given) {
    if (name.equals("format")) {
      return Formatting.braces(evaluation, text, given);
    }
    List<Object> places = new ArrayList<>(given.positional());
    places.replaceAll(new PlainText());
    Arguments arguments = new Arguments(places, given.named());
    evaluation.scan(text.length());
    return switch (name) {
      case "strip", "lstrip", "rstrip" -> {
        Object characters = arguments.check(name, "chars").get(0, "chars", None.NONE);
        yield strip(evaluation, text, characters, !name.equals("rstrip"), !name.equals("lstrip"));
      }
      case "split", "rsplit" -> split(evaluation, text, name, arguments);
      case "splitlines" ->
          Values.list(
              PythonText.lines(
                  evaluation, text, arguments.check(name, "keepends").flag(0, "keepends", false)));
      case "startswith", "endswith" -> startsOrEnds(evaluation, text, name, arguments);
      case "replace" -> {
        arguments.check(name, "old", "new", "count");
        yield replace(
            evaluation,
            text,
            arguments.string(name, 0, "old"),
            arguments.string(name, 1, "new"),
            arguments.integer(name, 2, "count", -1));
      }
      case "find", "index", "rfind", "count" -> search(evaluation, text, name, arguments);
      case "join" ->
          SequenceFilters.join(
              evaluation,
              Values.iterate(evaluation, arguments.check(name, "iterable").require(name, 0, "")),
              text,
              true);
      case "partition", "rpartition" -> partition(evaluation, text, name, arguments);
      case "removeprefix" -> {
        String prefix = arguments.check(name, "prefix").string(name, 0, "prefix");
        yield part(evaluation, text, text.startsWith(prefix) ? prefix.length() : 0, text.length());
      }
      case "removesuffix" -> {
        String suffix = arguments.check(name, "suffix").string(name, 0, "suffix");
        int removed = text.endsWith(suffix) ? suffix.length() : 0;
        yield part(evaluation, text, 0, text.length() - removed);
      }
      case "center", "ljust", "rjust", "zfill" -> padded(evaluation, text, name, arguments);
      default -> withoutArguments(evaluation, text, name, arguments);
    };
  }

  private record PlainText() implements UnaryOperator<Object> {
    @Override
    public Object apply(Object value) {
      return Values.plain(value);
    }
  }

  private static Object withoutArguments(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    arguments.check(name);
    return switch (name) {
      case "upper" -> LetterCase.convert(evaluation, text, true);
      case "lower", "casefold" -> LetterCase.convert(evaluation, text, false);
      case "title" -> title(evaluation, text);
      case "capitalize" -> capitalize(evaluation, text);
      default -> consists(text, name);
    };
  }

  static String capitalize(Evaluation evaluation, String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    String rest = LetterCase.convert(evaluation, text.substring(first), false);
    evaluation.reserve(text.length());
    return LetterCase.convert(evaluation, text.substring(0, first), true).concat(rest);
  }

  private static String title(Evaluation evaluation, String text) {
    evaluation.reserve(text.length());
    StringBuilder title = new StringBuilder();
    boolean inWord = false;
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      title.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return title.toString();
  }

  static String part(Evaluation evaluation, String text, int start, int end) {
    evaluation.reserve(end - start);
    return text.substring(start, end);
  }

  /** Without white space, or the given characters, at one end or both. */
  static String strip(
      Evaluation evaluation, String text, Object characters, boolean left, boolean right) {
    if (characters != None.NONE && !(characters instanceof String)) {
      throw new EvaluationError("strip arg must be None or str");
    }
    int start = 0;
    int end = text.length();
    while (left && start < end && stripped(evaluation, characters, text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && start < end && stripped(evaluation, characters, text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return part(evaluation, text, start, end);
  }

  private static boolean stripped(Evaluation evaluation, Object characters, int c) {
    if (!(characters instanceof String set)) {
      return PythonText.isSpace(c);
    }
    evaluation.scan(set.length());
    return set.indexOf(c) >= 0;
  }

  private static List<Object> split(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    arguments.check(name, "sep", "maxsplit");
    Object separator = arguments.get(0, "sep", None.NONE);
    long limit = arguments.integer(name, 1, "maxsplit", -1);
    limit = limit < 0 ? Long.MAX_VALUE : limit;
    evaluation.reserve(text.length());
    if (separator == None.NONE) {
      return name.equals("split")
          ? Splitting.atSpace(evaluation, text, limit)
          : Splitting.atSpaceBackwards(evaluation, text, limit);
    }
    String sep = arguments.string(name, 0, "sep");
    if (sep.isEmpty()) {
      throw new EvaluationError("empty separator");
    }
    return name.equals("split")
        ? Splitting.at(evaluation, text, sep, limit)
        : Splitting.atBackwards(evaluation, text, sep, limit);
  }

  private static boolean startsOrEnds(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    Object parts = arguments.check(name, "prefix", "start", "end").require(name, 0, "prefix");
    String searched = text;
    if (arguments.positional().size() > 1) {
      searched = window(evaluation, text, name, arguments);
    }
    for (Object part : parts instanceof Tuple tuple ? tuple.elements() : List.of(parts)) {
      if (!(part instanceof String string)) {
        throw new EvaluationError(
            name + " first arg must be str or a tuple of str, not " + Values.typeName(part));
      }
      evaluation.scan(string.length());
      if (name.equals("startswith") ? searched.startsWith(string) : searched.endsWith(string)) {
        return true;
      }
    }
    return false;
  }

  /** The part of a text that the arguments start and end leave. */
  private static String window(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    Object end = arguments.get(2, "end", None.NONE);
    return (String)
        Slices.slice(
            evaluation,
            text,
            arguments.integer(name, 1, "start", 0),
            end == None.NONE ? null : (Long) Arithmetic.index(end, name + "() end"),
            null);
  }

  static String replace(
      Evaluation evaluation, String text, String old, String replacement, long count) {
    evaluation.reserve(text.length());
    StringBuilder replaced = new StringBuilder();
    int start = 0;
    long left = count < 0 ? Long.MAX_VALUE : count;
    int found = left == 0 ? -1 : PythonText.indexOf(evaluation, text, old, 0);
    while (found >= 0) {
      evaluation.reserve(replacement.length());
      replaced.append(text, start, found).append(replacement);
      start = found + old.length();
      left--;
      int next = start;
      if (old.isEmpty() && found < text.length()) {
        next = text.offsetByCodePoints(found, 1);
      }
      boolean more = left > 0 && (old.isEmpty() ? found < text.length() : true);
      found = more ? PythonText.indexOf(evaluation, text, old, next) : -1;
    }
    return replaced.append(text, start, text.length()).toString();
  }

  private static Object search(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    arguments.check(name, "sub", "start", "end");
    String part = arguments.string(name, 0, "sub");
    long start = 0;
    String searched = text;
    if (arguments.positional().size() > 1) {
      long length = Values.length(evaluation, text);
      start = arguments.integer(name, 1, "start", 0);
      start = start < 0 ? Math.max(0, start + length) : start;
      if (start > length) {
        return notFound(name);
      }
      searched = window(evaluation, text, name, arguments);
    }
    if (name.equals("count")) {
      long count = 0;
      if (part.isEmpty()) {
        return Values.length(evaluation, searched) + 1;
      }
      int at = PythonText.indexOf(evaluation, searched, part, 0);
      while (at >= 0) {
        count++;
        at = PythonText.indexOf(evaluation, searched, part, at + part.length());
      }
      return count;
    }
    int found =
        name.equals("rfind")
            ? PythonText.lastIndexOf(evaluation, searched, part, searched.length())
            : PythonText.indexOf(evaluation, searched, part, 0);
    return found < 0 ? notFound(name) : start + searched.codePointCount(0, found);
  }

  private static Long notFound(String name) {
    if (name.equals("index")) {
      throw new EvaluationError("substring not found");
    }
    return name.equals("count") ? 0L : -1L;
  }

  private static Tuple partition(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    String separator = arguments.check(name, "sep").string(name, 0, "sep");
    if (separator.isEmpty()) {
      throw new EvaluationError("empty separator");
    }
    boolean last = name.equals("rpartition");
    int at =
        last
            ? PythonText.lastIndexOf(evaluation, text, separator, text.length())
            : PythonText.indexOf(evaluation, text, separator, 0);
    evaluation.reserve(text.length());
    if (at < 0) {
      return new Tuple(last ? List.of("", "", text) : List.of(text, "", ""));
    }
    return new Tuple(
        List.of(text.substring(0, at), separator, text.substring(at + separator.length())));
  }

  private static String padded(
      Evaluation evaluation, String text, String name, Arguments arguments) {
    boolean zeros = name.equals("zfill");
    arguments.check(name, "width", "fillchar");
    long width = Math.clamp(arguments.integer(name, 0, "width", 0), 0, Integer.MAX_VALUE);
    String fill = zeros ? "0" : PythonText.string(evaluation, arguments.get(1, "fillchar", " "));
    if (fill.codePointCount(0, fill.length()) != 1) {
      throw new EvaluationError("The fill character must be exactly one character long");
    }
    int missing = (int) Math.max(0, width - Values.length(evaluation, text));
    evaluation.reserve(text.length() + 2L * missing);
    boolean signed = zeros && !text.isEmpty() && "+-".indexOf(text.charAt(0)) >= 0;
    int left =
        switch (name) {
          case "ljust" -> 0;
          case "center" -> missing / 2 + (missing & (int) width & 1);
          default -> missing;
        };
    int start = signed ? 1 : 0;
    return new StringBuilder(text.substring(0, start))
        .repeat(fill, left)
        .append(text, start, text.length())
        .repeat(fill, missing - left)
        .toString();
  }

  /** Whether a text, which must not be empty, is of one kind of characters only. */
  private static boolean consists(String text, String name) {
    if (name.equals("isascii") || name.equals("islower") || name.equals("isupper")) {
      return isOfCase(text, name);
    }
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      boolean matches =
          switch (name) {
            case "isspace" -> PythonText.isSpace(c);
            case "isalpha" -> Character.isLetter(c);
            case "isalnum" -> Character.isLetterOrDigit(c) || isNumeric(c);
            case "isnumeric" -> isNumeric(c);
            default -> Character.isDigit(c);
          };
      if (!matches) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  private static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static boolean isOfCase(String text, String name) {
    boolean cased = name.equals("isascii");
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      boolean refused =
          switch (name) {
            case "isascii" -> c > 127;
            case "islower" -> Character.isUpperCase(c) || Character.isTitleCase(c);
            default -> Character.isLowerCase(c) || Character.isTitleCase(c);
          };
      if (refused) {
        return false;
      }
      cased |= Character.isUpperCase(c) || Character.isLowerCase(c);
    }
    return cased;
  }
}
