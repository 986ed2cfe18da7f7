package dev.kancil.cli.pull;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Closes a stream from which nothing has come for some time, since reading it would never end. */
final class StallGuard implements AutoCloseable {
  private final Thread watcher;
  private volatile long moved;

  StallGuard(InputStream stream, Duration longest) {
    watcher =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    long seen = -1;
                    while (seen != moved) {
                      seen = moved;
                      Thread.sleep(longest);
                    }
                    stream.close();
                  } catch (InterruptedException | IOException e) {
                    // The stream has ended otherwise.
                    return;
                  }
                });
  }

  /** Something came. */
  void moved(long bytes) {
    moved = bytes;
  }

  @Override
  public void close() {
    watcher.interrupt();
  }
}
