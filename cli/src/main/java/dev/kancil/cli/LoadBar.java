package dev.kancil.cli;

import dev.kancil.backend.LoadProgress;
import dev.kancil.cli.pull.Progress;
import org.jspecify.annotations.Nullable;

/** A bar for each work that takes a device more than a moment. */
final class LoadBar implements LoadProgress {
  private static final int STEPS = 1000;
  private static final long MOMENT_NANOS = 500_000_000;

  private final Console console;
  private @Nullable Progress bar;
  private String work = "";
  private long begun;

  LoadBar(Console console) {
    this.console = console;
  }

  @Override
  public synchronized void report(String reported, double share) {
    if (!reported.equals(work)) {
      end();
      work = reported;
      begun = System.nanoTime();
    }
    if (bar == null && share < 1 && System.nanoTime() - begun > MOMENT_NANOS) {
      bar = console.counting(work, STEPS);
    }
    if (bar != null) {
      bar.done((long) (share * STEPS));
    }
    if (share >= 1) {
      end();
    }
  }

  private void end() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
    work = "";
  }
}
