package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_buffer_region;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_mem;

/** A device's memory in a context of its own, and the queue of its work. */
final class Memory extends DeviceMemory implements AutoCloseable {
  /** Of one transfer: few enough calls, and within what a Java buffer can span. */
  private static final long PIECE = 64 << 20;

  private final ClDevice device;
  private final cl_context context;
  private final cl_command_queue queue;
  private final long largestAllocation;
  private final AtomicLong held = new AtomicLong();

  /**
   * Opens a device.
   *
   * @param largestAllocation the most bytes of a buffer, at most what the device says
   */
  // What later versions deprecate is all that 1.2 has.
  @SuppressWarnings("deprecation")
  Memory(ClDevice device, long largestAllocation) {
    this.device = device;
    this.largestAllocation = Math.min(largestAllocation, device.largestAllocation());
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(CL.CL_CONTEXT_PLATFORM, device.platform());
    int[] status = new int[1];
    context =
        CL.clCreateContext(properties, 1, new cl_device_id[] {device.id()}, null, null, status);
    OpenCl.check(status[0], "open " + device.name());
    queue = CL.clCreateCommandQueue(context, device.id(), 0, status);
    if (status[0] != CL.CL_SUCCESS) {
      CL.clReleaseContext(context);
      throw OpenCl.failure(status[0], "make a queue on " + device.name());
    }
    Handles.made();
  }

  ClDevice device() {
    return device;
  }

  @Override
  public String deviceName() {
    return device.name();
  }

  /** OpenCL tells how much there is, and not what others use of it. */
  @Override
  public OptionalLong freeBytes() {
    return device.sharesHostMemory()
        ? OptionalLong.empty()
        : OptionalLong.of(device.memoryBytes() - held.get());
  }

  @Override
  public boolean sharesHostMemory() {
    return device.sharesHostMemory();
  }

  @Override
  public int alignment() {
    return device.alignment();
  }

  @Override
  public long largestAllocation() {
    return largestAllocation;
  }

  @Override
  public DeviceBuffer allocate(long bytes, String name) {
    long size = Math.max(bytes, 4);
    if (size > largestAllocation) {
      throw tooLarge(size, name);
    }
    int[] status = new int[1];
    cl_mem memory = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, size, null, status);
    if (status[0] != CL.CL_SUCCESS) {
      throw outOfMemory(status[0], size, name);
    }
    held.addAndGet(size);
    return new ClBuffer(memory, size, () -> held.addAndGet(-size));
  }

  /** Keeps host memory, which may be freed when nobody has it any more, as long as its buffer. */
  private record Kept(MemorySegment segment) implements Runnable {
    @Override
    public void run() {}
  }

  @Override
  public DeviceBuffer share(MemorySegment segment, String name) {
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
    return new ClBuffer(memory, segment.byteSize(), new Kept(segment));
  }

  private DeviceException outOfMemory(int status, long bytes, String name) {
    if (!OpenCl.isOutOfMemory(status)) {
      return OpenCl.failure(status, "allocate " + name);
    }
    return full(bytes, name, held.get(), device.memoryBytes());
  }

  @Override
  public DeviceBuffer part(DeviceBuffer whole, long offset, long bytes) {
    int[] status = new int[1];
    cl_mem memory =
        CL.clCreateSubBuffer(
            ClBuffer.memory(whole),
            CL.CL_MEM_READ_WRITE,
            CL.CL_BUFFER_CREATE_TYPE_REGION,
            new cl_buffer_region(offset, Math.max(bytes, 4)),
            status);
    OpenCl.check(status[0], "divide a buffer");
    return new ClBuffer(memory, bytes, () -> {});
  }

  @Override
  public void write(DeviceBuffer target, long offset, MemorySegment source) {
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
              queue,
              ClBuffer.memory(target),
              true,
              offset,
              data.byteSize(),
              pointer(data),
              0,
              null,
              null),
          "write to the device");
    }
  }

  @Override
  public void enqueueWrite(DeviceBuffer target, MemorySegment source, long bytes) {
    OpenCl.check(
        CL.clEnqueueWriteBuffer(
            queue, ClBuffer.memory(target), false, 0, bytes, pointer(source), 0, null, null),
        "write to the device");
  }

  @Override
  public void enqueueRead(DeviceBuffer source, MemorySegment target, long bytes) {
    OpenCl.check(
        CL.clEnqueueReadBuffer(
            queue, ClBuffer.memory(source), false, 0, bytes, pointer(target), 0, null, null),
        "read from the device");
  }

  @Override
  public void read(DeviceBuffer source, long offset, MemorySegment target) {
    OpenCl.check(
        CL.clEnqueueReadBuffer(
            queue,
            ClBuffer.memory(source),
            true,
            offset,
            target.byteSize(),
            pointer(target),
            0,
            null,
            null),
        "read from the device");
  }

  @Override
  public void enqueueCopy(DeviceBuffer buffer, long from, long to, long bytes) {
    OpenCl.check(
        CL.clEnqueueCopyBuffer(
            queue,
            ClBuffer.memory(buffer),
            ClBuffer.memory(buffer),
            from,
            to,
            bytes,
            0,
            null,
            null),
        "copy on the device");
  }

  @Override
  public Mark mark() {
    cl_event event = new cl_event();
    OpenCl.check(CL.clEnqueueMarkerWithWaitList(queue, 0, null, event), "mark the queue");
    Mark mark = new ClMark(event);
    OpenCl.check(CL.clFlush(queue), "flush the queue");
    return mark;
  }

  @Override
  public void finish() {
    OpenCl.check(CL.clFinish(queue), "finish the queue");
  }

  cl_context context() {
    return context;
  }

  cl_command_queue queue() {
    return queue;
  }

  @Override
  public void close() {
    CL.clReleaseCommandQueue(queue);
    CL.clReleaseContext(context);
    Handles.released();
  }

  static Pointer pointer(MemorySegment segment) {
    return Pointer.to(segment.asByteBuffer());
  }
}
