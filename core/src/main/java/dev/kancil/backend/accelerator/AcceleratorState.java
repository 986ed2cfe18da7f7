package dev.kancil.backend.accelerator;

import dev.kancil.backend.DeviceQueue;
import dev.kancil.backend.PageTables;
import dev.kancil.backend.PagedState;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Paged keys and values in device memory: a buffer of keys and one of values for each layer, laid
 * out as {@link dev.kancil.backend.host.HostState} says.
 */
public final class AcceleratorState extends PagedState {
  /** Tokens of a page. */
  public static final int PAGE_TOKENS = 32;

  private final DeviceMemory memory;
  private final DeviceQueue queue;
  private final PageTables tables;
  private final @Nullable Guards guards;
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final DeviceBuffer[][] keys;
  private final DeviceBuffer[][] values;
  private long bytes;

  /**
   * Allocates a state.
   *
   * @param guarded between zones that are looked at
   */
  public AcceleratorState(
      DeviceMemory memory,
      DeviceQueue queue,
      StateLayout layout,
      int sequences,
      int tokens,
      boolean guarded) {
    this.memory = memory;
    this.queue = queue;
    this.guards = guarded ? new Guards(memory) : null;
    int pages = PageTables.mostPages(sequences, tokens, PAGE_TOKENS);
    tables = new PageTables(layout, PAGE_TOKENS, pages, this::copyPage);
    keys = new DeviceBuffer[layout.groups().size()][];
    values = new DeviceBuffer[layout.groups().size()][];
    try {
      for (int i = 0; i < keys.length; i++) {
        StateGroup group = layout.groups().get(i);
        keys[i] = allocate(group.layers(), pages, group.keyType().byteSize(group.keyColumns()));
        values[i] =
            allocate(group.layers(), pages, group.valueType().byteSize(group.valueColumns()));
      }
    } catch (RuntimeException e) {
      releaseBuffers();
      throw e;
    }
  }

  /** Bytes of a state. */
  static long bytes(StateLayout layout, int sequences, int tokens) {
    long rows = (long) PageTables.mostPages(sequences, tokens, PAGE_TOKENS) * PAGE_TOKENS;
    return layout.groups().stream()
        .mapToLong(group -> Math.multiplyExact(rows, group.layers() * group.tokenBytes()))
        .sum();
  }

  private DeviceBuffer[] allocate(int layers, int pages, long rowBytes) {
    DeviceBuffer[] made = new DeviceBuffer[layers];
    long size = Math.multiplyExact(Math.multiplyExact((long) pages, PAGE_TOKENS), rowBytes);
    for (int layer = 0; layer < layers; layer++) {
      if (guards == null) {
        made[layer] = memory.allocate(size, "the KV cache");
        buffers.add(made[layer]);
      } else {
        made[layer] = guards.allocate(size, "the KV cache");
      }
      bytes += size;
    }
    return made;
  }

  /** All pages of a layer's keys. */
  public DeviceBuffer keys(StateSlot slot) {
    return keys[slot.group()][slot.layer()];
  }

  /** All pages of a layer's values. */
  public DeviceBuffer values(StateSlot slot) {
    return values[slot.group()][slot.layer()];
  }

  @Override
  protected PageTables tables() {
    return tables;
  }

  void checkGuards(String suspect) {
    if (guards != null) {
      guards.check(suspect);
    }
  }

  private void copyPage(int group, int from, int to) {
    queue.add(
        () -> {
          try {
            copyPage(keys[group], from, to);
            copyPage(values[group], from, to);
          } catch (RuntimeException e) {
            memory.lose(e);
          }
        });
  }

  private void copyPage(DeviceBuffer[] layers, int from, int to) {
    for (DeviceBuffer layer : layers) {
      long pageBytes = layer.bytes() / tables.pages();
      memory.enqueueCopy(layer, from * pageBytes, to * pageBytes, pageBytes);
    }
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  protected void free() {
    queue.drain();
    memory.finish();
    releaseBuffers();
  }

  private void releaseBuffers() {
    buffers.forEach(DeviceBuffer::close);
    if (guards != null) {
      guards.close();
    }
  }
}
