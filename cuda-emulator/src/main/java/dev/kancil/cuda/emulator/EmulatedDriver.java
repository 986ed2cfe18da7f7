package dev.kancil.cuda.emulator;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.DeviceAttribute;
import dev.kancil.bindings.cuda.FunctionAttribute;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A CUDA driver whose devices interpret PTX. It behaves like the real one in what it refuses and in
 * when errors come; see the package's description for what it checks besides.
 */
public final class EmulatedDriver implements CudaDriver, AutoCloseable {
  private static final int VERSION = 13050;

  /** A thread's context; one of another driver counts as none. */
  private static final ThreadLocal<@Nullable Context> CURRENT = new ThreadLocal<>();

  private final List<EmulatedDevice> devices;
  private final @Nullable Context[] contexts;
  private final int[] retained;
  private final AtomicLong executed = new AtomicLong();
  private final ThreadPoolExecutor workers;

  /** A driver of one standard device. */
  public EmulatedDriver() {
    this(EmulatedDevice.standard());
  }

  public EmulatedDriver(EmulatedDevice... devices) {
    this.devices = List.of(devices);
    contexts = new Context[devices.length];
    retained = new int[devices.length];
    int threads = this.devices.stream().mapToInt(EmulatedDevice::workers).max().orElse(1);
    workers =
        new ThreadPoolExecutor(
            threads,
            threads,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("emulated blocks ", 0).factory());
    workers.allowCoreThreadTimeOut(true);
  }

  /** Instructions times threads that kernels have run so far. */
  public long executedInstructions() {
    return executed.get();
  }

  @Override
  public int version() {
    return VERSION;
  }

  @Override
  public int deviceCount() {
    return devices.size();
  }

  @Override
  public String name(int device) {
    return device(device).name();
  }

  @Override
  public long memoryBytes(int device) {
    return device(device).memoryBytes();
  }

  @Override
  public int attribute(int device, DeviceAttribute attribute) {
    EmulatedDevice emulated = device(device);
    return switch (attribute) {
      case MAX_THREADS_PER_BLOCK -> LaunchLimits.MAX_THREADS;
      case MAX_SHARED_MEMORY_PER_BLOCK -> LaunchLimits.SHARED_BYTES;
      case WARP_SIZE -> Warp.LANES;
      case MULTIPROCESSOR_COUNT -> emulated.multiprocessors();
      case L2_CACHE_SIZE -> multiprocessor(emulated).cacheBytes();
      case MAX_THREADS_PER_MULTIPROCESSOR -> multiprocessor(emulated).threads();
      case MAX_SHARED_MEMORY_PER_MULTIPROCESSOR -> multiprocessor(emulated).sharedBytes();
      case COMPUTE_CAPABILITY_MAJOR -> emulated.computeCapability() / 10;
      case COMPUTE_CAPABILITY_MINOR -> emulated.computeCapability() % 10;
      case MAX_SHARED_MEMORY_PER_BLOCK_OPTIN -> emulated.optInSharedBytes();
    };
  }

  private EmulatedDevice device(int device) {
    if (device < 0 || device >= devices.size()) {
      throw CudaError.INVALID_DEVICE.exception("there is no device " + device);
    }
    return devices.get(device);
  }

  @Override
  public synchronized long retainContext(int device) {
    EmulatedDevice emulated = device(device);
    Context context = contexts[device];
    if (context == null) {
      context = new Context(emulated);
      contexts[device] = context;
    }
    retained[device]++;
    return context.handle;
  }

  @Override
  public synchronized void releaseContext(int device) {
    device(device);
    Context context = contexts[device];
    if (context == null) {
      throw CudaError.INVALID_CONTEXT.exception("device " + device + " has no context");
    }
    if (--retained[device] == 0) {
      contexts[device] = null;
      context.close();
    }
  }

  @Override
  public synchronized void makeCurrent(long context) {
    if (context == 0) {
      CURRENT.remove();
      return;
    }
    CURRENT.set(living(context));
  }

