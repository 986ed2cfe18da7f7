package dev.kancil.backend;

/**
 * How a device is opened.
 *
 * @param threads worker threads of a CPU device; 0: as many as the machine has processors
 */
public record DeviceOptions(int threads) {
  /** The most threads that may be asked for. */
  public static final int MAX_THREADS = 1024;

  public static final DeviceOptions DEFAULT = new DeviceOptions(0);

  public DeviceOptions {
    if (threads < 0 || threads > MAX_THREADS) {
      throw new IllegalArgumentException("threads " + threads);
    }
  }

  /** The number of threads to start: as asked, or one for each processor. */
  public int threadsOrProcessors() {
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }
}
