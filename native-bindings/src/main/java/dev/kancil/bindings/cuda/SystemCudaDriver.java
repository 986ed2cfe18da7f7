package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The driver of the system, {@code libcuda.so.1}, which comes with NVIDIA's kernel module. */
public final class SystemCudaDriver implements CudaDriver {
  private static final List<String> NAMES = List.of("libcuda.so.1", "nvcuda.dll");
  private static final int NON_BLOCKING = 1;
  private static final int DISABLE_TIMING = 2;
  private static final int CAPTURE_MODE_RELAXED = 2;
  private static final int MAX_DYNAMIC_SHARED_BYTES = 8;
  private static final int LOG_BYTES = 1 << 14;
  private static final int TEXT_BYTES = 256;
  // CU_JIT_ERROR_LOG_BUFFER and CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES.
  private static final int ERROR_LOG = 5;
  private static final int ERROR_LOG_BYTES = 6;

  private static volatile @Nullable NativeLibrary library;

  private SystemCudaDriver() {}

  /**
   * Loads and initialises the driver.
   *
   * @return empty if there is none
   * @throws CudaException if it is there and has no device that it can use, or is broken
   */
  public static Optional<CudaDriver> find() {
    return NativeLibrary.find(NAMES).map(SystemCudaDriver::open);
  }

  /** The first that is opened stays. */
  static CudaDriver open(NativeLibrary found) {
    synchronized (SystemCudaDriver.class) {
      if (library == null) {
        library = found;
      }
    }
    CudaDriver driver = new SystemCudaDriver();
    check("initialise", () -> (int) DriverCalls.INIT.invokeExact(0));
    return driver;
  }

  static NativeLibrary library() {
    NativeLibrary found = library;
    if (found == null) {
      throw new IllegalStateException("the driver is not open");
    }
    return found;
  }

  /** A function of the driver. */
  @FunctionalInterface
  private interface Call {
    int run() throws Throwable;
  }

  /** A function of the driver that writes its result. */
  @FunctionalInterface
  private interface Question {
    int run(MemorySegment result) throws Throwable;
  }

  /** A function of the driver that writes a text. */
  @FunctionalInterface
  private interface TextQuestion {
    int run(MemorySegment text, int bytes) throws Throwable;
  }

