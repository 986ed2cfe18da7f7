package dev.kancil.backend.cpu;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What the threads of open CPU devices allocate. */
final class Allocation {
  private Allocation() {}

  /** The threads of the devices that are open now. */
  static long[] deviceThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("kancil-cpu"))
        .mapToLong(Thread::threadId)
        .toArray();
  }

  /** Bytes that these threads have allocated so far. */
  static long bytes(long[] threads) {
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (long thread : threads) {
      sum += bean.getThreadAllocatedBytes(thread);
    }
    return sum;
  }
}
