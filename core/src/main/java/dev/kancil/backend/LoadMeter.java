package dev.kancil.backend;

import java.util.function.LongConsumer;

/** Counts the bytes of weights that a program has brought, and tells what share of all that is. */
public final class LoadMeter implements LongConsumer {
  private final LoadProgress progress;
  private final String work;
  private final long all;
  private long brought;

  /**
   * Begins at nothing.
   *
   * @param all bytes that will be brought, as they are stored
   */
  public LoadMeter(LoadProgress progress, String work, long all) {
    this.progress = progress;
    this.work = work;
    this.all = all;
    progress.report(work, 0);
  }

  @Override
  public void accept(long bytes) {
    brought += bytes;
    // What comes in two forms counts twice; only the end is all.
    progress.report(work, all == 0 ? 0 : Math.min((double) brought / all, 0.999));
  }

  /** Tells that all is done. */
  public void end() {
    progress.report(work, 1);
  }
}
