package dev.kancil.backend.cuda;

/**
 * A context and a stream that an application has already, so that its pointers are ours and its
 * work and ours have an order. They stay the application's to close, once the device is closed.
 *
 * <p>Steps may be recorded ({@code cuStreamBeginCapture}) while they are enqueued. So the
 * application enqueues on the stream in {@link CudaTap}s, or while no step is open.
 *
 * @param context a {@code CUcontext} of the device
 * @param stream a {@code CUstream} of that context, not the default one, which can't be recorded
 */
public record CudaQueue(long context, long stream) {
  /** Checks that there are both. */
  public CudaQueue {
    if (context == 0) {
      throw new IllegalArgumentException("there is no context");
    }
    if (stream == 0) {
      throw new IllegalArgumentException("steps can't be recorded on the default stream");
    }
  }
}
