package dev.kancil.cuda.emulator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The device's memory: allocations at addresses that are never used twice, with gaps between, so
 * that whatever misses its allocation or comes after its end is found.
 */
final class GlobalMemory {
  static final int ALIGNMENT = 256;
  private static final long FIRST_ADDRESS = 0x2000_0000_0000L;
  private static final long GAP = 1 << 16;
  private static final int REMEMBERED = 4096;

  /** Memory of the host, seen by the device at an address of its own. */
  static final class Allocation {
    final long address;
    final long bytes;
    final long hostAddress;
    final boolean isReadOnly;
    final String name;
    final MemorySegment memory;
    private final @Nullable Arena arena;
    private volatile boolean freed;

    private Allocation(
        long address,
        MemorySegment memory,
        @Nullable Arena arena,
        boolean isReadOnly,
        String name) {
      this.address = address;
      this.memory = memory;
      this.arena = arena;
      this.isReadOnly = isReadOnly;
      this.name = name;
      bytes = memory.byteSize();
      hostAddress = memory.address();
    }

    boolean isFreed() {
      return freed;
    }

    String describe() {
      return String.format(
          Locale.ROOT, "%s%s of %d bytes at 0x%x", freed ? "freed " : "", name, bytes, address);
    }
  }

  private final NavigableMap<Long, Allocation> allocations = new ConcurrentSkipListMap<>();
  private final TreeMap<Long, Allocation> freed = new TreeMap<>();
  private final long capacity;
  private long nextAddress = FIRST_ADDRESS;
  private long used;

  GlobalMemory(long capacity) {
    this.capacity = capacity;
  }

  synchronized long freeBytes() {
    return capacity - used;
  }

  /** Memory that holds poison. */
  Allocation allocate(long bytes) {
    return allocate(bytes, false, "allocation");
  }

  synchronized Allocation allocate(long bytes, boolean isReadOnly, String name) {
    if (bytes > capacity - used) {
      throw CudaError.OUT_OF_MEMORY.exception(
          bytes + " bytes were asked for, " + (capacity - used) + " are free");
    }
    Arena arena = Arena.ofShared();
    MemorySegment memory;
    try {
      memory = arena.allocate(bytes, ALIGNMENT);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw CudaError.OUT_OF_MEMORY.exception("the host has no " + bytes + " bytes");
    }
    Memory.poison(memory);
    used += bytes;
    return add(new Allocation(nextAddress, memory, arena, isReadOnly, name));
  }

  /** Host memory that the device sees, at an address that is the host's own. */
  synchronized Allocation map(MemorySegment pinned) {
    Allocation allocation = new Allocation(pinned.address(), pinned, null, false, "pinned memory");
    allocations.put(allocation.address, allocation);
    return allocation;
  }

  synchronized void unmap(MemorySegment pinned) {
    Allocation allocation = allocations.remove(pinned.address());
    if (allocation != null) {
      allocation.freed = true;
    }
  }

  private Allocation add(Allocation allocation) {
    allocations.put(allocation.address, allocation);
    nextAddress = Math.ceilDiv(allocation.address + allocation.bytes + GAP, GAP) * GAP;
    return allocation;
  }

  /** Frees an allocation; returns false if none begins at the address. */
  synchronized boolean free(long address) {
    Allocation allocation = allocations.get(address);
    if (allocation == null || allocation.arena == null) {
      return false;
    }
    allocations.remove(address);
    allocation.freed = true;
    used -= allocation.bytes;
    freed.put(address, allocation);
    if (freed.size() > REMEMBERED) {
      freed.pollFirstEntry();
    }
    allocation.arena.close();
    return true;
  }

  synchronized void freeAll() {
    for (Allocation allocation : new ArrayList<>(allocations.values())) {
      if (allocation.arena == null) {
        allocation.freed = true;
      } else {
        free(allocation.address);
      }
    }
    allocations.clear();
  }

  /** The allocation that holds all of some bytes, or null. */
  @Nullable Allocation find(long address, long bytes) {
    Map.Entry<Long, Allocation> entry = allocations.floorEntry(address);
    if (entry == null) {
      return null;
    }
    Allocation allocation = entry.getValue();
    long offset = address - allocation.address;
    return offset <= allocation.bytes - bytes ? allocation : null;
  }

  /** What lies nearest to an address, for messages. */
  synchronized String nearest(long address) {
    Map.Entry<Long, Allocation> gone = freed.floorEntry(address);
    if (gone != null && address < gone.getKey() + gone.getValue().bytes) {
      return "that is " + (address - gone.getKey()) + " bytes into a " + gone.getValue().describe();
    }
    Map.Entry<Long, Allocation> before = allocations.floorEntry(address);
    Map.Entry<Long, Allocation> after = allocations.higherEntry(address);
    long pastEnd = before == null ? Long.MAX_VALUE : address - end(before.getValue());
    long ahead = after == null ? Long.MAX_VALUE : after.getKey() - address;
    if (before != null && pastEnd <= ahead) {
      String where =
          pastEnd < 0 ? "it reaches beyond the end of an " : pastEnd + " bytes after an ";
      return where + before.getValue().describe();
    }
    return after == null
        ? "nothing is allocated"
        : ahead + " bytes before an " + after.getValue().describe();
  }

  private static long end(Allocation allocation) {
    return allocation.address + allocation.bytes;
  }
}
