package dev.kancil.engine;

import java.util.Arrays;

/**
 * A sequence of tokens that an {@link Engine} holds. Its calls wait for the engine, and none may be
 * made while a {@link Run} of it goes on; the caller sees to that. Closing gives its memory back.
 */
public final class Sequence implements AutoCloseable {
  static final int NO_SOURCE = -1;

  private final Engine engine;
  private final int adapter;
  // All below belongs to the engine's thread, or to the caller between runs.
  private int id;
  private int[] tokens = new int[64];
  private int length;
  private int source = NO_SOURCE;
  private boolean closed;

  Sequence(Engine engine, int id, int adapter) {
    this.engine = engine;
    this.id = id;
    this.adapter = adapter;
  }

  /** Tokens it holds; the last may not have been computed yet. */
  public int length() {
    return length;
  }

  /** Tokens that the next run computes beside those it appends: the last one generated, usually. */
  public int pending() {
    return engine.pending(this);
  }

  /** A copy of the token ids. */
  public int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  /**
   * Forgets all tokens from {@code newLength} on. Where a window has dropped what would be needed,
   * the tokens that stay are computed again by the next run.
   */
  public void truncate(int newLength) {
    engine.truncate(this, newLength);
  }

  /**
   * Reads a text with the model's encoder. Tokens that are appended from now on are about it; those
   * before are forgotten.
   *
   * @throws IllegalStateException if the model has no encoder
   * @throws dev.kancil.InvalidRequestException if it has no tokens, or does not fit the context
   */
  public void read(int[] text) {
    engine.read(this, text);
  }

  /**
   * Another sequence with the same tokens, sharing memory until either goes on.
   *
   * @throws dev.kancil.InvalidRequestException if the engine holds as many sequences as it can
   */
  public Sequence fork() {
    return engine.fork(this);
  }

  /**
   * Appends tokens, then generates up to {@code maxTokens} more, each reported to {@code listener}
   * on the engine's thread. Returns at once.
   *
   * @param maxTokens at least 1
   * @throws dev.kancil.InvalidRequestException if there is nothing to compute, an id is not in the
   *     vocabulary, or the tokens don't fit the context
   */
  public Run run(int[] appended, Sampling sampling, int maxTokens, TokenListener listener) {
    return engine.start(this, appended, sampling, maxTokens, listener);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      engine.release(this);
    }
  }

  Engine engine() {
    return engine;
  }

  /** The number of its adapter; 0: it has none. */
  public int adapter() {
    return adapter;
  }

  int id() {
    return id;
  }

  void id(int newId) {
    id = newId;
  }

  /** The id of the text that was read. */
  int source() {
    return source;
  }

  boolean hasSource() {
    return source != NO_SOURCE;
  }

  void source(int id) {
    source = id;
  }

  boolean isClosed() {
    return closed;
  }

  int token(int index) {
    return tokens[index];
  }

  void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = token;
  }

  void shorten(int newLength) {
    length = newLength;
  }
}
