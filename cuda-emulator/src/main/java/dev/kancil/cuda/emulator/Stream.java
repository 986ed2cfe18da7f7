package dev.kancil.cuda.emulator;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Work in order, on a thread of its own. Streams do not wait for each other. */
final class Stream {
  private final ExecutorService thread;
  private volatile Graphs.@Nullable Capture capture;

  Stream(String name) {
    thread = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
  }

  CompletableFuture<Void> add(Runnable work) {
    return CompletableFuture.runAsync(work, thread);
  }

  /** The time of the host's clock when all that was added before is done, in nanoseconds. */
  CompletableFuture<Long> time() {
    return CompletableFuture.supplyAsync(System::nanoTime, thread);
  }

  /** What records the stream's work instead of running it; null if nothing does. */
  Graphs.@Nullable Capture capture() {
    return capture;
  }

  void capture(Graphs.@Nullable Capture recording) {
    capture = recording;
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
