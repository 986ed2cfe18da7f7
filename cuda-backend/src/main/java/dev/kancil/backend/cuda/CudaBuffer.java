package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.DeviceBuffer;

/** Memory of an NVIDIA device. */
final class CudaBuffer extends DeviceBuffer {
  private final long address;
  private final Runnable onClose;

  CudaBuffer(long address, long bytes, Runnable onClose) {
    super(bytes);
    this.address = address;
    this.onClose = onClose;
  }

  static long address(DeviceBuffer buffer) {
    if (!(buffer instanceof CudaBuffer ours)) {
      throw new IllegalArgumentException("a buffer of another device");
    }
    ours.requireOpen();
    return ours.address;
  }

  @Override
  protected void release() {
    onClose.run();
  }
}
