package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * NVIDIA's run-time compiler: CUDA C++ becomes PTX or a cubin, without a driver. Compilations run
 * one after the other.
 */
public final class Nvrtc {
  private final NativeLibrary library;
  private final MethodHandle createProgram;
  private final MethodHandle compileProgram;
  private final MethodHandle destroyProgram;
  private final MethodHandle getLogSize;
  private final MethodHandle getLog;
  private final MethodHandle getErrorString;
  private final int version;

  private Nvrtc(NativeLibrary library) {
    this.library = library;
    createProgram =
        library.function(
            "nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    compileProgram = library.function("nvrtcCompileProgram", ADDRESS, JAVA_INT, ADDRESS);
    destroyProgram = library.function("nvrtcDestroyProgram", ADDRESS);
    getLogSize = library.function("nvrtcGetProgramLogSize", ADDRESS, ADDRESS);
    getLog = library.function("nvrtcGetProgramLog", ADDRESS, ADDRESS);
    getErrorString = library.pointerFunction("nvrtcGetErrorString", JAVA_INT);
    MethodHandle getVersion = library.function("nvrtcVersion", ADDRESS, ADDRESS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(JAVA_INT, 2);
      check((int) getVersion.invokeExact(numbers, numbers.asSlice(4)), "tell its version");
      version = 1000 * numbers.get(JAVA_INT, 0) + 10 * numbers.get(JAVA_INT, 4);
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }

  /**
   * Finds the newest compiler whose programs a driver takes: the file that {@code KANCIL_NVRTC}
   * names, or in {@code CUDA_HOME}, among the system's libraries, or in Python's packages.
   *
   * @param newestMajor the newest major version of CUDA that the driver knows
   * @return empty if there is none
   */
  public static Optional<Nvrtc> find(int newestMajor) {
    return NativeLibrary.find(NvrtcPlaces.candidates(newestMajor, System::getenv)).map(Nvrtc::new);
  }

  /** The file or the name of the library. */
  public String name() {
    return library.name();
  }

  /** 12080 for 12.8. */
  public int version() {
    return version;
  }

  /**
   * Compiles a source that includes nothing of ours.
   *
   * @param name that messages have for the source
   * @param architecture {@code compute_80} for PTX, {@code sm_80} for a cubin
   * @param options further ones
   * @return the PTX with its final zero, or the cubin
   * @throws CudaException with the compiler's log
   */
  public synchronized byte[] compile(
      String source, String name, String architecture, List<String> options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(ADDRESS);
      MemorySegment none = MemorySegment.NULL;
      check(
          (int)
              createProgram.invokeExact(
                  handle, arena.allocateFrom(source), arena.allocateFrom(name), 0, none, none),
          "read " + name);
      MemorySegment program = handle.get(ADDRESS, 0);
      try {
        MemorySegment arguments = arena.allocate(ADDRESS, options.size() + 1);
        arguments.set(ADDRESS, 0, arena.allocateFrom("--gpu-architecture=" + architecture));
        for (int i = 0; i < options.size(); i++) {
          arguments.setAtIndex(ADDRESS, i + 1, arena.allocateFrom(options.get(i)));
        }
        int status = (int) compileProgram.invokeExact(program, options.size() + 1, arguments);
        if (status != 0) {
          String log = log(program, arena);
          throw new CudaException(
              status, "NVRTC can't compile " + name + ": " + (log.isEmpty() ? error(status) : log));
        }
        return result(program, architecture.startsWith("compute") ? "PTX" : "CUBIN", arena);
      } finally {
        int ignored = (int) destroyProgram.invokeExact(handle);
      }
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }

  private byte[] result(MemorySegment program, String kind, Arena arena) throws Throwable {
    MethodHandle getSize = library.function("nvrtcGet" + kind + "Size", ADDRESS, ADDRESS);
    MethodHandle get = library.function("nvrtcGet" + kind, ADDRESS, ADDRESS);
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check((int) getSize.invokeExact(program, size), "tell the size of its " + kind);
    MemorySegment bytes = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0));
    check((int) get.invokeExact(program, bytes), "give its " + kind);
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  private String log(MemorySegment program, Arena arena) throws Throwable {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    int status = (int) getLogSize.invokeExact(program, size);
    if (status != 0 || size.get(ValueLayout.JAVA_LONG, 0) < 1) {
      return "";
    }
    MemorySegment text = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0));
    status = (int) getLog.invokeExact(program, text);
    return status == 0 ? text.getString(0).strip() : "";
  }

  private void check(int status, String what) throws Throwable {
    if (status != 0) {
      throw new CudaException(status, library.name() + " can't " + what + ": " + error(status));
    }
  }

  @SuppressWarnings("restricted")
  private String error(int status) throws Throwable {
    MemorySegment text = (MemorySegment) getErrorString.invokeExact(status);
    return text.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
