package dev.kancil.bindings.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A kernel's arguments as the driver takes them in one piece (CU_LAUNCH_PARAM_BUFFER_POINTER): each
 * at the next multiple of its size. Written once, changed by index where a step needs it; the
 * driver copies them at each launch.
 */
public final class KernelArguments {
  private static final long POINTER = 1;
  private static final long SIZE = 2;

  private final MemorySegment packed;
  private final MemorySegment extra;
  private final MemorySegment config;
  private final long[] offsets;
  private final List<ValueLayout> layouts;

  /**
   * @param arena that the arguments live in
   * @param layouts one for each parameter of the kernel: {@code JAVA_LONG} for a pointer
   */
  public KernelArguments(Arena arena, List<ValueLayout> layouts) {
    this.layouts = List.copyOf(layouts);
    offsets = new long[layouts.size()];
    long end = 0;
    for (int i = 0; i < offsets.length; i++) {
      long size = layouts.get(i).byteSize();
      offsets[i] = Math.ceilDiv(end, size) * size;
      end = offsets[i] + size;
    }
    packed = arena.allocate(Math.max(end, 1), 16).asSlice(0, end);
    MemorySegment size = arena.allocateFrom(ValueLayout.JAVA_LONG, end);
    extra = arena.allocate(MemoryLayout.sequenceLayout(5, ValueLayout.JAVA_LONG));
    long[] entries = {POINTER, packed.address(), SIZE, size.address(), 0};
    MemorySegment.copy(entries, 0, extra, ValueLayout.JAVA_LONG, 0, entries.length);
    config = LaunchConfig.allocate(arena);
  }

  /** Sets a pointer or a 64-bit integer. */
  public void set(int index, long value) {
    require(index, ValueLayout.JAVA_LONG);
    packed.set(ValueLayout.JAVA_LONG, offsets[index], value);
  }

  /** Sets a 32-bit integer. */
  public void set(int index, int value) {
    require(index, ValueLayout.JAVA_INT);
    packed.set(ValueLayout.JAVA_INT, offsets[index], value);
  }

  /** Sets a float. */
  public void set(int index, float value) {
    require(index, ValueLayout.JAVA_FLOAT);
    packed.set(ValueLayout.JAVA_FLOAT, offsets[index], value);
  }

  private void require(int index, ValueLayout layout) {
    if (!layouts.get(index).equals(layout)) {
      throw new IllegalArgumentException(
          "parameter " + index + " is " + layouts.get(index) + ", not " + layout);
    }
  }

  /** All of them, as the kernel finds them. */
  public MemorySegment packed() {
    return packed;
  }

  /** What {@code cuLaunchKernel} takes as {@code extra}. */
  MemorySegment extra() {
    return extra;
  }

  /** Room for what {@code cuLaunchKernelEx} takes as {@code config}. */
  MemorySegment config() {
    return config;
  }
}
