package dev.kancil.cli;

import dev.kancil.cli.pull.Progress;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on a terminal. */
final class ProgressLine implements Progress {
  private final ProgressBar bar;

  private ProgressLine(String what, long most, String unit, long unitSize) {
    bar =
        new ProgressBarBuilder()
            .setTaskName(what)
            .setInitialMax(most)
            .setUnit(unit, unitSize)
            .setUpdateIntervalMillis(100)
            .setStyle(ProgressBarStyle.ASCII)
            .build();
  }

  static ProgressLine ofBytes(String what, long bytes) {
    return new ProgressLine(what, bytes, " MB", 1_000_000);
  }

  static ProgressLine ofThings(String what, long count) {
    return new ProgressLine(what, count, "", 1);
  }

  @Override
  public void done(long bytes) {
    bar.stepTo(bytes);
  }

  @Override
  public void close() {
    if (bar.getMax() > 0) {
      bar.stepTo(bar.getMax());
    }
    bar.close();
  }
}
