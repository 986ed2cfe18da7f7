package dev.kancil.cli.pull;

/** Hears how far long work has come. */
public interface Progress extends AutoCloseable {
  /** Bytes done so far. */
  void done(long bytes);

  @Override
  void close();

  /** Begins to show work. */
  @FunctionalInterface
  interface Display {
    /**
     * @param what is done, in a few words
     * @param bytes in all; -1 if that is not known
     */
    Progress begin(String what, long bytes);
  }
}
