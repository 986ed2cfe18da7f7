package dev.kancil.text.template;

import java.time.LocalDateTime;
import java.util.Locale;

/** C's {@code strftime} in the C locale. */
final class Strftime {
  private static final String[] DAYS = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
  };
  private static final String[] MONTHS = {
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December"
  };

  private Strftime() {}

  static String format(Evaluation evaluation, LocalDateTime time, String format) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      int start = text.length();
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        text.append(c);
      } else {
        char directive = format.charAt(++i);
        boolean padded = directive != '-' || i + 1 == format.length();
        field(text, time, padded ? directive : format.charAt(++i), padded);
      }
      evaluation.reserve(text.length() - start);
    }
    return text.toString();
  }

  private static void field(
      StringBuilder text, LocalDateTime time, char directive, boolean padded) {
    String day = DAYS[time.getDayOfWeek().getValue() - 1];
    String month = MONTHS[time.getMonthValue() - 1];
    int hour12 = (time.getHour() + 11) % 12 + 1;
    switch (directive) {
      case 'a' -> text.append(day, 0, 3);
      case 'A' -> text.append(day);
      case 'b', 'h' -> text.append(month, 0, 3);
      case 'B' -> text.append(month);
      case 'd' -> number(text, time.getDayOfMonth(), padded ? 2 : 1);
      case 'e' -> text.append(time.getDayOfMonth() < 10 ? " " : "").append(time.getDayOfMonth());
      case 'm' -> number(text, time.getMonthValue(), padded ? 2 : 1);
      case 'y' -> number(text, Math.floorMod(time.getYear(), 100), padded ? 2 : 1);
      case 'Y' -> text.append(time.getYear());
      case 'C' -> number(text, Math.floorDiv(time.getYear(), 100), padded ? 2 : 1);
      case 'H' -> number(text, time.getHour(), padded ? 2 : 1);
      case 'I' -> number(text, hour12, padded ? 2 : 1);
      case 'M' -> number(text, time.getMinute(), padded ? 2 : 1);
      case 'S' -> number(text, time.getSecond(), padded ? 2 : 1);
      case 'f' -> number(text, time.getNano() / 1000, padded ? 6 : 1);
      case 'j' -> number(text, time.getDayOfYear(), padded ? 3 : 1);
      case 'u' -> text.append(time.getDayOfWeek().getValue());
      case 'w' -> text.append(time.getDayOfWeek().getValue() % 7);
      case 'p' -> text.append(time.getHour() < 12 ? "AM" : "PM");
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case '%' -> text.append('%');
      case 'D' -> parts(text, time, "m/d/y");
      case 'x' -> parts(text, time, "m/d/y");
      case 'F' -> parts(text, time, "Y-m-d");
      case 'R' -> parts(text, time, "H:M");
      case 'T', 'X' -> parts(text, time, "H:M:S");
      case 'r' -> parts(text, time, "I:M:S p");
      case 'c' -> parts(text, time, "a b e H:M:S Y");
      // A local time knows no zone, and Python prints none for it.
      case 'z', 'Z' -> {}
      default ->
          throw new EvaluationError(
              String.format(Locale.ROOT, "strftime directive %%%c is not supported", directive));
    }
  }

  /** Several fields: each letter is a directive, all else stands for itself. */
  private static void parts(StringBuilder text, LocalDateTime time, String directives) {
    for (int i = 0; i < directives.length(); i++) {
      char c = directives.charAt(i);
      if (Character.isLetter(c)) {
        field(text, time, c, true);
      } else {
        text.append(c);
      }
    }
  }

  private static void number(StringBuilder text, int value, int width) {
    String digits = Integer.toString(value);
    text.repeat("0", Math.max(0, width - digits.length())).append(digits);
  }
}
