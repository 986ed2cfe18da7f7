package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.DeviceMemory;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.graph.op.TapFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Memory of an NVIDIA device, and the stream of its work: in the primary context, or an
 * application's.
 */
final class CudaMemory extends DeviceMemory implements AutoCloseable {
  /** What every allocation is aligned to, and every part. */
  private static final int ALIGNMENT = 256;

  private final CudaDriver driver;
  private final int index;
  private final DeviceDescription description;
  private final long context;
  private final long stream;
  private final AtomicLong held = new AtomicLong();
  private final @Nullable LaunchTimes times;
  private final boolean isLent;
  private final PinnedRing ring;

  CudaMemory(CudaDriver driver, int index, DeviceDescription description) {
    this(driver, index, description, null);
  }

  /**
   * @param lent a context and a stream that somebody else closes; null to make a stream in the
   *     primary context
   */
  CudaMemory(
      CudaDriver driver, int index, DeviceDescription description, @Nullable CudaQueue lent) {
    this(driver, index, description, lent, PinnedRing.PIECES, PinnedRing.PIECE_BYTES);
  }

  /**
   * @param lent as above
   * @param pieces of pinned memory, through which weights come
   */
  CudaMemory(
      CudaDriver driver,
      int index,
      DeviceDescription description,
      @Nullable CudaQueue lent,
      int pieces,
      int pieceBytes) {
    this.driver = driver;
    this.index = index;
    this.description = description;
    this.times = LaunchTimes.ofProperties(driver);
    ring = new PinnedRing(this, pieces, pieceBytes);
    isLent = lent != null;
    if (lent != null) {
      context = lent.context();
      stream = lent.stream();
      return;
    }
    try {
      context = driver.retainContext(index);
    } catch (CudaException e) {
      throw failure(e);
    }
    try {
      driver.makeCurrent(context);
      stream = driver.createStream();
    } catch (CudaException e) {
      driver.releaseContext(index);
      throw failure(e);
    }
  }

  static DeviceException failure(CudaException e) {
    return new DeviceException(String.valueOf(e.getMessage()), e);
  }

  /** The driver, with the context current on the calling thread. */
  CudaDriver driver() {
    driver.makeCurrent(context);
    return driver;
  }

  long stream() {
    return stream;
  }

  /** Null unless somebody wants to know. */
  @Nullable LaunchTimes times() {
    return times;
  }

  @Override
  public String deviceName() {
    return description.name();
  }

  @Override
  public long largestAllocation() {
    return description.memoryBytes();
  }

