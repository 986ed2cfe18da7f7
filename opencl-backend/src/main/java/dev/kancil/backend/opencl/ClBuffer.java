package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.DeviceBuffer;
import org.jocl.CL;
import org.jocl.cl_mem;

/** A buffer of OpenCL. */
final class ClBuffer extends DeviceBuffer {
  private final cl_mem memory;
  private final Runnable onClose;

  ClBuffer(cl_mem memory, long bytes, Runnable onClose) {
    super(bytes);
    this.memory = memory;
    this.onClose = onClose;
    Handles.made();
  }

  static cl_mem memory(DeviceBuffer buffer) {
    if (!(buffer instanceof ClBuffer ours)) {
      throw new IllegalArgumentException("a buffer of another device");
    }
    ours.requireOpen();
    return ours.memory;
  }

  @Override
  protected void release() {
    CL.clReleaseMemObject(memory);
    Handles.released();
    onClose.run();
  }
}
