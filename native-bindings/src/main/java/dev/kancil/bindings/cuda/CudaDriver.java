package dev.kancil.bindings.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

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

  /** Where a device is plugged in, as {@code 0000:1b:00.0}; empty for one that is not. */
  default Optional<String> pciBusId(int device) {
    return Optional.empty();
  }

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

  /** An event that takes the time when the device reaches it. */
  long createTimedEvent();

  void destroyEvent(long event);

  /** The event stands for all that the stream has been given so far. */
  void record(long event, long stream);

  /** Waits for what an event stands for. */
  void await(long event);

  /**
   * The time between two timed events that the device has reached, in milliseconds.
   *
   * @throws CudaException if one was not recorded, or was not reached yet
   */
  float milliseconds(long from, long to);

  /**
   * From now on, what a stream is given is not run but recorded, until {@link #endCapture}:
   * launches with their arguments of this moment, copies between memory of the device and pinned
   * memory, fills. To wait for the stream is an error, which spoils the capture.
   *
   * <p>The mode is relaxed: nothing else that this or another thread does meanwhile is refused.
   * Memory may be allocated and modules be loaded by threads that know nothing of the capture; they
   * belong to no stream, so that a replay would not repeat them anyway.
   *
   * @param stream not the default stream
   */
  void beginCapture(long stream);

  /**
   * What was recorded.
   *
   * @return a graph, which the caller owns
   */
  long endCapture(long stream);

  /**
   * Makes a graph ready to be launched.
   *
   * @return an executable, which the caller owns; it does not need the graph any more
   */
  long instantiate(long graph);

  /** Gives a stream all that was recorded, in order. Memory that it touches must still be there. */
  void launchGraph(long executable, long stream);

  void destroyGraph(long graph);

  void destroyExecutable(long executable);

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

  int attribute(long function, FunctionAttribute attribute);

  /**
   * How many blocks of a kernel one multiprocessor runs at once.
   *
   * @param sharedBytes of dynamic shared memory of each
   */
  int occupancy(long function, int blockThreads, int sharedBytes);

  /**
   * Launches a kernel.
   *
   * @param sharedBytes of dynamic shared memory
   */
  default void launch(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      KernelArguments arguments) {
    launch(
        function,
        gridX,
        gridY,
        gridZ,
        blockX,
        blockY,
        blockZ,
        sharedBytes,
        stream,
        arguments,
        false);
  }

  /**
   * Launches a kernel.
   *
   * @param sharedBytes of dynamic shared memory
   * @param arguments which one thread uses at a time
   * @param startsEarly whether its blocks may start when all blocks of the stream's kernel before
   *     have said {@code griddepcontrol.launch_dependents} or have ended. The kernel must say
   *     {@code griddepcontrol.wait} before it reads what that kernel wrote, or writes what it
   *     reads. Only for devices of compute capability 9.0 and later
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
      KernelArguments arguments,
      boolean startsEarly);
}
