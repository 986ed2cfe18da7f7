package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.accelerator.AcceleratorState;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import dev.kancil.backend.accelerator.StepInputs;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A kernel with its arguments bound, once for a program; what depends on the state is bound anew
 * when another state comes. A step changes nothing but the number of blocks.
 */
final class CudaLaunch implements Launch {
  /** Blocks in all dimensions but the first. */
  private static final int MOST_BLOCKS = 65_535;

  private final CudaMemory memory;
  private final String name;
  private final long kernel;
  private final List<Argument> arguments;
  private final Grid grid;
  private final boolean perOutput;
  private final long[] blocks;
  private final int[] threads = {1, 1, 1};
  private final Arena arena = Arena.ofShared();
  private final KernelArguments packed;

  /**
   * Binds a kernel.
   *
   * @param perOutput whether the rows of a step are its outputs, not its tokens
   */
  CudaLaunch(
      CudaMemory memory,
      String name,
      long kernel,
      List<Argument> arguments,
      Grid grid,
      boolean perOutput) {
    this.memory = memory;
    this.name = name;
    this.kernel = kernel;
    this.arguments = List.copyOf(arguments);
    this.grid = grid;
    this.perOutput = perOutput;
    blocks = new long[] {1, 1, 1};
    for (int i = 0; i < grid.local().length; i++) {
      threads[i] = Math.toIntExact(grid.local()[i]);
    }
    packed = new KernelArguments(arena, arguments.stream().map(CudaLaunch::layout).toList());
    for (int i = 0; i < arguments.size(); i++) {
      switch (arguments.get(i)) {
        case Argument.Buffer(var buffer) -> set(i, buffer);
        case Argument.Whole(int value) -> packed.set(i, value);
        case Argument.Offset(long value) -> packed.set(i, value);
        case Argument.Real(float value) -> packed.set(i, value);
        case Argument.Keys _, Argument.Values _, Argument.Tables _ -> {}
        case Argument.Counts _ -> throw new IllegalArgumentException("counts without an index");
      }
    }
  }

  private static ValueLayout layout(Argument argument) {
    return switch (argument) {
      case Argument.Whole _ -> ValueLayout.JAVA_INT;
      case Argument.Real _ -> ValueLayout.JAVA_FLOAT;
      default -> ValueLayout.JAVA_LONG;
    };
  }

  private void set(int index, DeviceBuffer buffer) {
    packed.set(index, CudaBuffer.address(buffer));
  }

  @Override
  public void bind(AcceleratorState state, StepInputs inputs) {
    for (int i = 0; i < arguments.size(); i++) {
      switch (arguments.get(i)) {
        case Argument.Keys(var slot) -> set(i, state.keys(slot));
        case Argument.Values(var slot) -> set(i, state.values(slot));
        case Argument.Tables(var slot) -> set(i, inputs.tables(slot.group()));
        default -> {}
      }
    }
  }

  @Override
  public void enqueue(int tokens, int outputs) {
    grid.groups().of(perOutput ? outputs : tokens, blocks);
    if (blocks[0] == 0 || blocks[1] == 0 || blocks[2] == 0) {
      return;
    }
    if (Math.max(blocks[1], blocks[2]) > MOST_BLOCKS || blocks[0] > Integer.MAX_VALUE) {
      throw new DeviceException("a step of so many rows is too large for " + name);
    }
    try {
      memory
          .driver()
          .launch(
              kernel,
              (int) blocks[0],
              (int) blocks[1],
              (int) blocks[2],
              threads[0],
              threads[1],
              threads[2],
              0,
              memory.stream(),
              packed);
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
