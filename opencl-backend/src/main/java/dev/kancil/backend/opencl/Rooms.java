package dev.kancil.backend.opencl;

import java.util.HashMap;
import java.util.Map;

/**
 * Buffers of a program that its kernels use one after the other, since all run in order: what needs
 * the same room shares it.
 */
final class Rooms implements AutoCloseable {
  private final Memory memory;
  private final Map<String, DeviceBuffer> rooms = new HashMap<>();

  Rooms(Memory memory) {
    this.memory = memory;
  }

  /** The room for a use, of at least so many bytes. */
  DeviceBuffer room(String use, long bytes) {
    return rooms.computeIfAbsent(use + " " + bytes, _ -> memory.allocate(bytes, use));
  }

  Memory memory() {
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
