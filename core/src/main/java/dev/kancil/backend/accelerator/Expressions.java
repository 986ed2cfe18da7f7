package dev.kancil.backend.accelerator;

import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.Score;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Masks and scores as C, over the integers {@code query}, {@code key} and {@code head} and the
 * float {@code score}; relative biases lie at {@code relative_bias}, by head and offset.
 */
public final class Expressions {
  private static final String NO_LIMIT = "LONG_MAX";

  private Expressions() {}

  /** Whether the query sees the key. */
  public static String sees(Mask mask) {
    return switch (mask) {
      case Mask.Linear(int query, int key, long constant) ->
          "("
              + number(query)
              + " * (query) + "
              + number(key)
              + " * (key) + "
              + number(constant)
              + " <= 0)";
      case Mask.All(List<Mask> parts) -> join(parts, " && ", "1", Expressions::sees);
      case Mask.Any(List<Mask> parts) -> join(parts, " || ", "0", Expressions::sees);
    };
  }

  /** A key at or before the first that the query sees: {@link Mask#firstKey} of one query. */
  public static String firstKey(Mask mask) {
    return switch (mask) {
      case Mask.Linear(int query, int key, long constant) ->
          key == 1
              ? number(0)
              : "max("
                  + number(0)
                  + ", "
                  + number(query)
                  + " * (query) + "
                  + number(constant)
                  + ")";
      case Mask.All(List<Mask> parts) -> fold(parts, "max", number(0), Expressions::firstKey);
      case Mask.Any(List<Mask> parts) -> fold(parts, "min", NO_LIMIT, Expressions::firstKey);
    };
  }

  /** A key at or after the last that the query sees: {@link Mask#lastKey} of one query. */
  public static String lastKey(Mask mask) {
    return switch (mask) {
      case Mask.Linear(int query, int key, long constant) ->
          key == -1 ? NO_LIMIT : "(" + number(-query) + " * (query) - " + number(constant) + ")";
      case Mask.All(List<Mask> parts) -> fold(parts, "min", NO_LIMIT, Expressions::lastKey);
      case Mask.Any(List<Mask> parts) -> fold(parts, "max", number(-1), Expressions::lastKey);
    };
  }

  /** What becomes of the score. */
  public static String score(Score score) {
    return switch (score) {
      case Score.Raw _ -> "(score)";
      case Score.Constant(float value) -> number(value);
      case Score.Offset _ -> "(float)((key) - (query))";
      case Score.Head _ -> "(float)(head)";
      case Score.RelativeBias bias ->
          "relative_bias[(head) * "
              + bias.offsets()
              + " + (int)clamp((long)((key) - (query)), "
              + number(-bias.maxDistance())
              + ", "
              + number(bias.maxDistance())
              + ") + "
              + bias.maxDistance()
              + "]";
      case Score.Plus(Score left, Score right) -> "(" + score(left) + " + " + score(right) + ")";
      case Score.Multiply(Score left, Score right) ->
          "(" + score(left) + " * " + score(right) + ")";
      case Score.Exp2(Score operand) -> "exp2(" + score(operand) + ")";
      case Score.Tanh(Score operand) -> "tanh(" + score(operand) + ")";
    };
  }

  /** A float, to its last bit. */
  public static String number(float value) {
    if (Float.isNaN(value)) {
      return "NAN";
    }
    if (Float.isInfinite(value)) {
      return value > 0 ? "INFINITY" : "(-INFINITY)";
    }
    return "(" + Float.toHexString(value) + "f)";
  }

  private static String number(int value) {
    return number((long) value);
  }

  private static String number(long value) {
    return "((long)" + value + ")";
  }

  private static String join(
      List<Mask> parts, String operator, String none, Function<Mask, String> each) {
    return parts.isEmpty()
        ? none
        : parts.stream().map(each).collect(Collectors.joining(operator, "(", ")"));
  }

  private static String fold(
      List<Mask> parts, String function, String start, Function<Mask, String> each) {
    String folded = start;
    for (Mask part : parts) {
      folded = function + "((long)(" + folded + "), (long)(" + each.apply(part) + "))";
    }
    return folded;
  }
}
