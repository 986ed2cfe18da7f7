package dev.kancil.backend;

/** A state whose sequences are kept in {@link PageTables}; a device adds where the pages are. */
public abstract class PagedState implements SequenceState {
  private boolean closed;

  protected PagedState() {}

  /** Which page holds which tokens of which sequence. */
  protected abstract PageTables tables();

  /** Frees all pages, once. */
  protected abstract void free();

  /**
   * Makes room for a step's rows, which count as the sequences' from now on.
   *
   * @throws dev.kancil.InvalidRequestException if there is no room; nothing has changed then
   */
  public final void append(Batch batch) {
    if (closed) {
      throw new IllegalStateException("the state is closed");
    }
    tables().append(batch);
  }

  /**
   * Throws what {@link #append} would.
   *
   * @throws dev.kancil.InvalidRequestException if there is no room
   */
  public final void requireRoom(Batch batch) {
    tables().requireRoom(batch);
  }

  /**
   * Throws what {@link #fork} and {@link #truncate} to this length would.
   *
   * @throws dev.kancil.InvalidRequestException if a sequence is shorter, or its tokens are gone
   */
  public final void requireKept(int sequence, int length) {
    tables().requireKept(sequence, length);
  }

  @Override
  public final int open() {
    return tables().open();
  }

  @Override
  public final int fork(int sequence, int length) {
    return tables().fork(sequence, length);
  }

  @Override
  public final void truncate(int sequence, int length) {
    tables().truncate(sequence, length);
  }

  @Override
  public final void release(int sequence) {
    tables().release(sequence);
  }

  @Override
  public final int length(int sequence) {
    return tables().length(sequence);
  }

  @Override
  public final int room(Batch batch, int sequence) {
    return tables().room(batch, sequence);
  }

  @Override
  public final void close() {
    if (!closed) {
      closed = true;
      free();
    }
  }
}
