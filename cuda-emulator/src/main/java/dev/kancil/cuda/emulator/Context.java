package dev.kancil.cuda.emulator;

import dev.kancil.bindings.cuda.CudaException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A device's primary context: what was made in it, and the error that ended it. Kernels and copies
 * of all streams run one at a time.
 */
final class Context {
  /** Handles of all kinds and contexts differ, so that one in a wrong place is noticed. */
  private static final AtomicLong NEXT_HANDLE = new AtomicLong(0x5000);

  /** A kernel, and how much shared memory launches may ask for. */
  static final class Function {
    final Kernel kernel;
    final long module;
    volatile int allowedSharedBytes;

    Function(Kernel kernel, long module) {
      this.kernel = kernel;
      this.module = module;
    }
  }

  private record Pinned(MemorySegment memory, Arena arena) {}

  final EmulatedDevice device;
  final GlobalMemory memory;
  final long handle = newHandle();
  private final Map<Long, Stream> streams = new ConcurrentHashMap<>();
  final Graphs graphs = new Graphs();
  private final Map<Long, Event> events = new ConcurrentHashMap<>();
  private final Map<Long, EmulatedModule> modules = new ConcurrentHashMap<>();
  private final Map<Long, Function> functions = new ConcurrentHashMap<>();
  private final NavigableMap<Long, Pinned> pinned = new ConcurrentSkipListMap<>();
  private final ReentrantLock running = new ReentrantLock();
  private volatile @Nullable CudaException failure;

  Context(EmulatedDevice device) {
    this.device = device;
    memory = new GlobalMemory(device.memoryBytes());
    streams.put(0L, new Stream("emulated stream 0"));
  }

  static long newHandle() {
    return NEXT_HANDLE.getAndAdd(16);
  }

  /** After a kernel's error nothing works any more. */
  void check() {
    CudaException failed = failure;
    if (failed != null) {
      CudaException again = new CudaException(failed.code(), String.valueOf(failed.getMessage()));
      again.initCause(failed);
      throw again;
    }
  }

  /** Adds work to a stream, or to what it records; after an error it is skipped. */
  void enqueue(long stream, Runnable work) {
    Stream found = stream(stream);
    Graphs.Capture capture = found.capture();
    if (capture != null) {
      capture.add(work);
      return;
    }
    var _ =
        found.add(
            () -> {
              if (failure == null) {
                execute(work);
              }
            });
  }

  private void execute(Runnable work) {
    running.lock();
    try {
      work.run();
    } catch (KernelFault e) {
      failure = e.error().exception(String.valueOf(e.getMessage()));
    } catch (CudaException e) {
      failure = e;
    } catch (RuntimeException | Error e) {
      CudaException failed = CudaError.LAUNCH_FAILED.exception("the emulator is at fault: " + e);
      failed.initCause(e);
      failure = failed;
    } finally {
      running.unlock();
    }
  }

  /** Waits for a stream's work, then runs on the calling thread, which gets what is thrown. */
  void runAfter(long stream, Runnable work) {
    idle(stream, "a copy of memory that is not pinned").finish();
    check();
    running.lock();
    try {
      work.run();
    } finally {
      running.unlock();
    }
  }

  /** A stream that does not record. */
  Stream idle(long stream, String otherwise) {
    Stream found = stream(stream);
    Graphs.Capture capture = found.capture();
    if (capture != null) {
      throw capture.refuse(otherwise);
    }
    return found;
  }

  Stream stream(long stream) {
    return found(streams.get(stream), "stream", stream);
  }

  long createStream() {
    long created = newHandle();
    streams.put(created, new Stream("emulated stream " + Long.toHexString(created)));
    return created;
  }

  void destroyStream(long stream) {
    if (stream == 0) {
      throw CudaError.INVALID_HANDLE.exception("the default stream can't be destroyed");
    }
    idle(stream, "it can't be destroyed").close();
    streams.remove(stream);
  }

  void finishAll() {
    streams.values().forEach(Stream::finish);
  }

  long createEvent(boolean timed) {
    long created = newHandle();
    events.put(created, new Event(timed));
    return created;
  }

  void destroyEvent(long event) {
    found(events.remove(event), "event", event);
  }

  void record(long event, long stream) {
    event(event).record(stream(stream));
  }

  Event event(long event) {
    return found(events.get(event), "event", event);
  }

  long loadModule(MemorySegment image) {
    EmulatedModule module = EmulatedModule.load(image, device, memory);
    long created = newHandle();
    modules.put(created, module);
    return created;
  }

  void unloadModule(long module) {
    EmulatedModule unloaded = found(modules.remove(module), "module", module);
    finishAll();
    unloaded.variables().forEach(memory::free);
    functions.values().removeIf(function -> function.module == module);
  }

  long function(long module, String name) {
    Kernel kernel = found(modules.get(module), "module", module).kernels().get(name);
    if (kernel == null) {
      throw CudaError.NOT_FOUND.exception("the module has no kernel " + name);
    }
    long created = newHandle();
    functions.put(created, new Function(kernel, module));
    return created;
  }

  Function function(long function) {
    return found(functions.get(function), "function", function);
  }

  MemorySegment allocatePinned(long bytes) {
    Arena arena = Arena.ofShared();
    MemorySegment segment = arena.allocate(bytes, GlobalMemory.ALIGNMENT);
    Memory.poison(segment);
    pinned.put(segment.address(), new Pinned(segment, arena));
    memory.map(segment);
    return segment;
  }

  void freePinned(MemorySegment segment) {
    Pinned freed = pinned.remove(segment.address());
    if (freed == null) {
      throw CudaError.INVALID_VALUE.exception("this is no pinned memory");
    }
    finishAll();
    memory.unmap(freed.memory);
    freed.arena.close();
  }

  /** Whether the device may touch host memory by itself, after a call has returned. */
  boolean isPinned(MemorySegment segment) {
    if (!segment.isNative()) {
      return false;
    }
    Map.Entry<Long, Pinned> entry = pinned.floorEntry(segment.address());
    return entry != null
        && segment.address() + segment.byteSize()
            <= entry.getKey() + entry.getValue().memory.byteSize();
  }

  /** Pinned memory that is still there. */
  MemorySegment pinned(MemorySegment segment) {
    if (!isPinned(segment)) {
      throw CudaError.ILLEGAL_ADDRESS.exception("a copy of pinned memory that was freed");
    }
    return segment;
  }

  /** The device's memory at an address, as a segment. */
  MemorySegment range(long address, long bytes) {
    GlobalMemory.Allocation allocation = memory.find(address, bytes);
    if (allocation == null) {
      throw CudaError.INVALID_VALUE.exception(
          bytes
              + " bytes at 0x"
              + Long.toHexString(address)
              + " are not all of one allocation: "
              + memory.nearest(address));
    }
    return allocation.memory.asSlice(address - allocation.address, bytes);
  }

  void close() {
    finishAll();
    streams.values().forEach(Stream::close);
    streams.clear();
    memory.freeAll();
    pinned.values().forEach(freed -> freed.arena.close());
    pinned.clear();
  }

  static <T> T found(@Nullable T object, String kind, long handle) {
    if (object == null) {
      throw CudaError.INVALID_HANDLE.exception(
          "there is no " + kind + " 0x" + Long.toHexString(handle));
    }
    return object;
  }
}
