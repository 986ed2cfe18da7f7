package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.CudaDriver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long kernels take, each by itself: the property {@code kancil.cuda.times} asks for it.
 * Launches are then neither recorded nor overlapped, so that all of them together take longer than
 * they do else.
 */
final class LaunchTimes {
  private static final boolean ASKED = Boolean.getBoolean("kancil.cuda.times");
  private static final int MOST_OPEN = 4096;

  private final CudaDriver driver;
  private final Map<String, Sum> sums = new HashMap<>();
  private final List<Timed> open = new ArrayList<>();

  private record Timed(String name, long bytes, long start, long end) {}

  private static final class Sum {
    long count;
    double milliseconds;
    long bytes;
  }

  private LaunchTimes(CudaDriver driver) {
    this.driver = driver;
  }

  /** Null unless it is asked for. */
  static @Nullable LaunchTimes ofProperties(CudaDriver driver) {
    return ASKED ? new LaunchTimes(driver) : null;
  }

  /**
   * Launches a kernel between two events.
   *
   * @param bytes that it reads at least; 0 if that is not known
   */
  void time(String name, long bytes, long stream, Runnable launch) {
    long start = driver.createTimedEvent();
    long end = driver.createTimedEvent();
    driver.record(start, stream);
    launch.run();
    driver.record(end, stream);
    open.add(new Timed(name, bytes, start, end));
    if (open.size() == MOST_OPEN) {
      collect(stream);
    }
  }

  private void collect(long stream) {
    driver.synchronize(stream);
    for (Timed timed : open) {
      Sum sum = sums.computeIfAbsent(timed.name(), _ -> new Sum());
      sum.count++;
      sum.milliseconds += driver.milliseconds(timed.start(), timed.end());
      sum.bytes += timed.bytes();
      driver.destroyEvent(timed.start());
      driver.destroyEvent(timed.end());
    }
    open.clear();
  }

  /** A table of all kernels, the longest first. */
  String table(long stream) {
    collect(stream);
    double total = sums.values().stream().mapToDouble(sum -> sum.milliseconds).sum();
    StringBuilder text = new StringBuilder("   ms      %  launches       us     GB/s  kernel\n");
    sums.entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue().milliseconds, a.getValue().milliseconds))
        .forEach(
            entry -> {
              Sum sum = entry.getValue();
              text.append(
                  String.format(
                      Locale.ROOT,
                      "%7.1f %5.1f %9d %8.2f %8.0f  %s%n",
                      sum.milliseconds,
                      100 * sum.milliseconds / total,
                      sum.count,
                      1000 * sum.milliseconds / sum.count,
                      sum.bytes / 1e6 / sum.milliseconds,
                      entry.getKey()));
            });
    return text.toString();
  }
}
