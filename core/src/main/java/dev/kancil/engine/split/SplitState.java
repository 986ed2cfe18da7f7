package dev.kancil.engine.split;

import dev.kancil.backend.Batch;
import dev.kancil.backend.PagedState;
import dev.kancil.backend.SequenceState;

/**
 * The states of both parts, which hold the same tokens of the same sequences. What one of them
 * would refuse changes neither.
 */
final class SplitState implements SequenceState {
  private final PagedState first;
  private final PagedState second;

  SplitState(PagedState first, PagedState second) {
    this.first = first;
    this.second = second;
  }

  PagedState first() {
    return first;
  }

  PagedState second() {
    return second;
  }

  /**
   * Throws unless both have room for a step's rows.
   *
   * @throws dev.kancil.InvalidRequestException saying what there is too little of
   */
  void requireRoom(Batch batch) {
    first.requireRoom(batch);
    second.requireRoom(batch);
  }

  @Override
  public int open() {
    return same(first.open(), second.open());
  }

  @Override
  public int fork(int sequence, int length) {
    second.requireKept(sequence, length);
    return same(first.fork(sequence, length), second.fork(sequence, length));
  }

  /** Both number sequences alike, since both were asked for the same in the same order. */
  private static int same(int one, int other) {
    if (one != other) {
      throw new IllegalStateException("sequence " + one + " is " + other + " on the other device");
    }
    return one;
  }

  @Override
  public void truncate(int sequence, int length) {
    second.requireKept(sequence, length);
    first.truncate(sequence, length);
    second.truncate(sequence, length);
  }

  @Override
  public void release(int sequence) {
    first.release(sequence);
    second.release(sequence);
  }

  @Override
  public int length(int sequence) {
    return first.length(sequence);
  }

  @Override
  public int room(Batch batch, int sequence) {
    return Math.min(first.room(batch, sequence), second.room(batch, sequence));
  }

  @Override
  public long bytes() {
    return first.bytes() + second.bytes();
  }

  @Override
  public void close() {
    try {
      second.close();
    } finally {
      first.close();
    }
  }
}
