package dev.kancil.backend;

/**
 * The largest step a program must take.
 *
 * @param tokens rows of the batch
 * @param sequences sequences among the rows
 * @param outputs rows for which outputs are asked
 */
public record StepLimits(int tokens, int sequences, int outputs) {
  public StepLimits {
    if (tokens < 1 || sequences < 1 || outputs < 1 || sequences > tokens || outputs > tokens) {
      throw new IllegalArgumentException(
          tokens + " tokens, " + sequences + " sequences, " + outputs + " outputs");
    }
  }
}
