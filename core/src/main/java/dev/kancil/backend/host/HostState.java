package dev.kancil.backend.host;

import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.PageTables;
import dev.kancil.backend.PagedState;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Paged keys and values in host memory. Each layer has one segment of keys and one of values; token
 * t of page p is row {@code p · pageTokens + t}, a row being all KV heads side by side in the
 * group's element type.
 */
public final class HostState extends PagedState {
  /** Tokens of a page: small enough to waste little, large enough that a page is a long read. */
  public static final int PAGE_TOKENS = 32;

  private final Arena arena = Arena.ofShared();
  private final DeviceQueue queue;
  private final PageTables tables;
  private final @Nullable GuardZones zones;
  private final MemorySegment[][] keys;
  private final MemorySegment[][] values;
  private long bytes;

  HostState(StateLayout layout, int sequences, int tokens, DeviceQueue queue, boolean guarded) {
    this.queue = queue;
    this.zones = guarded ? new GuardZones() : null;
    int pages = PageTables.mostPages(sequences, tokens, PAGE_TOKENS);
    tables = new PageTables(layout, PAGE_TOKENS, pages, this::copyPage);
    keys = new MemorySegment[layout.groups().size()][];
    values = new MemorySegment[layout.groups().size()][];
    try {
      for (int i = 0; i < keys.length; i++) {
        StateGroup group = layout.groups().get(i);
        keys[i] = allocate(group.layers(), pages, group.keyType().byteSize(group.keyColumns()));
        values[i] =
            allocate(group.layers(), pages, group.valueType().byteSize(group.valueColumns()));
      }
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private MemorySegment[] allocate(int layers, int pages, long rowBytes) {
    MemorySegment[] segments = new MemorySegment[layers];
    for (int layer = 0; layer < layers; layer++) {
      long size = Math.multiplyExact(Math.multiplyExact((long) pages, PAGE_TOKENS), rowBytes);
      segments[layer] =
          zones == null
              ? NativeMemory.allocateHuge(size, arena, "the KV cache")
              : zones.allocate(size, arena, "the KV cache");
      bytes += size;
    }
    return segments;
  }

  /** All pages of keys of a layer. */
  public MemorySegment keys(StateSlot slot) {
    return keys[slot.group()][slot.layer()];
  }

  /** All pages of values of a layer. */
  public MemorySegment values(StateSlot slot) {
    return values[slot.group()][slot.layer()];
  }

  public StateGroup group(StateSlot slot) {
    return tables.group(slot.group());
  }

  public int pageTokens() {
    return PAGE_TOKENS;
  }

  void checkZones(String suspect) {
    if (zones != null) {
      zones.check(suspect);
    }
  }

  @Override
  protected PageTables tables() {
    return tables;
  }

  private void copyPage(int group, int from, int to) {
    queue.add(
        () -> {
          copyPage(keys[group], from, to);
          copyPage(values[group], from, to);
        });
  }

  private void copyPage(MemorySegment[] layers, int from, int to) {
    for (MemorySegment layer : layers) {
      long pageBytes = layer.byteSize() / tables.pages();
      MemorySegment.copy(layer, from * pageBytes, layer, to * pageBytes, pageBytes);
    }
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  protected void free() {
    queue.drain();
    arena.close();
  }
}
