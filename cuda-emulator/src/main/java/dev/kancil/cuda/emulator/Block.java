package dev.kancil.cuda.emulator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A worker's place for the blocks that it runs, one after the other. Warps run in turn, each until
 * it waits or has had its share.
 */
final class Block implements AutoCloseable {
  private static final int SHARE = 1 << 16;

  final Launch launch;
  final @Nullable RaceCheck races;

  /** The race check, where the kernel has mbarriers. */
  final @Nullable ThreadRaceCheck threadRaces;

  private final Warp[] warps;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment shared;
  private final MemorySegment local;
  private final MemorySegment parameters;
  private @Nullable MatrixTiles tiles;
  private final @Nullable Warpgroup[] warpgroups;
  // Threads that have come to each barrier without waiting.
  private final int[] arrived = new int[Barriers.COUNT];
  private final @Nullable Mbarriers mbarriers;
  private long index;

  Block(Launch launch) {
    this.launch = launch;
    shared = arena.allocate(Math.max(launch.sharedBytes(), 16), 256);
    local = arena.allocate(Math.max(16, localBytes() * launch.warps() * Warp.LANES), 256);
    parameters = arena.allocate(Math.max(16, launch.arguments().length), 256);
    MemorySegment.copy(
        launch.arguments(), 0, parameters, ValueLayout.JAVA_BYTE, 0, launch.arguments().length);
    boolean isChecked = launch.checksRaces() && launch.sharedBytes() > 0;
    int granule = launch.kernel().granule();
    if (isChecked && launch.kernel().hasMbarriers()) {
      threadRaces = new ThreadRaceCheck(launch.sharedBytes(), granule, launch.warps());
      races = threadRaces;
    } else {
      threadRaces = null;
      races = isChecked ? new WarpRaceCheck(launch.sharedBytes(), granule, launch.warps()) : null;
    }
    mbarriers = launch.kernel().hasMbarriers() ? new Mbarriers(this) : null;
    warps = new Warp[launch.warps()];
    for (int i = 0; i < warps.length; i++) {
      warps[i] = new Warp(this, i);
    }
    warpgroups = new Warpgroup[Math.ceilDiv(warps.length, Warpgroup.WARPS)];
  }

  private long localBytes() {
    return launch.kernel().localBytes();
  }

  int x() {
    return (int) (index % launch.gridX());
  }

  int y() {
    return (int) (index / launch.gridX() % launch.gridY());
  }

  int z() {
    return (int) (index / launch.gridX() / launch.gridY());
  }

  MatrixTiles tiles() {
    MatrixTiles known = tiles;
    if (known == null) {
      known = new MatrixTiles();
      tiles = known;
    }
    return known;
  }

  /** The four warps that a warp belongs to, once one of them multiplies with the others. */
  Warpgroup warpgroup(Warp warp) {
    int number = warp.index / Warpgroup.WARPS;
    Warpgroup known = warpgroups[number];
    if (known == null) {
      known = new Warpgroup(this, number);
      warpgroups[number] = known;
    }
    return known;
  }

  /** Of a kernel that has some. */
  Mbarriers mbarriers() {
    return Objects.requireNonNull(mbarriers);
  }

  /** Threads come to a barrier for which {@code expected} are waited, and go on. */
  void arrive(Warp warp, int lanes, int barrier, int expected) {
    // Whole warps count, with the lanes that a last, partial one has not.
    arrived[barrier] += Integer.bitCount(lanes | ~warp.existing());
    if (races != null) {
      races.arrive(warp, barrier);
    }
    if (!Barriers.release(this, warps, barrier) && arrived[barrier] >= expected) {
      // All have come, and none waits.
      arrived[barrier] = 0;
    }
  }

  int arrived(int barrier) {
    return arrived[barrier];
  }

  void forgetArrivals(int barrier) {
    arrived[barrier] = 0;
  }

  /** The host's address of the block's shared memory. */
  long sharedAddress() {
    return shared.address();
  }

  /** The host's address of a thread's local memory. */
  long localAddress(int warp, int lane) {
    return local.address() + (warp * Warp.LANES + lane) * localBytes();
  }

  long parametersAddress() {
    return parameters.address();
  }

  /**
   * Runs one block to its end.
   *
   * @return instructions times threads that ran
   */
  long run(long blockIndex) {
    index = blockIndex;
    Memory.poison(shared);
    Memory.poison(local);
    if (races != null) {
      races.start();
    }
    if (mbarriers != null) {
      mbarriers.start();
    }
    for (Warp warp : warps) {
      warp.start();
    }
    Arrays.fill(warpgroups, null);
    Arrays.fill(arrived, 0);
    long executed = 0;
    while (true) {
      boolean ran = false;
      for (Warp warp : warps) {
        if (warp.isRunnable()) {
          executed += warp.run(SHARE);
          ran = true;
        }
      }
      boolean released = Barriers.release(this, warps);
      if (!ran && !released) {
        if (Barriers.allExited(warps)) {
          finish();
          return executed;
        }
        throw Barriers.stuck(this, warps);
      }
      if (mbarriers != null) {
        mbarriers.endRound(warps, released);
      }
      if (executed > launch.instructionLimit()) {
        throw new KernelFault(
            CudaError.LAUNCH_TIMEOUT,
            index,
            "kernel "
                + launch.kernel().name()
                + ", block "
                + blockName()
                + ": more than "
                + launch.instructionLimit()
                + " instructions of its threads");
      }
    }
  }

  /** All threads have ended. */
  private void finish() {
    for (Warpgroup group : warpgroups) {
      if (group != null) {
        group.finish(warps);
      }
    }
    if (mbarriers != null) {
      mbarriers.finish();
      for (Warp warp : warps) {
        warp.stores().finish();
      }
    }
  }

  private String blockName() {
    return String.format(Locale.ROOT, "(%d, %d, %d)", x(), y(), z());
  }

  KernelFault fault(CudaError error, Instruction instruction, Warp warp, int lane, String message) {
    return new KernelFault(
        error,
        index,
        "kernel "
            + launch.kernel().name()
            + ", "
            + instruction
            + ", block "
            + blockName()
            + ", thread "
            + threadName(warp.index * Warp.LANES + lane)
            + ": "
            + message);
  }

  /** A fault of the whole block. */
  KernelFault fault(CudaError error, Instruction instruction, String message) {
    return new KernelFault(
        error,
        index,
        "kernel "
            + launch.kernel().name()
            + ", "
            + instruction
            + ", block "
            + blockName()
            + ": "
            + message);
  }

  String threadName(int thread) {
    return String.format(
        Locale.ROOT,
        "(%d, %d, %d)",
        thread % launch.blockX(),
        thread / launch.blockX() % launch.blockY(),
        thread / launch.blockX() / launch.blockY());
  }

  @Override
  public void close() {
    arena.close();
  }
}
