package dev.kancil.backend.host;

import dev.kancil.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Zeroed memory that the operating system commits page by page as it is touched. {@link
 * Arena#allocate} writes zeros at once, which for a cache of full context length costs time and
 * resident memory that most runs never use.
 */
public final class NativeMemory {
  private static final int ALIGNMENT = 64;
  private static final long HUGE_PAGE = 2 << 20;
  // Linux's MADV_HUGEPAGE.
  private static final int USE_HUGE_PAGES = 14;
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle CALLOC =
      handle(
          "calloc",
          FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      handle("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
  private static final @Nullable MethodHandle ADVISE = advise();

  private NativeMemory() {}

  /**
   * Allocates {@code bytes} zeroed bytes, aligned to a cache line, that are freed with the arena.
   *
   * @param purpose what it is for, as the error names it
   * @throws DeviceException if there is not so much memory
   */
  public static MemorySegment allocate(long bytes, Arena arena, String purpose) {
    return allocate(bytes, ALIGNMENT, arena, purpose);
  }

  /**
   * As {@link #allocate}, in large pages where the system has such, which matters to who reads
   * through all of it again and again.
   */
  static MemorySegment allocateHuge(long bytes, Arena arena, String purpose) {
    if (bytes < HUGE_PAGE || ADVISE == null) {
      return allocate(bytes, arena, purpose);
    }
    MemorySegment memory = allocate(bytes, HUGE_PAGE, arena, purpose);
    try {
      // No more than advice: a system without large pages says no.
      int _ = (int) ADVISE.invokeExact(memory, bytes, USE_HUGE_PAGES);
    } catch (Throwable e) {
      throw new LinkageError("madvise", e);
    }
    return memory;
  }

  @SuppressWarnings("restricted")
  private static MemorySegment allocate(long bytes, long alignment, Arena arena, String purpose) {
    long padded = Math.addExact(Math.max(bytes, 1), alignment);
    MemorySegment address;
    try {
      address = (MemorySegment) CALLOC.invokeExact(1L, padded);
    } catch (Throwable e) {
      throw new LinkageError("calloc", e);
    }
    if (address.equals(MemorySegment.NULL)) {
      throw new DeviceException(
          "no memory for " + purpose + " (" + (bytes >> 20) + " MiB); lower the context size");
    }
    MemorySegment owned = address.reinterpret(padded, arena, NativeMemory::free);
    long misaligned = -owned.address() & (alignment - 1);
    return owned.asSlice(misaligned, Math.max(bytes, 1));
  }

  private static void free(MemorySegment memory) {
    try {
      FREE.invokeExact(memory);
    } catch (Throwable e) {
      throw new LinkageError("free", e);
    }
  }

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle advise() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return null;
    }
    return LINKER
        .defaultLookup()
        .find("madvise")
        .map(
            symbol ->
                LINKER.downcallHandle(
                    symbol,
                    FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT)))
        .orElse(null);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(String name, FunctionDescriptor type) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type);
  }
}
