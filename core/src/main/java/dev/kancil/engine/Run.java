package dev.kancil.engine;

/** The generation of tokens for one sequence, from its prompt to its end. */
public final class Run {
  final Sequence sequence;
  final Sampler sampler;
  final TokenListener listener;
  // The rest belongs to the engine's thread.
  int remaining;
  private volatile boolean cancelled;

  Run(Sequence sequence, Sampler sampler, int maxTokens, TokenListener listener) {
    this.sequence = sequence;
    this.sampler = sampler;
    this.remaining = maxTokens;
    this.listener = listener;
  }

  /** Asks to end it, which happens within one step. */
  public void cancel() {
    cancelled = true;
  }

  boolean isCancelled() {
    return cancelled;
  }
}
