package dev.kancil.backend.host;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;

/** A platform thread that runs a device's work in the order in which it came. */
final class HostQueue implements AutoCloseable {
  // Far more than a program's open steps and a fork's page copies; putting blocks when it is full.
  private final ArrayBlockingQueue<Runnable> work = new ArrayBlockingQueue<>(256);
  private final Thread thread;
  // Read and written by the queue's own thread only.
  private boolean stopped;

  HostQueue(String name) {
    thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  void add(Runnable task) {
    boolean interrupted = false;
    while (true) {
      try {
        work.put(task);
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits until all that was added before is done. */
  void drain() {
    if (thread.isAlive()) {
      CountDownLatch done = new CountDownLatch(1);
      add(done::countDown);
      boolean interrupted = false;
      while (true) {
        try {
          done.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    if (!thread.isAlive()) {
      return;
    }
    add(this::stop);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void stop() {
    stopped = true;
  }

  private void run() {
    while (!stopped) {
      Runnable task;
      try {
        task = work.take();
      } catch (InterruptedException e) {
        continue;
      }
      task.run();
    }
  }
}
