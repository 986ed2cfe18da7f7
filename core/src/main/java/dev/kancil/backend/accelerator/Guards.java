package dev.kancil.backend.accelerator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Buffers between zones of a known pattern on the device, looked at after each operation.
 *
 * @see dev.kancil.backend.DeviceOptions#guarded
 */
final class Guards implements AutoCloseable {
  private static final byte PATTERN = (byte) 0xa5;

  /** Any float, half or bfloat16 of these bytes is NaN. */
  private static final byte POISON = (byte) 0xff;

  private final DeviceMemory memory;
  private final long zone;
  private final List<Guarded> all = new ArrayList<>();

  private record Guarded(String name, DeviceBuffer whole, DeviceBuffer inner) {}

  Guards(DeviceMemory memory) {
    this.memory = memory;
    this.zone = memory.align(256);
  }

  /** A poisoned buffer between two zones; closed with this. */
  DeviceBuffer allocate(long bytes, String name) {
    DeviceBuffer whole = memory.allocate(bytes + 2 * zone, name);
    fill(whole, 0, whole.bytes(), PATTERN);
    fill(whole, zone, bytes, POISON);
    DeviceBuffer inner = memory.part(whole, zone, bytes);
    all.add(new Guarded(name, whole, inner));
    return inner;
  }

  /** Makes whatever is there NaN. */
  void poison(DeviceBuffer inner) {
    fill(inner, 0, inner.bytes(), POISON);
  }

  private void fill(DeviceBuffer buffer, long offset, long bytes, byte value) {
    try (Arena arena = Arena.ofConfined()) {
      memory.write(
          buffer, offset, arena.allocate(Math.max(bytes, 1)).fill(value).asSlice(0, bytes));
    }
  }

  /**
   * Looks at all zones.
   *
   * @param suspect what ran since they were last whole
   * @throws IllegalStateException naming it and the buffer, if one was touched
   */
  void check(String suspect) {
    try (Arena arena = Arena.ofConfined()) {
      for (Guarded guarded : all) {
        MemorySegment content = arena.allocate(guarded.whole().bytes());
        memory.read(guarded.whole(), 0, content);
        long end = zone + guarded.inner().bytes();
        check(suspect, guarded, "before", content.asSlice(0, zone));
        check(suspect, guarded, "behind", content.asSlice(end));
      }
    }
  }

  private void check(String suspect, Guarded guarded, String side, MemorySegment found) {
    for (long at = 0; at < found.byteSize(); at++) {
      if (found.get(ValueLayout.JAVA_BYTE, at) != PATTERN) {
        // Healed, so that the next operation is not blamed.
        fill(guarded.whole(), 0, zone, PATTERN);
        long end = zone + guarded.inner().bytes();
        fill(guarded.whole(), end, guarded.whole().bytes() - end, PATTERN);
        throw new IllegalStateException(
            suspect + " wrote " + side + " the memory of " + guarded.name());
      }
    }
  }

  @Override
  public void close() {
    for (Guarded guarded : all) {
      guarded.inner().close();
      guarded.whole().close();
    }
    all.clear();
  }
}
