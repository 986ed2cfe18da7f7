package dev.kancil.cli.pull;

import org.jspecify.annotations.Nullable;

/** One display for files that are fetched at the same time. */
final class SharedProgress implements AutoCloseable {
  private final Progress.Display display;
  private final String what;
  private final long total;
  private @Nullable Progress shown;
  private long done;

  /**
   * @param total bytes of all files; -1 if that is not known
   */
  SharedProgress(Progress.Display display, String what, long total) {
    this.display = display;
    this.what = what;
    this.total = total;
  }

  /** A file's part of it. */
  final class OfFile {
    private long mine;

    /**
     * The file's bytes that are here, which may become fewer when it is begun anew.
     *
     * @param size of the file; -1 if that is not known
     */
    void done(long bytes, long size) {
      synchronized (SharedProgress.this) {
        if (shown == null) {
          // What has no total is a single file, whose server may know its size.
          shown = display.begin(what, total < 0 ? size : total);
        }
        done += bytes - mine;
        mine = bytes;
        shown.done(done);
      }
    }
  }

  OfFile file() {
    return new OfFile();
  }

  @Override
  public synchronized void close() {
    if (shown != null) {
      shown.close();
    }
  }
}
