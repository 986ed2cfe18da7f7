package dev.kancil;

import java.time.Duration;
import java.util.List;

/**
 * A generation that has ended.
 *
 * @param promptTokens the ids that were appended to the session
 * @param tokens the ids that were generated, an end token included
 * @param text what they say, without stop strings
 */
public record Completion(
    List<Integer> promptTokens,
    List<Integer> tokens,
    String text,
    FinishReason finishReason,
    Timings timings) {
  public Completion {
    promptTokens = List.copyOf(promptTokens);
    tokens = List.copyOf(tokens);
  }

  /**
   * How long it took.
   *
   * @param promptTokens ids that were computed before the first token
   * @param timeToFirstToken from the call to the first token; the whole time if there was none
   * @param generatedTokens ids that were generated
   * @param total from the call to the end
   */
  public record Timings(
      int promptTokens, Duration timeToFirstToken, int generatedTokens, Duration total) {
    /** Prompt tokens by the time to the first token. */
    public double promptTokensPerSecond() {
      return promptTokens / seconds(timeToFirstToken);
    }

    /** Tokens after the first by the time they took; NaN if there are none. */
    public double generatedTokensPerSecond() {
      return generatedTokens < 2
          ? Double.NaN
          : (generatedTokens - 1) / seconds(total.minus(timeToFirstToken));
    }

    private static double seconds(Duration duration) {
      return duration.toNanos() / 1e9;
    }
  }
}
