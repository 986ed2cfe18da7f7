package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/**
 * Copies to the device through pinned memory, in order, on a stream of its own: while the device
 * fetches some pieces by itself, the host fills the next. Page faults of a mapped file come when a
 * piece is filled, by some threads at once, so that the file is read meanwhile, too.
 */
final class PinnedRing implements AutoCloseable {
  static final int PIECES = 4;
  static final int PIECE_BYTES = 8 << 20;

  /** What is smaller is copied sooner than pinned memory is made for it. */
  static final long WORTH_BYTES = 64 << 10;

  private static final int THREADS = Math.min(4, Runtime.getRuntime().availableProcessors());

  /** What a thread fills, at least. */
  private static final long SHARE_BYTES = 512 << 10;

  private final CudaMemory memory;
  private final int count;
  private final int pieceBytes;
  private final List<Piece> pieces = new ArrayList<>();
  private final ThreadPoolExecutor threads;
  private long stream;
  private int next;

  /**
   * Pinned memory that is the host's again once the device has come to the event.
   *
   * @param event behind the copy from here
   */
  private record Piece(MemorySegment pinned, long event) {}

  /** A ring that allocates nothing before there is something to copy. */
  PinnedRing(CudaMemory memory, int count, int pieceBytes) {
    this.memory = memory;
    this.count = count;
    this.pieceBytes = pieceBytes;
    threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("kancil-load-", 0).factory());
    threads.allowCoreThreadTimeOut(true);
  }

  /** The stream on which copies come, for what is to be done with them; made when first used. */
  synchronized long stream() {
    if (stream == 0) {
      try {
        stream = memory.driver().createStream();
      } catch (CudaException e) {
        throw CudaMemory.failure(e);
      }
    }
    return stream;
  }

  /**
   * Enqueues a copy. {@code source} has been read when this returns.
   *
   * @param target where in the device's memory
   * @param copied is told how many bytes were enqueued, piece by piece
   */
  synchronized void copy(long target, MemorySegment source, LongConsumer copied) {
    if (!memory.isThere()) {
      // Nor is a file read, then.
      copied.accept(source.byteSize());
      return;
    }
    try {
      for (long done = 0; done < source.byteSize(); done += pieceBytes) {
        long bytes = Math.min(pieceBytes, source.byteSize() - done);
        Piece piece = freePiece();
        MemorySegment pinned = piece.pinned().asSlice(0, bytes);
        fill(pinned, source.asSlice(done, bytes));
        CudaDriver driver = memory.driver();
        driver.copyToDevice(target + done, pinned, stream());
        driver.record(piece.event(), stream());
        copied.accept(bytes);
      }
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  /** The next piece, once the device has fetched what was in there. */
  private Piece freePiece() {
    CudaDriver driver = memory.driver();
    if (pieces.size() < count) {
      MemorySegment pinned = driver.allocatePinned(pieceBytes);
      try {
        pieces.add(new Piece(pinned, driver.createEvent()));
      } catch (CudaException e) {
        memory.release(present -> present.freePinned(pinned));
        throw e;
      }
      return pieces.getLast();
    }
    Piece piece = pieces.get(next);
    next = (next + 1) % count;
    driver.await(piece.event());
    return piece;
  }

  private void fill(MemorySegment target, MemorySegment source) {
    long bytes = source.byteSize();
    long share =
        Tensor.isEverybodys(source)
            ? Math.max(SHARE_BYTES, Math.ceilDiv(bytes, (long) THREADS))
            : bytes;
    List<CompletableFuture<Void>> others = new ArrayList<>();
    for (long from = share; from < bytes; from += share) {
      long size = Math.min(share, bytes - from);
      MemorySegment to = target.asSlice(from, size);
      MemorySegment part = source.asSlice(from, size);
      others.add(CompletableFuture.runAsync(() -> to.copyFrom(part), threads));
    }
    try {
      long first = Math.min(share, bytes);
      target.asSlice(0, first).copyFrom(source.asSlice(0, first));
    } finally {
      // Whatever happens, nobody writes to the piece when this is over.
      CompletableFuture.allOf(others.toArray(CompletableFuture<?>[]::new))
          .handle((_, _) -> "")
          .join();
    }
    others.forEach(CompletableFuture::join);
  }

  /**
   * Waits for all that was enqueued on the stream.
   *
   * @throws dev.kancil.DeviceException what became of it, if it failed
   */
  void finish() {
    long used;
    synchronized (this) {
      used = stream;
    }
    if (used != 0) {
      try {
        memory.driver().synchronize(used);
      } catch (CudaException e) {
        throw CudaMemory.failure(e);
      }
    }
  }

  @Override
  public synchronized void close() {
    threads.shutdown();
    if (stream != 0) {
      memory.release(driver -> driver.synchronize(stream));
    }
    for (Piece piece : pieces) {
      memory.release(driver -> driver.destroyEvent(piece.event()));
      memory.release(driver -> driver.freePinned(piece.pinned()));
    }
    pieces.clear();
    if (stream != 0) {
      memory.release(driver -> driver.destroyStream(stream));
      stream = 0;
    }
  }
}
