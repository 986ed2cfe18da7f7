package dev.kancil.backend.accelerator;

/** Device memory with an owner. Closing twice is harmless. */
public abstract class DeviceBuffer implements AutoCloseable {
  private final long bytes;
  private boolean closed;

  protected DeviceBuffer(long bytes) {
    this.bytes = bytes;
  }

  /** Its size. */
  public final long bytes() {
    return bytes;
  }

  /** Throws if the buffer is closed. */
  protected final void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the buffer is closed");
    }
  }

  /** Gives the memory back, once. */
  protected abstract void release();

  @Override
  public final void close() {
    if (!closed) {
      closed = true;
      release();
    }
  }
}
