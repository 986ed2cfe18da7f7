package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** What the threads of open CPU devices allocate. */
final class Allocation {
  private static final String THREADS = "kancil-cpu";
  // Long enough for the compiler even where the machine is busy.
  private static final long MOST_NANOS = 180_000_000_000L;
  private static final long SAMPLED_NANOS = 5_000_000_000L;
  private static final int MOST_PLACES = 6;
  private static final int FRAMES = 12;

  private Allocation() {}

  /**
   * What devices' threads allocate in a round of work, once all of it is compiled: {@code nothing},
   * or how much and where. It is repeated until a round allocates nothing, or for a few minutes.
   */
  static String ofRounds(int threads, Runnable round) {
    long[] ids =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith(THREADS))
            .mapToLong(Thread::threadId)
            .toArray();
    assertThat(ids).hasSize(threads);
    long best = Long.MAX_VALUE;
    long deadline = System.nanoTime() + MOST_NANOS;
    while (best > 0 && System.nanoTime() < deadline) {
      long before = bytes(ids);
      round.run();
      best = Math.min(best, bytes(ids) - before);
    }
    if (best == 0) {
      return "nothing";
    }
    List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
    return "%d bytes, of%n%s%nwith %s".formatted(best, places(round), flags);
  }

  /** Bytes that these threads have allocated so far. */
  private static long bytes(long[] threads) {
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (long thread : threads) {
      sum += bean.getThreadAllocatedBytes(thread);
    }
    return sum;
  }

  /** Where rounds allocate most, as far as samples tell. */
  private static String places(Runnable round) {
    Map<String, Long> bytes = new HashMap<>();
    try (Recording recording = new Recording()) {
      recording.enable("jdk.ObjectAllocationSample").with("throttle", "1000/s").withStackTrace();
      recording.start();
      // Threads take memory in pieces that may last for many rounds, and are seen when they take
      // one.
      long end = System.nanoTime() + SAMPLED_NANOS;
      while (System.nanoTime() < end) {
        round.run();
      }
      recording.stop();
      Path file = Files.createTempFile("allocation", ".jfr");
      recording.dump(file);
      for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
        if (event.getThread() != null && event.getThread().getJavaName().startsWith(THREADS)) {
          bytes.merge(place(event), event.getLong("weight"), Long::sum);
        }
      }
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(MOST_PLACES)
        .map(entry -> entry.getValue() + " " + entry.getKey())
        .collect(Collectors.joining("\n"));
  }

  private static String place(RecordedEvent event) {
    String type = event.getClass("objectClass").getName();
    if (event.getStackTrace() == null) {
      return type;
    }
    return event.getStackTrace().getFrames().stream()
        .limit(FRAMES)
        .map(frame -> frame.getMethod().getType().getName() + "." + frame.getMethod().getName())
        .collect(Collectors.joining(" < ", type + " in ", ""));
  }
}
