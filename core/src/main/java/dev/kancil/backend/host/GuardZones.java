package dev.kancil.backend.host;

import dev.kancil.backend.DeviceOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory between zones of a known pattern, which nothing may touch. The zones begin right behind
 * the last byte, so that writing a single element too much is noticed even by a native kernel,
 * which no bounds check stops.
 *
 * @see DeviceOptions#guarded
 */
final class GuardZones {
  private static final int BYTES = 256;
  private static final long PATTERN = 0xa5a5_a5a5_a5a5_a5a5L;

  /** Fills memory so that any float, half or bfloat16 read from it is NaN. */
  static final byte POISON = (byte) 0xff;

  private record Guarded(String name, MemorySegment whole) {}

  private final List<Guarded> all = new ArrayList<>();

  /** Poisoned memory between two zones. */
  MemorySegment allocate(long bytes, Arena arena, String name) {
    MemorySegment whole =
        NativeMemory.allocate(Math.addExact(bytes, 2 * BYTES), arena, "guarded memory");
    whole.fill((byte) PATTERN);
    all.add(new Guarded(name, whole));
    MemorySegment inner = whole.asSlice(BYTES, bytes);
    inner.fill(POISON);
    return inner;
  }

  /**
   * Looks at all zones.
   *
   * @param suspect what ran since they were last whole
   * @throws IllegalStateException naming it and the memory, if one was touched
   */
  void check(String suspect) {
    for (Guarded guarded : all) {
      MemorySegment whole = guarded.whole();
      check(suspect, guarded.name(), "before", whole.asSlice(0, BYTES));
      check(suspect, guarded.name(), "behind", whole.asSlice(whole.byteSize() - BYTES));
    }
  }

  private static void check(String suspect, String name, String side, MemorySegment zone) {
    for (long at = 0; at < BYTES; at += Long.BYTES) {
      if (zone.get(ValueLayout.JAVA_LONG_UNALIGNED, at) != PATTERN) {
        // Healed, so that the next operation is not blamed.
        zone.fill((byte) PATTERN);
        throw new IllegalStateException(suspect + " wrote " + side + " the memory of " + name);
      }
    }
  }
}
