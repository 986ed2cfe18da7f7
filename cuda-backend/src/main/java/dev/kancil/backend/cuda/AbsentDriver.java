package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.DeviceAttribute;
import dev.kancil.bindings.cuda.FunctionAttribute;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A driver whose device is not there, on which models are made ready so that it is known which
 * kernels they need. Its memory is addresses, however much is asked for, and copies, fills and
 * launches do nothing.
 */
final class AbsentDriver implements CudaDriver {
  /** As much as an address space: whatever a model asks for is there. */
  private static final long MEMORY = 1L << 46;

  /** What allocations begin at multiples of. */
  private static final long ALIGNMENT = 256;

  private final int capability;
  private final int sharedBytes;
  private final AtomicLong numbers = new AtomicLong(ALIGNMENT);
  // By their addresses.
  private final Map<Long, Arena> pinned = new ConcurrentHashMap<>();

  /**
   * @param capability of the device: 90 for 9.0
   * @param sharedBytes the most shared memory that a block can have
   */
  AbsentDriver(int capability, int sharedBytes) {
    this.capability = capability;
    this.sharedBytes = sharedBytes;
  }

  /** Stands for a stream, an event, a module or a kernel. */
  private long number() {
    return numbers.getAndAdd(ALIGNMENT);
  }

  @Override
  public int version() {
    return KernelTarget.DRIVER_VERSION;
  }

  @Override
  public int deviceCount() {
    return 1;
  }

  @Override
  public String name(int device) {
    return "a device that is not there";
  }

  @Override
  public long memoryBytes(int device) {
    return MEMORY;
  }

  @Override
  public int attribute(int device, DeviceAttribute attribute) {
    return switch (attribute) {
      case COMPUTE_CAPABILITY_MAJOR -> capability / 10;
      case COMPUTE_CAPABILITY_MINOR -> capability % 10;
      case MAX_SHARED_MEMORY_PER_BLOCK_OPTIN -> sharedBytes;
      case MULTIPROCESSOR_COUNT -> 0;
      default -> throw new UnsupportedOperationException(attribute.name());
    };
  }

  @Override
  public long retainContext(int device) {
    return number();
  }

  @Override
  public void releaseContext(int device) {}

  @Override
  public void makeCurrent(long context) {}

  @Override
  public long freeBytes() {
    return MEMORY;
  }

  @Override
  public long allocate(long bytes) {
    long size = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    if (size > MEMORY) {
      throw new CudaException(CudaException.OUT_OF_MEMORY, "there is no device so large");
    }
    return numbers.getAndAdd(size);
  }

  @Override
  public void free(long pointer) {}

  @Override
  public MemorySegment allocatePinned(long bytes) {
    Arena arena = Arena.ofShared();
    MemorySegment segment = arena.allocate(bytes, ALIGNMENT);
    pinned.put(segment.address(), arena);
    return segment;
  }

  @Override
  public void freePinned(MemorySegment segment) {
    Arena arena = pinned.remove(segment.address());
    if (arena != null) {
      arena.close();
    }
  }

  @Override
  public void copyToDevice(long to, MemorySegment source, long stream) {}

  @Override
  public void copyToHost(MemorySegment to, long source, long stream) {}

  @Override
  public void copy(long to, long source, long bytes, long stream) {}

  @Override
  public void fill(long to, byte value, long bytes, long stream) {}

  @Override
  public long createStream() {
    return number();
  }

  @Override
  public void destroyStream(long stream) {}

  @Override
  public void synchronize(long stream) {}

  @Override
  public long createEvent() {
    return number();
  }

  @Override
  public long createTimedEvent() {
    return number();
  }

  @Override
  public void destroyEvent(long event) {}

  @Override
  public void record(long event, long stream) {}

  @Override
  public void await(long event) {}

  @Override
  public float milliseconds(long from, long to) {
    return 1;
  }

  @Override
  public void beginCapture(long stream) {}

  @Override
  public long endCapture(long stream) {
    return number();
  }

  @Override
  public long instantiate(long graph) {
    return number();
  }

  @Override
  public void launchGraph(long executable, long stream) {}

  @Override
  public void destroyGraph(long graph) {}

  @Override
  public void destroyExecutable(long executable) {}

  @Override
  public long loadModule(MemorySegment image) {
    return number();
  }

  @Override
  public void unloadModule(long module) {}

  @Override
  public long function(long module, String name) {
    return number();
  }

  @Override
  public void allowSharedBytes(long function, int bytes) {}

  @Override
  public int attribute(long function, FunctionAttribute attribute) {
    return 0;
  }

  @Override
  public int occupancy(long function, int blockThreads, int dynamicBytes) {
    return 1;
  }

  @Override
  public void launch(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int dynamicBytes,
      long stream,
      KernelArguments arguments,
      boolean startsEarly) {}
}
