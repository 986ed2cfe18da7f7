package dev.kancil.backend.cpu;

import dev.kancil.graph.op.Score;
import java.util.Arrays;

/**
 * A {@link Score}, evaluated for a page of keys at a time: each part of the expression is one pass
 * over a page's vector, its operands kept in scratch memory, one page for each level of depth.
 */
final class ScoreExpression {
  private static final float LN2 = (float) 0.6931471805599453;

  private final Score score;
  private final float[] biases;
  private final Scratch scratch;
  private final RowKernels kernels;

  /**
   * @param biases of a {@link Score.RelativeBias}, by head and offset
   */
  ScoreExpression(Score score, float[] biases, Scratch scratch, RowKernels kernels) {
    this.kernels = kernels;
    this.score = score;
    this.biases = biases;
    this.scratch = scratch;
    scratch.reserve(Scratch.Kind.EXPRESSION, (long) (depth(score) + 1) * Pages.TOKENS);
  }

  private static int depth(Score score) {
    return switch (score) {
      case Score.Raw _, Score.Constant _, Score.Offset _, Score.Head _, Score.RelativeBias _ -> 1;
      case Score.Plus(var left, var right) -> 1 + Math.max(depth(left), depth(right));
      case Score.Multiply(var left, var right) -> 1 + Math.max(depth(left), depth(right));
      case Score.Exp2(var operand) -> 1 + depth(operand);
      case Score.Tanh(var operand) -> 1 + depth(operand);
    };
  }

  boolean isPlain() {
    return score instanceof Score.Raw;
  }

  /** Replaces the scores of one query and {@code keys} keys from position {@code start} on. */
  void apply(float[] scores, int at, int keys, int query, int start, int head, int thread) {
    Floats levels = scratch.floats(Scratch.Kind.EXPRESSION, thread);
    // What lies behind the last key is hidden later; here it only must not be read as a number.
    Arrays.fill(scores, at + keys, at + Pages.TOKENS, 0);
    evaluate(score, levels, 0, scores, at, query, start, head);
    System.arraycopy(levels.array(), 0, scores, at, Pages.TOKENS);
  }

  private void evaluate(
      Score score, Floats room, int to, float[] raw, int at, int query, int start, int head) {
    float[] levels = room.array();
    switch (score) {
      case Score.Raw _ -> System.arraycopy(raw, at, levels, to, Pages.TOKENS);
      case Score.Constant(float value) -> Arrays.fill(levels, to, to + Pages.TOKENS, value);
      case Score.Head _ -> Arrays.fill(levels, to, to + Pages.TOKENS, head);
      case Score.Offset _ -> {
        for (int i = 0; i < Pages.TOKENS; i++) {
          levels[to + i] = start + i - query;
        }
      }
      case Score.RelativeBias bias -> {
        int most = bias.maxDistance();
        int from = head * bias.offsets() + most;
        for (int i = 0; i < Pages.TOKENS; i++) {
          levels[to + i] = biases[from + Math.clamp(start + i - query, -most, most)];
        }
      }
      case Score.Plus(var left, var right) -> {
        evaluate(left, room, to, raw, at, query, start, head);
        evaluate(right, room, to + Pages.TOKENS, raw, at, query, start, head);
        plus(levels, to);
      }
      case Score.Multiply(var left, var right) -> {
        evaluate(left, room, to, raw, at, query, start, head);
        evaluate(right, room, to + Pages.TOKENS, raw, at, query, start, head);
        multiply(levels, to);
      }
      case Score.Exp2(var operand) -> {
        evaluate(operand, room, to, raw, at, query, start, head);
        for (int i = to; i < to + Pages.TOKENS; i++) {
          levels[i] *= LN2;
        }
        kernels.exp(room, to, Pages.TOKENS, 0);
      }
      case Score.Tanh(var operand) -> {
        evaluate(operand, room, to, raw, at, query, start, head);
        kernels.tanh(room, to, room, to + Pages.TOKENS, Pages.TOKENS);
      }
    }
  }

  private static void plus(float[] levels, int to) {
    for (int i = to; i < to + Pages.TOKENS; i++) {
      levels[i] += levels[i + Pages.TOKENS];
    }
  }

  private static void multiply(float[] levels, int to) {
    for (int i = to; i < to + Pages.TOKENS; i++) {
      levels[i] *= levels[i + Pages.TOKENS];
    }
  }
}
