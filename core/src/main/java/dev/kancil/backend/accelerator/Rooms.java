package dev.kancil.backend.accelerator;

import java.util.HashMap;
import java.util.Map;

/**
 * Buffers of a program that its kernels use one after the other, since all run in order: what needs
 * the same room shares it.
 */
public final class Rooms implements AutoCloseable {
  private final DeviceMemory memory;
  private final Map<String, DeviceBuffer> rooms = new HashMap<>();

  Rooms(DeviceMemory memory) {
    this.memory = memory;
  }

  /** The room for a use, of at least so many bytes. */
  public DeviceBuffer room(String use, long bytes) {
    return rooms.computeIfAbsent(use + " " + bytes, _ -> memory.allocate(bytes, use));
  }

  /** Where they lie. */
  public DeviceMemory memory() {
    return memory;
  }

  long bytes() {
    return rooms.values().stream().mapToLong(DeviceBuffer::bytes).sum();
  }

  @Override
  public void close() {
    rooms.values().forEach(DeviceBuffer::close);
    rooms.clear();
  }
}
