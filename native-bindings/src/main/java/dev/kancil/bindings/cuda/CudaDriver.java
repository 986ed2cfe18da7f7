package dev.kancil.bindings.cuda;

import java.lang.foreign.MemorySegment;

/**
 * The CUDA driver API as far as Kancil uses it: that of the system, or one that interprets PTX.
 *
 * <p>Pointers of the device and handles are plain numbers, owned by whoever asked for them. Where a
 * method takes a stream it returns before the work is done; 0 is the default stream. All but the
 * questions about devices need a context that is current on the calling thread. Each method throws
 * {@link CudaException} in the driver's own words; errors of earlier, asynchronous work may come
 * with any later call.
 */
public interface CudaDriver {
  /** The newest CUDA version that it knows: 12080 for 12.8. */
  int version();

  int deviceCount();

  String name(int device);

  long memoryBytes(int device);

  int attribute(int device, DeviceAttribute attribute);

  /** The device's primary context, which lives until it is released as often as retained. */
  long retainContext(int device);

  void releaseContext(int device);

  /** Makes a context current on the calling thread. */
  void makeCurrent(long context);

  /** Bytes of the current context's device that nobody uses. */
  long freeBytes();

  /** Allocates memory of the device, aligned to 256 bytes at least. */
  long allocate(long bytes);

  void free(long pointer);

  /** Host memory that the device reads and writes by itself. */
  MemorySegment allocatePinned(long bytes);

  void freePinned(MemorySegment pinned);

  void copyToDevice(long target, MemorySegment source, long stream);

  void copyToHost(MemorySegment target, long source, long stream);

  void copy(long target, long source, long bytes, long stream);

  void fill(long target, byte value, long bytes, long stream);

  long createStream();

  void destroyStream(long stream);

  /** Waits for all work of a stream. */
  void synchronize(long stream);

  /** An event that takes no time stamps. */
  long createEvent();

  void destroyEvent(long event);

  /** The event stands for all that the stream has been given so far. */
  void record(long event, long stream);

  /** Waits for what an event stands for. */
  void await(long event);

  /**
   * Loads PTX or a cubin.
   *
   * @param image PTX as text that ends with a zero, or a cubin
   */
  long loadModule(MemorySegment image);

  void unloadModule(long module);

  /** A kernel of a module; it lives as long. */
  long function(long module, String name);

  /**
   * Lets a kernel use more shared memory than 48 KiB.
   *
   * @param bytes that a launch may ask for, at most {@link
   *     DeviceAttribute#MAX_SHARED_MEMORY_PER_BLOCK_OPTIN}
   */
  void allowSharedBytes(long function, int bytes);

  /**
   * Launches a kernel.
   *
   * @param sharedBytes of dynamic shared memory
   */
  void launch(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      KernelArguments arguments);
}