  private static void check(String what, Call call) {
    int status;
    try {
      status = call.run();
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
    if (status != 0) {
      throw failure(status, what, "");
    }
  }

  private static CudaException failure(int status, String what, String detail) {
    String name = text(result -> (int) DriverCalls.GET_ERROR_NAME.invokeExact(status, result));
    String reason = text(result -> (int) DriverCalls.GET_ERROR_STRING.invokeExact(status, result));
    String more = detail.isEmpty() ? "" : ": " + detail;
    return new CudaException(
        status, "CUDA can't %s: %s (%s %d)%s".formatted(what, reason, name, status, more));
  }

  @SuppressWarnings("restricted")
  private static String text(Question question) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(ADDRESS);
      int status = question.run(result);
      return status == 0
          ? result.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0)
          : "an error that it has no name for";
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }

  private static int askInt(String what, Question question) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_INT);
      check(what, () -> question.run(result));
      return result.get(JAVA_INT, 0);
    }
  }

  private static long askLong(String what, Question question) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_LONG);
      check(what, () -> question.run(result));
      return result.get(JAVA_LONG, 0);
    }
  }

  private static String askText(String what, TextQuestion question) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(TEXT_BYTES);
      check(what, () -> question.run(text, TEXT_BYTES));
      return text.getString(0);
    }
  }

  private static int handle(int device) {
    return askInt(
        "find device " + device, r -> (int) DriverCalls.DEVICE_GET.invokeExact(r, device));
  }

  @Override
  public int version() {
    return askInt("tell its version", r -> (int) DriverCalls.DRIVER_GET_VERSION.invokeExact(r));
  }

  @Override
  public int deviceCount() {
    return askInt("count devices", r -> (int) DriverCalls.DEVICE_GET_COUNT.invokeExact(r));
  }

  @Override
  public String name(int device) {
    int handle = handle(device);
    return askText(
        "name a device",
        (text, bytes) -> (int) DriverCalls.DEVICE_GET_NAME.invokeExact(text, bytes, handle));
  }

  @Override
  public Optional<String> pciBusId(int device) {
    int handle = handle(device);
    return Optional.of(
        askText(
            "tell where a device is",
            (text, bytes) ->
                (int) DriverCalls.DEVICE_GET_PCI_BUS_ID.invokeExact(text, bytes, handle)));
  }

  @Override
  public long memoryBytes(int device) {
    int handle = handle(device);
    return askLong(
        "tell a device's memory", r -> (int) DriverCalls.DEVICE_TOTAL_MEM.invokeExact(r, handle));
  }

  @Override
  public int attribute(int device, DeviceAttribute attribute) {
    int handle = handle(device);
    int number = attribute.number();
    return askInt(
        "tell " + attribute,
        r -> (int) DriverCalls.DEVICE_GET_ATTRIBUTE.invokeExact(r, number, handle));
  }

  @Override
  public long retainContext(int device) {
    int handle = handle(device);
    return askLong(
        "open device " + device, r -> (int) DriverCalls.PRIMARY_CTX_RETAIN.invokeExact(r, handle));
  }

  @Override
  public void releaseContext(int device) {
    int handle = handle(device);
    check("close a device", () -> (int) DriverCalls.PRIMARY_CTX_RELEASE.invokeExact(handle));
  }

  @Override
  public void makeCurrent(long context) {
    check("take a context", () -> (int) DriverCalls.CTX_SET_CURRENT.invokeExact(context));
  }

  @Override
  public long freeBytes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment free = arena.allocate(JAVA_LONG);
      MemorySegment total = arena.allocate(JAVA_LONG);
      check("tell free memory", () -> (int) DriverCalls.MEM_GET_INFO.invokeExact(free, total));
      return free.get(JAVA_LONG, 0);
    }
  }

  @Override
  public long allocate(long bytes) {
    return askLong(
        "allocate " + bytes + " bytes", r -> (int) DriverCalls.MEM_ALLOC.invokeExact(r, bytes));
  }

  @Override
  public void free(long pointer) {
    check("free memory", () -> (int) DriverCalls.MEM_FREE.invokeExact(pointer));
  }

  @Override
  @SuppressWarnings("restricted")
  public MemorySegment allocatePinned(long bytes) {
    long address =
        askLong(
            "pin " + bytes + " bytes of host memory",
            r -> (int) DriverCalls.MEM_HOST_ALLOC.invokeExact(r, bytes, 0));
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public void freePinned(MemorySegment pinned) {
    check("free pinned memory", () -> (int) DriverCalls.MEM_FREE_HOST.invokeExact(pinned));
  }

  @Override
  public void copyToDevice(long target, MemorySegment source, long stream) {
    long bytes = source.byteSize();
    check(
        "copy to the device",
        () -> (int) DriverCalls.MEMCPY_TO_DEVICE.invokeExact(target, source, bytes, stream));
  }

  @Override
  public void copyToHost(MemorySegment target, long source, long stream) {
    long bytes = target.byteSize();
    check(
        "copy to the host",
        () -> (int) DriverCalls.MEMCPY_TO_HOST.invokeExact(target, source, bytes, stream));
  }

  @Override
  public void copy(long target, long source, long bytes, long stream) {
    check(
        "copy on the device",
        () -> (int) DriverCalls.MEMCPY.invokeExact(target, source, bytes, stream));
  }

  @Override
  public void fill(long target, byte value, long bytes, long stream) {
    check("fill memory", () -> (int) DriverCalls.MEMSET.invokeExact(target, value, bytes, stream));
  }

  @Override
  public long createStream() {
    return askLong(
        "make a stream", r -> (int) DriverCalls.STREAM_CREATE.invokeExact(r, NON_BLOCKING));
  }

  @Override
  public void destroyStream(long stream) {
    check("end a stream", () -> (int) DriverCalls.STREAM_DESTROY.invokeExact(stream));
  }

  @Override
  public void synchronize(long stream) {
    check("finish its work", () -> (int) DriverCalls.STREAM_SYNCHRONIZE.invokeExact(stream));
  }

  @Override
  public long createEvent() {
    return askLong(
        "make an event", r -> (int) DriverCalls.EVENT_CREATE.invokeExact(r, DISABLE_TIMING));
  }

  @Override
  public long createTimedEvent() {
    return askLong("make an event", r -> (int) DriverCalls.EVENT_CREATE.invokeExact(r, 0));
  }

  @Override
  public void destroyEvent(long event) {
    check("end an event", () -> (int) DriverCalls.EVENT_DESTROY.invokeExact(event));
  }

  @Override
  public void record(long event, long stream) {
    check("record an event", () -> (int) DriverCalls.EVENT_RECORD.invokeExact(event, stream));
  }

  @Override
  public void await(long event) {
    check("finish its work", () -> (int) DriverCalls.EVENT_SYNCHRONIZE.invokeExact(event));
  }

  @Override
  public float milliseconds(long from, long to) {
    int bits =
        askInt(
            "tell the time between events",
            r -> (int) DriverCalls.EVENT_ELAPSED_TIME.invokeExact(r, from, to));
    return Float.intBitsToFloat(bits);
  }

  @Override
  public void beginCapture(long stream) {
    check(
        "begin to record a stream",
        () -> (int) GraphCalls.STREAM_BEGIN_CAPTURE.invokeExact(stream, CAPTURE_MODE_RELAXED));
  }

  @Override
  public long endCapture(long stream) {
    return askLong(
        "make a graph of a stream",
        r -> (int) GraphCalls.STREAM_END_CAPTURE.invokeExact(stream, r));
  }

  @Override
  public long instantiate(long graph) {
    return askLong(
        "make a graph ready", r -> (int) GraphCalls.GRAPH_INSTANTIATE.invokeExact(r, graph, 0L));
  }

  @Override
  public void launchGraph(long executable, long stream) {
    int status;
    try {
      status = (int) GraphCalls.GRAPH_LAUNCH.invokeExact(executable, stream);
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
    if (status != 0) {
      throw failure(status, "launch a graph", "");
    }
  }

  @Override
  public void destroyGraph(long graph) {
    check("end a graph", () -> (int) GraphCalls.GRAPH_DESTROY.invokeExact(graph));
  }

  @Override
  public void destroyExecutable(long executable) {
    check(
        "end a graph that was ready",
        () -> (int) GraphCalls.GRAPH_EXEC_DESTROY.invokeExact(executable));
  }

  @Override
  public long loadModule(MemorySegment image) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment module = arena.allocate(JAVA_LONG);
      MemorySegment log = arena.allocate(LOG_BYTES);
      MemorySegment options = arena.allocateFrom(JAVA_INT, ERROR_LOG, ERROR_LOG_BYTES);
      // Values are passed as the pointers themselves, sizes too.
      MemorySegment values = arena.allocateFrom(JAVA_LONG, log.address(), LOG_BYTES);
      MemorySegment code = image.isNative() ? image : arena.allocate(image.byteSize(), 16);
      if (!image.isNative()) {
        code.copyFrom(image);
      }
      int status;
      try {
        status = (int) DriverCalls.MODULE_LOAD_DATA.invokeExact(module, code, 2, options, values);
      } catch (Throwable e) {
        throw NativeLibrary.unchecked(e);
      }
      if (status != 0) {
        byte[] text = log.toArray(JAVA_BYTE);
        int end = 0;
        while (end < text.length && text[end] != 0) {
          end++;
        }
        String told = new String(text, 0, end, StandardCharsets.UTF_8).strip();
        throw failure(status, "load a module", told);
      }
      return module.get(JAVA_LONG, 0);
    }
  }

  @Override
  public void unloadModule(long module) {
    check("unload a module", () -> (int) DriverCalls.MODULE_UNLOAD.invokeExact(module));
  }

  @Override
  public long function(long module, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      return askLong(
          "find the kernel " + name,
          r -> (int) DriverCalls.MODULE_GET_FUNCTION.invokeExact(r, module, text));
    }
  }

  @Override
  public void allowSharedBytes(long function, int bytes) {
    check(
        "give a kernel " + bytes + " bytes of shared memory",
        () ->
            (int)
                DriverCalls.FUNC_SET_ATTRIBUTE.invokeExact(
                    function, MAX_DYNAMIC_SHARED_BYTES, bytes));
  }

  @Override
  public int attribute(long function, FunctionAttribute attribute) {
    return askInt(
        "tell " + attribute + " of a kernel",
        r -> (int) DriverCalls.FUNC_GET_ATTRIBUTE.invokeExact(r, attribute.number(), function));
  }

  @Override
  public int occupancy(long function, int blockThreads, int sharedBytes) {
    return askInt(
        "tell how many blocks of a kernel run at once",
        r ->
            (int) DriverCalls.OCCUPANCY.invokeExact(r, function, blockThreads, (long) sharedBytes));
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
    int status;
    try {
      if (startsEarly) {
        MemorySegment config = arguments.config();
        LaunchConfig.set(config, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream);
        status =
            (int)
                GraphCalls.LAUNCH_KERNEL_EX.invokeExact(
                    config, function, MemorySegment.NULL, arguments.extra());
      } else {
        status =
            (int)
                DriverCalls.LAUNCH_KERNEL.invokeExact(
                    function,
                    gridX,
                    gridY,
                    gridZ,
                    blockX,
                    blockY,
                    blockZ,
                    sharedBytes,
                    stream,
                    MemorySegment.NULL,
                    arguments.extra());
      }
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
    if (status != 0) {
      throw failure(status, "launch a kernel", "");
    }
  }
}