  private Context living(long handle) {
    for (Context context : contexts) {
      if (context != null && context.handle == handle) {
        return context;
      }
    }
    throw CudaError.INVALID_CONTEXT.exception("there is no context 0x" + Long.toHexString(handle));
  }

  private synchronized Context context() {
    Context context = CURRENT.get();
    if (context == null) {
      throw CudaError.INVALID_CONTEXT.exception("no context is current on this thread");
    }
    living(context.handle);
    context.check();
    return context;
  }

  @Override
  public long freeBytes() {
    return context().memory.freeBytes();
  }

  @Override
  public long allocate(long bytes) {
    Context context = context();
    requirePositive(bytes);
    return context.memory.allocate(bytes).address;
  }

  private static void requirePositive(long bytes) {
    if (bytes <= 0) {
      throw CudaError.INVALID_VALUE.exception(bytes + " bytes");
    }
  }

  @Override
  public void free(long pointer) {
    Context context = context();
    context.finishAll();
    if (!context.memory.free(pointer)) {
      throw CudaError.INVALID_VALUE.exception(
          "no allocation begins at 0x"
              + Long.toHexString(pointer)
              + ": "
              + context.memory.nearest(pointer));
    }
  }

  @Override
  public MemorySegment allocatePinned(long bytes) {
    Context context = context();
    requirePositive(bytes);
    return context.allocatePinned(bytes);
  }

  @Override
  public void freePinned(MemorySegment pinned) {
    context().freePinned(pinned);
  }

  @Override
  public void copyToDevice(long target, MemorySegment source, long stream) {
    Context context = context();
    context.stream(stream);
    if (source.byteSize() == 0) {
      return;
    }
    MemorySegment memory = context.range(target, source.byteSize());
    if (context.isPinned(source)) {
      context.enqueue(
          stream, () -> context.range(target, source.byteSize()).copyFrom(context.pinned(source)));
    } else {
      context.runAfter(stream, () -> memory.copyFrom(source));
    }
  }

  @Override
  public void copyToHost(MemorySegment target, long source, long stream) {
    Context context = context();
    context.stream(stream);
    if (target.byteSize() == 0) {
      return;
    }
    MemorySegment memory = context.range(source, target.byteSize());
    if (context.isPinned(target)) {
      context.enqueue(
          stream, () -> context.pinned(target).copyFrom(context.range(source, target.byteSize())));
    } else {
      context.runAfter(stream, () -> target.copyFrom(memory));
    }
  }

  @Override
  public void copy(long target, long source, long bytes, long stream) {
    Context context = context();
    context.stream(stream);
    if (bytes != 0) {
      requirePositive(bytes);
      context.range(target, bytes);
      context.range(source, bytes);
      context.enqueue(
          stream, () -> context.range(target, bytes).copyFrom(context.range(source, bytes)));
    }
  }

  @Override
  public void fill(long target, byte value, long bytes, long stream) {
    Context context = context();
    context.stream(stream);
    if (bytes != 0) {
      requirePositive(bytes);
      context.range(target, bytes);
      context.enqueue(stream, () -> context.range(target, bytes).fill(value));
    }
  }

  @Override
  public long createStream() {
    return context().createStream();
  }

  @Override
  public void destroyStream(long stream) {
    context().destroyStream(stream);
  }

  @Override
  public void synchronize(long stream) {
    Context context = context();
    context.idle(stream, "its work is not done, nobody can wait for it").finish();
    context.check();
  }

  @Override
  public long createEvent() {
    return context().createEvent(false);
  }

  @Override
  public long createTimedEvent() {
    return context().createEvent(true);
  }

  @Override
  public void destroyEvent(long event) {
    context().destroyEvent(event);
  }

  @Override
  public void record(long event, long stream) {
    context().record(event, stream);
  }

