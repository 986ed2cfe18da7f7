package dev.kancil.text.template;

import java.time.LocalDateTime;
import org.jspecify.annotations.Nullable;

/**
 * The clock and the limits of one rendering.
 *
 * @param now what {@code strftime_now} formats; null: the local time of the call
 * @param maxSteps how many nodes may be evaluated; work on long strings counts as further steps, so
 *     that this bounds the time
 * @param maxDepth how deep evaluation may nest, macros that call macros included
 * @param maxCharacters how long the output and all intermediate strings and lists may be together,
 *     an element of a list counting as eight characters; this bounds the memory
 */
public record TemplateOptions(
    @Nullable LocalDateTime now, long maxSteps, int maxDepth, long maxCharacters) {
  /** Deeper evaluation could exhaust the stack of a small thread. */
  private static final int DEEPEST = 1000;

  public static final TemplateOptions DEFAULT =
      new TemplateOptions(null, 10_000_000, 500, 32L << 20);

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException if a limit is not positive, or the depth above 1000
   */
  public TemplateOptions {
    if (maxSteps <= 0 || maxDepth <= 0 || maxDepth > DEEPEST || maxCharacters <= 0) {
      throw new IllegalArgumentException(
          "limits are positive, the depth at most "
              + DEEPEST
              + ": "
              + maxSteps
              + " steps, depth "
              + maxDepth
              + ", "
              + maxCharacters
              + " characters");
    }
  }

  /** The same limits with a fixed clock. */
  public TemplateOptions withNow(LocalDateTime time) {
    return new TemplateOptions(time, maxSteps, maxDepth, maxCharacters);
  }
}
