package dev.kancil;

import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.Flow;

/** Hands chunks to one subscriber, no more than it asked for, on a virtual thread. */
final class ChunkSubscription implements Flow.Subscription, Runnable {
  private final Generation generation;
  private final Flow.Subscriber<? super Chunk> subscriber;
  private long demand;
  private boolean invalidDemand;
  private boolean cancelled;

  ChunkSubscription(Generation generation, Flow.Subscriber<? super Chunk> subscriber) {
    this.generation = generation;
    this.subscriber = Objects.requireNonNull(subscriber);
  }

  void start() {
    Thread.ofVirtual().name("kancil-subscriber").start(this);
  }

  @Override
  public synchronized void request(long n) {
    invalidDemand |= n < 1;
    demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
    notifyAll();
  }

  @Override
  public synchronized void cancel() {
    cancelled = true;
    notifyAll();
  }

  @Override
  public void run() {
    subscriber.onSubscribe(this);
    try {
      Iterator<Chunk> chunks = generation.iterator();
      while (chunks.hasNext()) {
        if (!waitForDemand()) {
          return;
        }
        subscriber.onNext(chunks.next());
      }
    } catch (KancilException | IllegalArgumentException e) {
      subscriber.onError(e);
      return;
    }
    if (!isCancelled()) {
      subscriber.onComplete();
    }
  }

  private synchronized boolean isCancelled() {
    return cancelled;
  }

  /** Waits until the subscriber wants a chunk; false if it wants no more at all. */
  private synchronized boolean waitForDemand() {
    while (demand == 0 && !cancelled && !invalidDemand) {
      try {
        wait();
      } catch (InterruptedException e) {
        cancelled = true;
      }
    }
    if (invalidDemand) {
      throw new IllegalArgumentException("a subscriber must request one chunk or more");
    }
    demand--;
    return !cancelled;
  }
}
