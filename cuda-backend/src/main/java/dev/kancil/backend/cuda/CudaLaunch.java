package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongSupplier;

/** A launch of a CUDA kernel, whose work-groups are blocks. */
final class CudaLaunch extends Launch {
  /** Blocks in all dimensions but the first. */
  private static final int MOST_BLOCKS = 65_535;

  private final CudaMemory memory;
  private final String name;
  private final LongSupplier kernels;
  private final boolean startsEarly;
  private final long weightBytes;
  private final int sharedBytes;
  private final int[] blocks = {1, 1, 1};
  private final int[] threads = {1, 1, 1};
  private final Arena arena = Arena.ofShared();
  private final KernelArguments packed;
  private long kernel;

  /**
   * Binds a kernel.
   *
   * @param kernel asked for when the launch is prepared
   * @param startsEarly whether it may start before the launch before it has ended
   * @param perOutput whether the rows of a step are its outputs, not its tokens
   */
  CudaLaunch(
      CudaMemory memory,
      LongSupplier kernel,
      String name,
      List<Argument> arguments,
      Grid grid,
      boolean perOutput,
      boolean startsEarly) {
    super(arguments, grid, perOutput);
    this.memory = memory;
    this.name = name;
    this.kernels = kernel;
    this.startsEarly = startsEarly;
    weightBytes =
        arguments.stream()
            .mapToLong(
                argument -> argument instanceof Argument.Weights(var buffer) ? buffer.bytes() : 0)
            .sum();
    for (int i = 0; i < grid.local().length; i++) {
      threads[i] = Math.toIntExact(grid.local()[i]);
    }
    sharedBytes = grid.sharedBytes();
    packed = new KernelArguments(arena, arguments.stream().map(CudaLaunch::layout).toList());
    bindFixed();
  }

  private static ValueLayout layout(Argument argument) {
    return switch (argument) {
      case Argument.Whole _ -> ValueLayout.JAVA_INT;
      case Argument.Real _ -> ValueLayout.JAVA_FLOAT;
      default -> ValueLayout.JAVA_LONG;
    };
  }

  @Override
  protected void prepare() {
    kernel = kernels.getAsLong();
    if (sharedBytes > 0) {
      try {
        memory.driver().allowSharedBytes(kernel, sharedBytes);
      } catch (CudaException e) {
        throw CudaMemory.failure(e);
      }
    }
  }

  @Override
  protected void set(int index, DeviceBuffer buffer) {
    packed.set(index, CudaBuffer.address(buffer));
  }

  @Override
  protected void set(int index, int value) {
    packed.set(index, value);
  }

  @Override
  protected void set(int index, long value) {
    packed.set(index, value);
  }

  @Override
  protected void set(int index, float value) {
    packed.set(index, value);
  }

  @Override
  protected void enqueue(long[] workGroups) {
    for (int i = 0; i < workGroups.length; i++) {
      if (workGroups[i] > (i == 0 ? Integer.MAX_VALUE : MOST_BLOCKS)) {
        throw new DeviceException("a step of so many rows is too large for " + name);
      }
      blocks[i] = (int) workGroups[i];
    }
    try {
      LaunchTimes times = memory.times();
      if (times == null) {
        launch(startsEarly);
      } else {
        String label = name + ", " + blocks[0] + " x " + blocks[1] + " x " + blocks[2];
        times.time(label, weightBytes, memory.stream(), () -> launch(false));
      }
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  private void launch(boolean early) {
    memory
        .driver()
        .launch(
            kernel,
            blocks[0],
            blocks[1],
            blocks[2],
            threads[0],
            threads[1],
            threads[2],
            sharedBytes,
            memory.stream(),
            packed,
            early);
  }

  @Override
  public void close() {
    arena.close();
  }
}
