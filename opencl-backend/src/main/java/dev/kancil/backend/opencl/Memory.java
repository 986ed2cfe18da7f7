package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_buffer_region;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_event;
import org.jocl.cl_mem;
import org.jspecify.annotations.Nullable;

/** Allocates a device's buffers and moves data in and out. */
final class Memory {
  /** Of one transfer: few enough calls, and within what a Java buffer can span. */
  private static final long PIECE = 64 << 20;

  private final ClDevice device;
  private final cl_context context;
  private final cl_command_queue queue;
  private final long largestAllocation;
  private final AtomicLong held = new AtomicLong();
  private volatile @Nullable RuntimeException lost;

  /**
   * @param largestAllocation the most bytes of a buffer, at most what the device says
   */
  Memory(ClDevice device, cl_context context, cl_command_queue queue, long largestAllocation) {
    this.device = device;
    this.context = context;
    this.queue = queue;
    this.largestAllocation = Math.min(largestAllocation, device.largestAllocation());
  }

  ClDevice device() {
    return device;
  }

  /** The most bytes that one buffer can have. */
  long largestAllocation() {
    return largestAllocation;
  }

  /**
   * Allocates a buffer.
   *
   * @param name what it is for, as the error names it
   * @throws DeviceException if the device has not so much memory
   */
  DeviceBuffer allocate(long bytes, String name) {
    long size = Math.max(bytes, 4);
    if (size > largestAllocation) {
      throw new DeviceException(
          device.name()
              + " allocates at most "
              + mebibytes(largestAllocation)
              + " at once, and "
              + name
              + " takes "
              + mebibytes(size)
              + "; lower --ctx");
    }
    int[] status = new int[1];
    cl_mem memory = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, size, null, status);
    if (status[0] != CL.CL_SUCCESS) {
      throw outOfMemory(status[0], size, name);
    }
    held.addAndGet(size);
    return new DeviceBuffer(memory, size, () -> held.addAndGet(-size));
  }

  /** Makes host memory a buffer; it must stay until the buffer is closed. */
  DeviceBuffer share(MemorySegment segment, String name) {
    int[] status = new int[1];
    cl_mem memory =
        CL.clCreateBuffer(
            context,
            CL.CL_MEM_READ_ONLY | CL.CL_MEM_USE_HOST_PTR,
            segment.byteSize(),
            pointer(segment),
            status);
    if (status[0] != CL.CL_SUCCESS) {
      throw outOfMemory(status[0], segment.byteSize(), name);
    }
    return new DeviceBuffer(memory, segment.byteSize(), () -> {});
  }

  private DeviceException outOfMemory(int status, long bytes, String name) {
    if (!OpenCl.isOutOfMemory(status)) {
      return OpenCl.failure(status, "allocate " + name);
    }
    return new DeviceException(
        device.name()
            + " has no "
            + mebibytes(bytes)
            + " left for "
            + name
            + ": it has "
            + mebibytes(device.memoryBytes())
            + ", of which Kancil has taken "
            + mebibytes(held.get())
            + "; lower --ctx, or take a smaller model");
  }

  /** Part of a buffer; {@code offset} is a multiple of the device's alignment. */
  DeviceBuffer part(DeviceBuffer whole, long offset, long bytes) {
    int[] status = new int[1];
    cl_mem memory =
        CL.clCreateSubBuffer(
            whole.memory(),
            CL.CL_MEM_READ_WRITE,
            CL.CL_BUFFER_CREATE_TYPE_REGION,
            new cl_buffer_region(offset, Math.max(bytes, 4)),
            status);
    OpenCl.check(status[0], "divide a buffer");
    return new DeviceBuffer(memory, bytes, () -> {});
  }

  /** Rounds up to where a part of a buffer can begin. */
  long align(long bytes) {
    return Math.addExact(bytes, device.alignment() - 1) & -device.alignment();
  }

  /** Copies to the device and waits. */
  void write(DeviceBuffer target, long offset, MemorySegment source) {
    for (long done = 0; done < source.byteSize(); done += PIECE) {
      long bytes = Math.min(PIECE, source.byteSize() - done);
      writePiece(target, offset + done, source.asSlice(done, bytes));
    }
  }

  private void writePiece(DeviceBuffer target, long offset, MemorySegment piece) {
    try (Arena arena = Arena.ofConfined()) {
      // What lies in the Java heap has no address.
      MemorySegment data = piece.isNative() ? piece : arena.allocate(piece.byteSize(), 64);
      if (!piece.isNative()) {
        data.copyFrom(piece);
      }
      OpenCl.check(
          CL.clEnqueueWriteBuffer(
              queue, target.memory(), true, offset, data.byteSize(), pointer(data), 0, null, null),
          "write to the device");
    }
  }

  /** Copies to the device at some later time; {@code source} must stay until then. */
  void enqueueWrite(DeviceBuffer target, MemorySegment source, long bytes) {
    OpenCl.check(
        CL.clEnqueueWriteBuffer(
            queue, target.memory(), false, 0, bytes, pointer(source), 0, null, null),
        "write to the device");
  }

  /** Copies from the device at some later time. */
  void enqueueRead(DeviceBuffer source, MemorySegment target, long bytes) {
    OpenCl.check(
        CL.clEnqueueReadBuffer(
            queue, source.memory(), false, 0, bytes, pointer(target), 0, null, null),
        "read from the device");
  }

  /** Copies from the device and waits. */
  void read(DeviceBuffer source, long offset, MemorySegment target) {
    OpenCl.check(
        CL.clEnqueueReadBuffer(
            queue,
            source.memory(),
            true,
            offset,
            target.byteSize(),
            pointer(target),
            0,
            null,
            null),
        "read from the device");
  }

  /** Remembers a failure of work that nobody waits for, to tell whoever comes next. */
  void lose(RuntimeException failure) {
    lost = failure;
  }

  /** Throws what {@link #lose} was told. */
  void throwIfLost() {
    RuntimeException failure = lost;
    if (failure != null) {
      throw failure;
    }
  }

  /** Copies within a buffer; the two ranges don't overlap. */
  void enqueueCopy(DeviceBuffer buffer, long from, long to, long bytes) {
    OpenCl.check(
        CL.clEnqueueCopyBuffer(
            queue, buffer.memory(), buffer.memory(), from, to, bytes, 0, null, null),
        "copy on the device");
  }

  /** An event that comes when all that was enqueued is done, which it is at some time from now. */
  cl_event mark() {
    cl_event event = new cl_event();
    OpenCl.check(CL.clEnqueueMarkerWithWaitList(queue, 0, null, event), "mark the queue");
    Handles.made();
    OpenCl.check(CL.clFlush(queue), "flush the queue");
    return event;
  }

  /** Waits until all is done. */
  void finish() {
    OpenCl.check(CL.clFinish(queue), "finish the queue");
  }

  cl_command_queue queue() {
    return queue;
  }

  static Pointer pointer(MemorySegment segment) {
    return Pointer.to(segment.asByteBuffer());
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }
}
