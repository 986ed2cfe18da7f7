package dev.kancil.backend;

/** A graph compiled for a device. One thread at a time may enqueue steps. */
public interface Program extends AutoCloseable {
  StepLimits limits();

  /**
   * Whether a step can take tokens that the one enqueued before chooses ({@link
   * Batch#chosenToken}), so that it can be enqueued before they are known.
   */
  boolean feedsTokens();

  /** Bytes of device memory that it holds, weights and state apart. */
  long bytes();

  /** {@link #enqueue(Batch, SequenceState, RowSource)} for a graph whose inputs a batch has. */
  default Step enqueue(Batch batch, SequenceState state) {
    return enqueue(batch, state, RowSource.NONE);
  }

  /**
   * Checks a batch, makes room for its tokens in the state, and enqueues one forward pass. The
   * batch may be changed as soon as this returns. At most two steps of a program can be open at a
   * time, so that one is prepared while the other runs.
   *
   * @param source brings those inputs of the graph that no batch has, until the step is closed
   * @throws IllegalStateException if two steps are open, or the program is closed
   * @throws dev.kancil.InvalidRequestException if a token id, position or count is out of range, or
   *     the state has no room; nothing has changed then
   */
  Step enqueue(Batch batch, SequenceState state, RowSource source);

  @Override
  void close();
}