  @Override
  public void await(long event) {
    Context context = context();
    context.event(event).await();
    context.check();
  }

  @Override
  public float milliseconds(long from, long to) {
    Context context = context();
    return Event.milliseconds(context.event(from), context.event(to));
  }

  @Override
  public void beginCapture(long stream) {
    Context context = context();
    if (stream == 0) {
      throw CudaError.STREAM_CAPTURE_UNSUPPORTED.exception("the default stream can't record");
    }
    context.graphs.begin(context.stream(stream));
  }

  @Override
  public long endCapture(long stream) {
    Context context = context();
    return context.graphs.end(context.stream(stream));
  }

  @Override
  public long instantiate(long graph) {
    return context().graphs.instantiate(graph);
  }

  @Override
  public void launchGraph(long executable, long stream) {
    Context context = context();
    context.enqueue(stream, context.graphs.replay(executable));
  }

  @Override
  public void destroyGraph(long graph) {
    context().graphs.destroyGraph(graph);
  }

  @Override
  public void destroyExecutable(long executable) {
    context().graphs.destroyExecutable(executable);
  }

  @Override
  public long loadModule(MemorySegment image) {
    return context().loadModule(image);
  }

  @Override
  public void unloadModule(long module) {
    context().unloadModule(module);
  }

  @Override
  public long function(long module, String name) {
    return context().function(module, name);
  }

  @Override
  public void allowSharedBytes(long function, int bytes) {
    Context context = context();
    Context.Function found = context.function(function);
    LaunchLimits.checkShared(found.kernel, bytes, context.device.optInSharedBytes());
    found.allowedSharedBytes = bytes;
  }

  @Override
  public int attribute(long function, FunctionAttribute attribute) {
    Kernel kernel = context().function(function).kernel;
    return switch (attribute) {
      case MAX_THREADS_PER_BLOCK -> kernel.maxThreads();
      case STATIC_SHARED_BYTES -> kernel.staticSharedBytes();
      case LOCAL_BYTES -> kernel.localBytes();
      case REGISTERS -> 0;
    };
  }

  @Override
  public int occupancy(long function, int blockThreads, int sharedBytes) {
    Context context = context();
    Kernel kernel = context.function(function).kernel;
    if (blockThreads < 1 || sharedBytes < 0) {
      throw CudaError.INVALID_VALUE.exception(
          blockThreads + " threads with " + sharedBytes + " bytes of shared memory");
    }
    return blockThreads > kernel.maxThreads()
        ? 0
        : multiprocessor(context.device)
            .occupancy(blockThreads, (long) kernel.staticSharedBytes() + sharedBytes);
  }

  private static Multiprocessor multiprocessor(EmulatedDevice device) {
    return Multiprocessor.of(device.computeCapability());
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
      int sharedBytes,
      long stream,
      KernelArguments arguments,
      boolean startsEarly) {
    Context context = context();
    if (startsEarly && context.device.computeCapability() < 90) {
      throw CudaError.NOT_SUPPORTED.exception("kernels start early on sm_90 and later");
    }
    Context.Function found = context.function(function);
    context.stream(stream);
    Launch launch =
        new Launch(
            found.kernel,
            gridX,
            gridY,
            gridZ,
            blockX,
            blockY,
            blockZ,
            sharedBytes,
            arguments.packed().toArray(ValueLayout.JAVA_BYTE),
            context.memory,
            context.device.checksRaces(),
            context.device.instructionLimit());
    LaunchLimits.check(launch, found.allowedSharedBytes);
    context.enqueue(
        stream, () -> executed.addAndGet(launch.run(workers, context.device.workers())));
  }

  /** Ends all contexts; work that was added still runs. */
  @Override
  public synchronized void close() {
    for (int i = 0; i < contexts.length; i++) {
      Context context = contexts[i];
      if (context != null) {
        contexts[i] = null;
        retained[i] = 0;
        context.close();
      }
    }
    workers.shutdown();
  }
}
