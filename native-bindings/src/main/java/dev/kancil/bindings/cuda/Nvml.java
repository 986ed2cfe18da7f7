package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's management library, {@code libnvidia-ml.so.1}, which comes with the driver: what devices
 * do at the moment, as {@code nvidia-smi} shows it. It numbers devices in an order of its own, and
 * knows nothing of {@code CUDA_VISIBLE_DEVICES}; so they are asked for by where they are plugged
 * in. Threads may ask at the same time.
 */
public final class Nvml implements AutoCloseable {
  private static final List<String> NAMES = List.of("libnvidia-ml.so.1", "nvml.dll");

  /** NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE. */
  private static final int VERSION_BYTES = 80;

  private final NativeLibrary library;
  private final MethodHandle shutdown;
  private final MethodHandle errorString;
  private final MethodHandle handleByPciBusId;
  private final @Nullable MethodHandle driverVersion;

  private Nvml(NativeLibrary library) {
    this.library = library;
    MethodHandle init;
    try {
      init = library.function("nvmlInit_v2");
      shutdown = library.function("nvmlShutdown");
      errorString = library.pointerFunction("nvmlErrorString", JAVA_INT);
      handleByPciBusId = library.function("nvmlDeviceGetHandleByPciBusId_v2", ADDRESS, ADDRESS);
    } catch (UnsatisfiedLinkError e) {
      throw new NvmlException(String.valueOf(e.getMessage()));
    }
    driverVersion = find("nvmlSystemGetDriverVersion", ADDRESS, JAVA_INT);
    int status;
    try {
      status = (int) init.invokeExact();
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
    if (status != 0) {
      throw failure(status, "initialise");
    }
  }

  /**
   * Loads and initialises the system's library. The caller closes it.
   *
   * @throws NvmlException if there is none, or it does not go with the driver; the message says so
   */
  public static Nvml open() {
    return NativeLibrary.find(NAMES)
        .map(Nvml::new)
        .orElseThrow(() -> new NvmlException("there is no " + NAMES.getFirst()));
  }

  /** The same of a file. */
  public static Nvml open(Path file) {
    return NativeLibrary.find(List.of(file.toString()))
        .map(Nvml::new)
        .orElseThrow(() -> new NvmlException("there is no " + file));
  }

  /** The driver's version, such as 580.65.06; empty if it can't be told. */
  public Optional<String> driverVersion() {
    MethodHandle function = driverVersion;
    if (function == null) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(VERSION_BYTES);
      int status = (int) function.invokeExact(text, VERSION_BYTES);
      return status == 0 ? Optional.of(text.getString(0)) : Optional.empty();
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }

  /**
   * A device, which may be asked until this is closed.
   *
   * @param pciBusId as {@link CudaDriver#pciBusId} tells it
   * @throws NvmlException if there is no such device, or nobody may see it
   */
  public NvmlDevice device(String pciBusId) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(ADDRESS);
      MemorySegment name = arena.allocateFrom(pciBusId);
      int status = (int) handleByPciBusId.invokeExact(name, result);
      if (status != 0) {
        throw failure(status, "find device " + pciBusId);
      }
      return new NvmlDevice(this, result.get(ADDRESS, 0));
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }

  /** A function that older or newer libraries may not have; null if this one has not. */
  @Nullable MethodHandle find(String function, MemoryLayout... parameters) {
    return library.symbols().find(function).isPresent()
        ? library.function(function, parameters)
        : null;
  }

  @SuppressWarnings("restricted")
  private NvmlException failure(int status, String what) {
    String reason;
    try {
      MemorySegment text = (MemorySegment) errorString.invokeExact(status);
      reason =
          text.equals(MemorySegment.NULL)
              ? "an error that it has no name for"
              : text.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
    return new NvmlException("NVML can't %s: %s (%d)".formatted(what, reason, status));
  }

  @Override
  public void close() {
    try {
      // There is nothing that could be done about an error.
      int _ = (int) shutdown.invokeExact();
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }
}
