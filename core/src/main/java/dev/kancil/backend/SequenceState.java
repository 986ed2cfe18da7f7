package dev.kancil.backend;

/**
 * What a device remembers of sequences. Sequences are numbers; tokens lie in pages that forks share
 * until one of them writes. Steps append tokens; only the thread that enqueues steps may call this.
 * Changes take effect after all steps enqueued before, and before all enqueued later.
 */
public interface SequenceState extends AutoCloseable {
  /** Starts an empty sequence. */
  int open();

  /**
   * Starts a sequence that has the first {@code length} tokens of another.
   *
   * @throws dev.kancil.InvalidRequestException if the other is shorter, or has already given back
   *     what lies before a window
   */
  int fork(int sequence, int length);

  /**
   * Forgets all tokens of a sequence from position {@code length} on.
   *
   * @throws dev.kancil.InvalidRequestException as {@link #fork}
   */
  void truncate(int sequence, int length);

  /** Ends a sequence and gives its pages back. */
  void release(int sequence);

  /** Tokens of a sequence. */
  int length(int sequence);

  /**
   * Tokens that a step which already has the rows of {@code batch} can append to a sequence that
   * has none among them.
   */
  int room(Batch batch, int sequence);

  /** Bytes of device memory held. */
  long bytes();

  @Override
  void close();
}
