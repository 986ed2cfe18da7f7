package dev.kancil.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DeviceQueueTest {
  @Test
  void workIsDoneHereIfNobodyDoesAny() {
    try (DeviceQueue queue = new DeviceQueue("test")) {
      List<Thread> threads = new ArrayList<>();
      queue.addOrRun(() -> threads.add(Thread.currentThread()));
      assertThat(threads).containsExactly(Thread.currentThread());
    }
  }

  @Test
  void workBehindOtherWorkWaitsItsTurn() throws InterruptedException {
    List<String> done = Collections.synchronizedList(new ArrayList<>());
    try (DeviceQueue queue = new DeviceQueue("test")) {
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      queue.add(
          () -> {
            begun.countDown();
            Uninterrupted.run(go::await);
            done.add("first");
          });
      begun.await();
      queue.addOrRun(() -> done.add("second"));
      assertThat(done).isEmpty();
      go.countDown();
    }
    assertThat(done).containsExactly("first", "second");
  }

  @Test
  void oneThingIsDoneAtATimeWhoeverDoesIt() throws InterruptedException {
    AtomicInteger atWork = new AtomicInteger();
    AtomicInteger overlaps = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    Runnable work =
        () -> {
          if (atWork.incrementAndGet() > 1) {
            overlaps.incrementAndGet();
          }
          Thread.onSpinWait();
          done.incrementAndGet();
          atWork.decrementAndGet();
        };
    try (DeviceQueue queue = new DeviceQueue("test")) {
      List<Thread> threads =
          IntStream.range(0, 4)
              .mapToObj(
                  n ->
                      Thread.ofPlatform()
                          .start(
                              () -> {
                                for (int i = 0; i < 500; i++) {
                                  if (n % 2 == 0) {
                                    queue.add(work);
                                  } else {
                                    queue.addOrRun(work);
                                  }
                                }
                              }))
              .toList();
      for (Thread thread : threads) {
        thread.join();
      }
      queue.drain();
      assertThat(done).hasValue(2000);
    }
    assertThat(overlaps).hasValue(0);
  }

  @Test
  void nothingIsRunOnceItIsClosed() {
    DeviceQueue queue = new DeviceQueue("test");
    queue.close();
    assertThatThrownBy(() -> queue.addOrRun(() -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the device is closed");
  }
}
