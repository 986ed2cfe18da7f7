package dev.kancil.backend.accelerator;

import dev.kancil.DeviceException;
import dev.kancil.graph.op.TapFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A device's memory and the queue of its work, which runs in order. What enqueues returns at once,
 * and is called by the device's thread; the rest may be called by any.
 */
public abstract class DeviceMemory {
  private volatile @Nullable RuntimeException lost;

  protected DeviceMemory() {}

  /** The device's name. */
  public abstract String deviceName();

  /** The most bytes that one buffer can have. */
  public abstract long largestAllocation();

  /** Bytes that nobody uses; empty where it is the host's, or the device can't tell. */
  public OptionalLong freeBytes() {
    return OptionalLong.empty();
  }

  /** Whether host memory can be used where it lies. */
  public abstract boolean sharesHostMemory();

  /** Parts of buffers begin at multiples of this, a power of two. */
  public abstract int alignment();

  /**
   * Allocates a buffer.
   *
   * @param name what it is for, as the error names it
   * @throws DeviceException if the device has not so much memory
   */
  public abstract DeviceBuffer allocate(long bytes, String name);

  /**
   * Makes host memory a buffer, where {@link #sharesHostMemory}; it must stay until the buffer is
   * closed.
   */
  public abstract DeviceBuffer share(MemorySegment segment, String name);

  /** Part of a buffer; {@code offset} is a multiple of {@link #alignment}. */
  public abstract DeviceBuffer part(DeviceBuffer whole, long offset, long bytes);

  /** Host memory of a program that is copied to and from the device, aligned to 64 bytes. */
  public MemorySegment hostMemory(Arena arena, long bytes) {
    return arena.allocate(bytes, 64);
  }

  /** Copies to the device and waits. */
  public abstract void write(DeviceBuffer target, long offset, MemorySegment source);

  /**
   * Copies what programs need before their first step, perhaps at some later time: it is there when
   * {@link #finishLoads} returns. {@code source} may change as soon as this returns. A copy that
   * fails later may leave the buffer half written.
   *
   * @param loaded is told how many bytes are on their way, piece by piece
   */
  public void load(DeviceBuffer target, long offset, MemorySegment source, LongConsumer loaded) {
    write(target, offset, source);
    loaded.accept(source.byteSize());
  }

  /**
   * Waits for what {@link #load} copies.
   *
   * @throws DeviceException what became of it, if it failed
   */
  public void finishLoads() {}

  /** Copies from the device and waits. */
  public abstract void read(DeviceBuffer source, long offset, MemorySegment target);

  /** Copies to the device at some later time; {@code source} must stay until then. */
  public abstract void enqueueWrite(DeviceBuffer target, MemorySegment source, long bytes);

  /** Copies from the device at some later time. */
  public abstract void enqueueRead(DeviceBuffer source, MemorySegment target, long bytes);

  /** Copies within a buffer; the two ranges don't overlap. */
  public abstract void enqueueCopy(DeviceBuffer buffer, long from, long to, long bytes);

  /**
   * Lets a function see and change a value. Unless the device knows functions of a kind of its own,
   * it finishes, and the function gets the value in host memory.
   *
   * @param x the value before, and {@code y} after
   */
  public void tap(TapFunction function, DeviceBuffer x, DeviceBuffer y, int rows, int columns) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate((long) rows * columns * Float.BYTES, 64);
      if (rows > 0) {
        read(x, 0, data);
      }
      function.apply(data, rows, columns);
      write(y, 0, data);
    }
  }

  /**
   * Records what {@code enqueue} enqueues, instead of enqueuing it: it can then be enqueued as
   * often as memory and arguments are to be the same.
   *
   * @return the caller's to close, or null where each has to be enqueued anew
   */
  public @Nullable Recording record(Runnable enqueue) {
    return null;
  }

  /** What was recorded. */
  public interface Recording extends AutoCloseable {
    /** Enqueues all of it at once. */
    void enqueue();

    @Override
    void close();
  }

  /** A mark behind all that was enqueued, which the device comes to at some time from now. */
  public abstract Mark mark();

  /** Waits until all is done. */
  public abstract void finish();

  /** Stands for all that was enqueued before it. */
  public interface Mark extends AutoCloseable {
    /** Waits for the device; throws what became of the work if it failed. */
    void await();

    @Override
    void close();
  }

  /** Rounds up to where a part of a buffer can begin. */
  public final long align(long bytes) {
    return Math.addExact(bytes, alignment() - 1) & -alignment();
  }

  /** Remembers a failure of work that nobody waits for, to tell whoever comes next. */
  final void lose(RuntimeException failure) {
    lost = failure;
  }

  /** Throws what {@link #lose} was told. */
  final void throwIfLost() {
    RuntimeException failure = lost;
    if (failure != null) {
      throw failure;
    }
  }

  /** The error of a buffer that can't be so large. */
  protected final DeviceException tooLarge(long bytes, String name) {
    return new DeviceException(
        deviceName()
            + " allocates at most "
            + mebibytes(largestAllocation())
            + " at once, and "
            + name
            + " takes "
            + mebibytes(bytes)
            + "; lower --ctx");
  }

  /**
   * The error of a device that is full.
   *
   * @param held by Kancil, in bytes
   * @param total the device's memory, in bytes
   */
  protected final DeviceException full(long bytes, String name, long held, long total) {
    return new DeviceException(
        deviceName()
            + " has no "
            + mebibytes(bytes)
            + " left for "
            + name
            + ": it has "
            + mebibytes(total)
            + ", of which Kancil has taken "
            + mebibytes(held)
            + "; lower --ctx, take a smaller model,"
            + " or leave some layers to the CPU (--gpu-layers auto)");
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }
}
