package dev.kancil.cuda.emulator;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Work in order, on a thread of its own. Streams do not wait for each other. */
final class Stream {
  private final ExecutorService thread;

  Stream(String name) {
    thread = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
  }

  CompletableFuture<Void> add(Runnable work) {
    return CompletableFuture.runAsync(work, thread);
  }

  /** Waits for all that was added before. */
  void finish() {
    add(() -> {}).join();
  }

  /** What was added still runs. */
  void close() {
    thread.shutdown();
  }
}
