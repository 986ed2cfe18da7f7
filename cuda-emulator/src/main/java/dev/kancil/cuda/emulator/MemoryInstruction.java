package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.GlobalMemory.Allocation;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An instruction that accesses memory. Each lane's address is checked and becomes an address of the
 * host; then data moves.
 */
abstract class MemoryInstruction extends Instruction {
  /** How memory is touched. */
  enum Access {
    READ,
    WRITE,
    ATOMIC
  }

  private final Space space;
  private final Form.Row base;
  private final long offset;

  /** Of all elements together; addresses are multiples of it. */
  private final int bytes;

  private final Access access;

  /** The allocation of the last access; threads may see different ones, each is checked. */
  private @Nullable Allocation last;

  MemoryInstruction(Space space, Form.Row base, long offset, int bytes, Access access) {
    this.space = space;
    this.base = base;
    this.offset = offset;
    this.bytes = bytes;
    this.access = access;
  }

  /** Fills {@code warp.addresses} with the host's addresses, for the lanes of the mask. */
  final long[] locate(Warp warp, int mask) {
    long[] at = warp.addresses;
    if (base.isLong()) {
      long[] row = warp.longs[base.index()];
      for (int i = 0; i < Warp.LANES; i++) {
        at[i] = row[i] + offset;
      }
    } else {
      int[] row = warp.ints[base.index()];
      for (int i = 0; i < Warp.LANES; i++) {
        at[i] = (row[i] & 0xffff_ffffL) + offset;
      }
    }
    switch (space) {
      case GLOBAL, CONST -> locateGlobal(warp, mask, at);
      case SHARED -> locateShared(warp, mask, at);
      case LOCAL, PARAM -> locateOther(warp, mask, at);
      case GENERIC -> locateGeneric(warp, mask, at);
    }
    return at;
  }

  private void locateGlobal(Warp warp, int mask, long[] at) {
    Allocation allocation = last;
    if (allocation == null || allocation.isFreed()) {
      int lane = Integer.numberOfTrailingZeros(mask);
      allocation = find(warp, lane, at[lane], bytes, access);
    }
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      long address = at[lane];
      long within = address - allocation.address;
      if (within < 0 || within > allocation.bytes - bytes) {
        allocation = find(warp, lane, address, bytes, access);
        within = address - allocation.address;
      }
      if ((address & bytes - 1) != 0) {
        throw misaligned(warp, lane, address);
      }
      at[lane] = allocation.hostAddress + within;
    }
    if (access != Access.READ && allocation.isReadOnly) {
      int lane = Integer.numberOfTrailingZeros(mask);
      throw illegal(warp, lane, "a write into " + allocation.describe());
    }
    last = allocation;
  }

  /** The allocation that an access lies in. */
  final Allocation find(Warp warp, int lane, long address, int bytes, Access access) {
    GlobalMemory memory = warp.block.launch.memory();
    Allocation allocation = memory.find(address, bytes);
    if (allocation == null) {
      throw illegal(
          warp,
          lane,
          String.format(
              Locale.ROOT,
              "%s of %d bytes at 0x%x: %s",
              access.name().toLowerCase(Locale.ROOT),
              bytes,
              address,
              memory.nearest(address)));
    }
    return allocation;
  }

  private void locateShared(Warp warp, int mask, long[] at) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      at[lane] = shared(warp, lane, at[lane]);
    }
  }

  private long shared(Warp warp, int lane, long address) {
    Block block = warp.block;
    int limit = block.launch.sharedBytes();
    if (address < 0 || address > limit - bytes) {
      throw illegal(warp, lane, outside("shared", address, limit));
    }
    if ((address & bytes - 1) != 0) {
      throw misaligned(warp, lane, address);
    }
    checkRace(this, warp, lane, (int) address, bytes, access);
    return block.sharedAddress() + address;
  }

  /** Tells the race check of an access to shared memory. */
  static void checkRace(
      Instruction instruction, Warp warp, int lane, int address, int bytes, Access access) {
    RaceCheck races = warp.block.races;
    if (races == null) {
      return;
    }
    int thread = warp.index * Warp.LANES + lane;
    int other =
        access == Access.READ
            ? races.read(address, bytes, thread, false)
            : races.write(address, bytes, thread, access == Access.ATOMIC);
    if (other != RaceCheck.NOBODY) {
      throw race(instruction, warp, lane, address, other);
    }
  }

  /**
   * @param other the thread that a lane races with, as {@link RaceCheck} tells it
   */
  static KernelFault race(Instruction instruction, Warp warp, int lane, int address, int other) {
    return warp.block.fault(
        CudaError.LAUNCH_FAILED,
        instruction,
        warp,
        lane,
        "data race in shared memory at offset "
            + address
            + ": "
            + (other == RaceCheck.COPY
                ? "a bulk copy writes it, and the thread has not seen its mbarrier's phase end"
                : "thread "
                    + warp.block.threadName(other & ~RaceCheck.HAS_READ)
                    + ((other & RaceCheck.HAS_READ) != 0 ? " read it" : " wrote it")
                    + ", and no barrier lies between"));
  }

  /** What an asynchronous instruction touches must have been published since it was written. */
  static void checkPublished(Instruction instruction, Warp warp, int lane, int address, int bytes) {
    RaceCheck races = warp.block.races;
    int writer = races == null ? RaceCheck.NOBODY : races.unpublished(address, bytes, warp.index);
    if (writer != RaceCheck.NOBODY) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED,
          instruction,
          warp,
          lane,
          "no fence.proxy.async lies between this and what thread "
              + warp.block.threadName(writer)
              + " wrote in shared memory at offset "
              + address);
    }
  }

  private void locateOther(Warp warp, int mask, long[] at) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      at[lane] = other(warp, lane, space, at[lane]);
    }
  }

  private long other(Warp warp, int lane, Space where, long address) {
    Launch launch = warp.block.launch;
    boolean isLocal = where == Space.LOCAL;
    int limit = isLocal ? launch.kernel().localBytes() : launch.arguments().length;
    if (address < 0 || address > limit - bytes) {
      throw illegal(warp, lane, outside(isLocal ? "local" : "parameter", address, limit));
    }
    if ((address & bytes - 1) != 0) {
      throw misaligned(warp, lane, address);
    }
    if (!isLocal && access != Access.READ) {
      throw illegal(warp, lane, "a write into parameters");
    }
    return address
        + (isLocal ? warp.block.localAddress(warp.index, lane) : warp.block.parametersAddress());
  }

  private void locateGeneric(Warp warp, int mask, long[] at) {
    int global = 0;
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      Space where = Space.of(at[lane]);
      switch (where) {
        case SHARED -> at[lane] = shared(warp, lane, at[lane] - where.window);
        case LOCAL, PARAM -> at[lane] = other(warp, lane, where, at[lane] - where.window);
        default -> global |= 1 << lane;
      }
    }
    if (global != 0) {
      locateGlobal(warp, global, at);
    }
  }

  private String outside(String memory, long address, int limit) {
    return access.name().toLowerCase(Locale.ROOT)
        + " of "
        + bytes
        + " bytes at offset "
        + address
        + " of "
        + memory
        + " memory, which has "
        + limit;
  }

  private KernelFault illegal(Warp warp, int lane, String message) {
    return warp.block.fault(CudaError.ILLEGAL_ADDRESS, this, warp, lane, message);
  }

  final KernelFault misaligned(Warp warp, int lane, long address) {
    return warp.block.fault(
        CudaError.MISALIGNED_ADDRESS,
        this,
        warp,
        lane,
        String.format(Locale.ROOT, "0x%x is not a multiple of %d", address, bytes));
  }
}