  @Override
  public OptionalLong freeBytes() {
    try {
      return OptionalLong.of(driver().freeBytes());
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  @Override
  public boolean sharesHostMemory() {
    return false;
  }

  @Override
  public int alignment() {
    return ALIGNMENT;
  }

  @Override
  public DeviceBuffer allocate(long bytes, String name) {
    long size = Math.max(bytes, 4);
    long address;
    try {
      address = driver().allocate(size);
    } catch (CudaException e) {
      if (e.code() == CudaException.OUT_OF_MEMORY) {
        throw full(size, name, held.get(), description.memoryBytes());
      }
      throw failure(e);
    }
    held.addAndGet(size);
    return new CudaBuffer(
        address,
        size,
        () -> {
          held.addAndGet(-size);
          release(present -> present.free(address));
        });
  }

  @Override
  public DeviceBuffer share(MemorySegment segment, String name) {
    throw new UnsupportedOperationException("the device has memory of its own");
  }

  @Override
  public DeviceBuffer part(DeviceBuffer whole, long offset, long bytes) {
    return new CudaBuffer(CudaBuffer.address(whole) + offset, bytes, () -> {});
  }

  @Override
  @SuppressWarnings("restricted")
  public MemorySegment hostMemory(Arena arena, long bytes) {
    try {
      // Its life is given to the arena.
      MemorySegment pinned = driver().allocatePinned(Math.max(bytes, 1));
      return pinned
          .reinterpret(arena, memory -> release(present -> present.freePinned(memory)))
          .asSlice(0, bytes);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  @Override
  public void write(DeviceBuffer target, long offset, MemorySegment source) {
    try (Arena arena = Arena.ofConfined()) {
      // What lies in the Java heap has no address.
      MemorySegment data =
          source.isNative() ? source : arena.allocate(source.byteSize(), 64).copyFrom(source);
      driver().copyToDevice(CudaBuffer.address(target) + offset, data, stream);
      finish();
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  /** Whether there is a device that could use what is copied. */
  boolean isThere() {
    return !(driver instanceof AbsentDriver);
  }

  /** What brings weights. */
  PinnedRing ring() {
    return ring;
  }

  @Override
  public void load(DeviceBuffer target, long offset, MemorySegment source, LongConsumer loaded) {
    if (source.byteSize() < PinnedRing.WORTH_BYTES) {
      super.load(target, offset, source, loaded);
    } else {
      ring.copy(CudaBuffer.address(target) + offset, source, loaded);
    }
  }

  @Override
  public void finishLoads() {
    ring.finish();
  }

  @Override
  public void read(DeviceBuffer source, long offset, MemorySegment target) {
    try {
      driver().copyToHost(target, CudaBuffer.address(source) + offset, stream);
    } catch (CudaException e) {
      throw failure(e);
    }
    finish();
  }

  @Override
  public void enqueueWrite(DeviceBuffer target, MemorySegment source, long bytes) {
    try {
      driver().copyToDevice(CudaBuffer.address(target), source.asSlice(0, bytes), stream);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  @Override
  public void enqueueRead(DeviceBuffer source, MemorySegment target, long bytes) {
    try {
      driver().copyToHost(target.asSlice(0, bytes), CudaBuffer.address(source), stream);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  @Override
  public void enqueueCopy(DeviceBuffer buffer, long from, long to, long bytes) {
    long address = CudaBuffer.address(buffer);
    try {
      driver().copy(address + to, address + from, bytes, stream);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  /** {@link CudaTap}s get the value's copy where it lies. */
  @Override
  public void tap(TapFunction function, DeviceBuffer x, DeviceBuffer y, int rows, int columns) {
    if (!(function instanceof CudaTap(CudaTap.Work work))) {
      super.tap(function, x, y, rows, columns);
      return;
    }
    if (rows == 0) {
      return;
    }
    long value = CudaBuffer.address(y);
    try {
      long bytes = (long) rows * columns * Float.BYTES;
      driver().copy(value, CudaBuffer.address(x), bytes, stream);
      work.enqueue(value, stream, rows, columns);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  @Override
  public @Nullable Recording record(Runnable enqueue) {
    return times == null ? CudaRecording.of(this, enqueue) : null;
  }

  @Override
  public Mark mark() {
    try {
      long event = driver().createEvent();
      driver.record(event, stream);
      return new CudaMark(this, event);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  @Override
  public void finish() {
    try {
      driver().synchronize(stream);
    } catch (CudaException e) {
      throw failure(e);
    }
  }

  /**
   * Gives something back. A device that is lost takes nothing back, and whoever waited for it was
   * told: all that it holds goes with its context.
   */
  void release(Consumer<CudaDriver> giveBack) {
    try {
      giveBack.accept(driver());
    } catch (CudaException e) {
      if (!isLost()) {
        throw failure(e);
      }
    }
  }

  private boolean isLost() {
    try {
      driver().synchronize(stream);
      return false;
    } catch (CudaException e) {
      return true;
    }
  }

  /** How long the device takes for what is enqueued, which this waits for. */
  double milliseconds(Runnable enqueue) {
    long start = driver().createTimedEvent();
    long end = driver.createTimedEvent();
    try {
      driver.record(start, stream);
      enqueue.run();
      driver.record(end, stream);
      driver.await(end);
      return driver.milliseconds(start, end);
    } finally {
      driver.destroyEvent(start);
      driver.destroyEvent(end);
    }
  }

  @Override
  public void close() {
    if (times != null) {
      System.err.print(times.table(stream));
    }
    ring.close();
    if (!isLent) {
      release(present -> present.destroyStream(stream));
      driver.releaseContext(index);
    }
  }
}
