package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code value[start:stop:step]} of strings, lists and tuples. */
final class Slices {
  private Slices() {}

  static Object slice(
      Evaluation evaluation,
      Object value,
      @Nullable Long start,
      @Nullable Long stop,
      @Nullable Long step) {
    long by = step == null ? 1 : step;
    if (value instanceof Undefined undefined) {
      throw undefined.fail();
    }
    if (by == 0) {
      throw new EvaluationError("slice step cannot be zero");
    }
    if (value instanceof String text) {
      return text(evaluation, text, start, stop, by);
    }
    if (!(value instanceof List || value instanceof Tuple)) {
      // Jinja asks a value that has no slices for an element of that name.
      return new Undefined("'" + Values.typeName(value) + "' object has no slices");
    }
    List<Object> elements = Values.iterate(evaluation, value);
    Range range = Range.of(elements.size(), start, stop, by);
    evaluation.reserve(range.count * Values.ELEMENT + Values.OBJECT);
    List<Object> taken = new ArrayList<>();
    for (long i = 0; i < range.count; i++) {
      taken.add(elements.get((int) (range.first + i * by)));
    }
    return value instanceof Tuple ? new Tuple(taken) : taken;
  }

  private static String text(
      Evaluation evaluation, String text, @Nullable Long start, @Nullable Long stop, long step) {
    int length = (int) Values.length(evaluation, text);
    Range range = Range.of(length, start, stop, step);
    boolean basic = length == text.length();
    // A code point beyond the basic plane is two characters.
    evaluation.reserve(basic ? range.count : 2 * range.count);
    if (step == 1) {
      int from = (int) range.first;
      int to = (int) (range.first + range.count);
      return basic
          ? text.substring(from, to)
          : text.substring(text.offsetByCodePoints(0, from), text.offsetByCodePoints(0, to));
    }
    int[] codePoints = text.codePoints().toArray();
    StringBuilder taken = new StringBuilder();
    for (long i = 0; i < range.count; i++) {
      taken.appendCodePoint(codePoints[(int) (range.first + i * step)]);
    }
    return taken.toString();
  }

  /** The places that a slice takes: {@code first + i · step} for {@code i} below the count. */
  private record Range(long first, long count) {
    static Range of(long length, @Nullable Long start, @Nullable Long stop, long step) {
      long lowest = step > 0 ? 0 : -1;
      long highest = step > 0 ? length : length - 1;
      long first = bound(start, step > 0 ? lowest : highest, lowest, highest, length);
      long last = bound(stop, step > 0 ? highest : lowest, lowest, highest, length);
      long distance = step > 0 ? last - first : first - last;
      // A step of -2^63 has no absolute value; it takes one element, as any long step does.
      long size = step == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(step);
      return new Range(first, distance <= 0 ? 0 : (distance - 1) / size + 1);
    }

    private static long bound(
        @Nullable Long bound, long otherwise, long lowest, long highest, long length) {
      if (bound == null) {
        return otherwise;
      }
      return Math.clamp(bound < 0 ? bound + length : bound, lowest, highest);
    }
  }
}
