package dev.kancil.backend.opencl;

import org.jocl.CL;
import org.jocl.cl_mem;

/** Device memory with an owner. Closing twice is harmless. */
final class DeviceBuffer implements AutoCloseable {
  private final cl_mem memory;
  private final long bytes;
  private final Runnable onClose;
  private boolean closed;

  DeviceBuffer(cl_mem memory, long bytes, Runnable onClose) {
    this.memory = memory;
    this.bytes = bytes;
    this.onClose = onClose;
    Handles.made();
  }

  cl_mem memory() {
    if (closed) {
      throw new IllegalStateException("the buffer is closed");
    }
    return memory;
  }

  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      CL.clReleaseMemObject(memory);
      Handles.released();
      onClose.run();
    }
  }
}
