package dev.kancil.cli;

import dev.kancil.cli.pull.Progress;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on a terminal. */
final class ProgressLine implements Progress {
  private final ProgressBar bar;

  ProgressLine(String what, long bytes) {
    bar =
        new ProgressBarBuilder()
            .setTaskName(what)
            .setInitialMax(bytes)
            .setUnit(" MB", 1_000_000)
            .setUpdateIntervalMillis(100)
            .setStyle(ProgressBarStyle.ASCII)
            .build();
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
