package dev.kancil.backend;

/**
 * How a device is opened.
 *
 * @param threads worker threads of a CPU device; 0: as many as the machine has processors
 * @param guarded whether every buffer lies between guard zones that are checked after each
 *     operation, and values are filled with NaN before they are computed: slow, for finding kernels
 *     that write where they should not, or don't write where they should
 * @param progress is told about long work
 */
public record DeviceOptions(int threads, boolean guarded, LoadProgress progress) {
  /** The most threads that may be asked for. */
  public static final int MAX_THREADS = 1024;

  public static final DeviceOptions DEFAULT = new DeviceOptions(0);

  /** As many worker threads, no guard zones, and nobody who is told about progress. */
  public DeviceOptions(int threads) {
    this(threads, false, LoadProgress.NONE);
  }

  public DeviceOptions {
    if (threads < 0 || threads > MAX_THREADS) {
      throw new IllegalArgumentException("threads " + threads);
    }
  }

  /** The same with {@link #guarded}. */
  public DeviceOptions withGuards() {
    return new DeviceOptions(threads, true, progress);
  }

  /** The same with another listener. */
  public DeviceOptions withProgress(LoadProgress listener) {
    return new DeviceOptions(threads, guarded, listener);
  }

  /** The number of threads to start: as asked, or one for each core that the process may use. */
  public int threadsOrCores() {
    return threads == 0 ? Cores.available() : threads;
  }
}
