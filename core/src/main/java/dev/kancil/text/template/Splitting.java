package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** {@code str.split} and {@code rsplit}: at most {@code limit} cuts, from either end. */
final class Splitting {
  private Splitting() {}

  static List<Object> at(Evaluation evaluation, String text, String separator, long limit) {
    List<Object> parts = new ArrayList<>();
    int start = 0;
    while (parts.size() < limit) {
      int found = PythonText.indexOf(evaluation, text, separator, start);
      if (found < 0) {
        break;
      }
      add(evaluation, parts, text.substring(start, found));
      start = found + separator.length();
    }
    add(evaluation, parts, text.substring(start));
    return parts;
  }

  static List<Object> atBackwards(
      Evaluation evaluation, String text, String separator, long limit) {
    List<Object> parts = new ArrayList<>();
    int end = text.length();
    while (parts.size() < limit) {
      int found = PythonText.lastIndexOf(evaluation, text, separator, end);
      if (found < 0) {
        break;
      }
      add(evaluation, parts, text.substring(found + separator.length(), end));
      end = found;
    }
    add(evaluation, parts, text.substring(0, end));
    Collections.reverse(parts);
    return parts;
  }

  static List<Object> atSpace(Evaluation evaluation, String text, long limit) {
    List<Object> parts = new ArrayList<>();
    int start = skipSpace(text, 0);
    while (start < text.length()) {
      int end = start;
      while (end < text.length() && !PythonText.isSpace(text.charAt(end))) {
        end++;
      }
      if (parts.size() >= limit) {
        // The rest keeps the white space at its end.
        end = text.length();
      }
      add(evaluation, parts, text.substring(start, end));
      start = skipSpace(text, end);
    }
    return parts;
  }

  private static int skipSpace(String text, int from) {
    int at = from;
    while (at < text.length() && PythonText.isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  static List<Object> atSpaceBackwards(Evaluation evaluation, String text, long limit) {
    List<Object> parts = new ArrayList<>();
    int end = skipSpaceBackwards(text, text.length());
    while (end > 0) {
      int start = end;
      while (start > 0 && !PythonText.isSpace(text.charAt(start - 1))) {
        start--;
      }
      if (parts.size() >= limit) {
        start = 0;
      }
      add(evaluation, parts, text.substring(start, end));
      end = skipSpaceBackwards(text, start);
    }
    Collections.reverse(parts);
    return parts;
  }

  private static int skipSpaceBackwards(String text, int from) {
    int at = from;
    while (at > 0 && PythonText.isSpace(text.charAt(at - 1))) {
      at--;
    }
    return at;
  }

  private static void add(Evaluation evaluation, List<Object> parts, String part) {
    evaluation.reserve(Values.ELEMENT + Values.OBJECT);
    parts.add(part);
  }
}
