package dev.kancil.backend;

import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A platform thread that runs a device's work in the order in which it came, one at a time. Waiting
 * is on a monitor, which, unlike the queues of java.util.concurrent, allocates nothing.
 */
public final class DeviceQueue implements AutoCloseable {
  // Far more than a program's open steps and a fork's page copies; adding waits when it is full.
  private static final int CAPACITY = 256;

  private final @Nullable Runnable[] ring = new @Nullable Runnable[CAPACITY];
  private int head;
  private int size;
  private boolean isBusy;
  private boolean closed;
  private final Thread thread;
  // Made once: a step allocates nothing.
  private final Uninterrupted.Wait change = this::wait;

  /** Starts the thread. */
  public DeviceQueue(String name) {
    thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  /**
   * Adds work.
   *
   * @throws IllegalStateException if the device is closed
   */
  public synchronized void add(Runnable task) {
    while (size == CAPACITY && !closed) {
      Uninterrupted.run(change);
    }
    if (closed) {
      throw new IllegalStateException("the device is closed");
    }
    ring[(head + size) % CAPACITY] = task;
    size++;
    notifyAll();
  }

  /**
   * Runs work here if nobody does any and nothing is before it, or else adds it: for work that only
   * hands something on, where waking the thread would take longer.
   *
   * @throws IllegalStateException if the device is closed
   */
  public void addOrRun(Runnable task) {
    synchronized (this) {
      if (closed || isBusy || size > 0) {
        add(task);
        return;
      }
      isBusy = true;
    }
    try {
      task.run();
    } finally {
      rest();
    }
  }

  private synchronized void rest() {
    isBusy = false;
    notifyAll();
  }

  private synchronized @Nullable Runnable take() {
    while (size == 0 || isBusy) {
      if (closed && size == 0 && !isBusy) {
        return null;
      }
      Uninterrupted.run(change);
    }
    Runnable task = Objects.requireNonNull(ring[head]);
    ring[head] = null;
    head = (head + 1) % CAPACITY;
    size--;
    isBusy = true;
    notifyAll();
    return task;
  }

  /** Waits until all that was added before is done. */
  public void drain() {
    CountDownLatch done = new CountDownLatch(1);
    synchronized (this) {
      if (closed) {
        return;
      }
      add(done::countDown);
    }
    Uninterrupted.run(done::await);
  }

  /** Runs what was added, then ends the thread. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    Uninterrupted.run(thread::join);
  }

  private void run() {
    for (Runnable task = take(); task != null; task = take()) {
      try {
        task.run();
      } finally {
        rest();
      }
    }
  }
}
