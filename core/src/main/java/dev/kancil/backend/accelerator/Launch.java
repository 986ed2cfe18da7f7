package dev.kancil.backend.accelerator;

import java.util.List;

/**
 * A kernel with its arguments bound, once for a program; what depends on the state is bound anew
 * when another state comes. A step changes nothing but the number of work-groups.
 */
public abstract class Launch implements Work, AutoCloseable {
  private final List<Argument> arguments;
  private final Grid grid;
  private final boolean perOutput;
  private final long[] groups;

  /**
   * A launch whose arguments are yet to be bound.
   *
   * @param perOutput whether the rows of a step are its outputs, not its tokens
   */
  protected Launch(List<Argument> arguments, Grid grid, boolean perOutput) {
    this.arguments = List.copyOf(arguments);
    this.grid = grid;
    this.perOutput = perOutput;
    groups = new long[grid.local().length];
  }

  /** Waits for what is yet to be made, when all of a program is known. */
  protected void prepare() {}

  /** Sets a parameter of the kernel to a buffer. */
  protected abstract void set(int index, DeviceBuffer buffer);

  /** Sets a parameter of the kernel. */
  protected abstract void set(int index, int value);

  /** Sets a parameter of the kernel. */
  protected abstract void set(int index, long value);

  /** Sets a parameter of the kernel. */
  protected abstract void set(int index, float value);

  /**
   * Enqueues the kernel.
   *
   * @param workGroups in each dimension of the grid, none of them 0
   */
  protected abstract void enqueue(long[] workGroups);

  /** Sets what depends on no state. */
  protected final void bindFixed() {
    for (int i = 0; i < arguments.size(); i++) {
      switch (arguments.get(i)) {
        case Argument.Buffer(var buffer) -> set(i, buffer);
        case Argument.Weights(var buffer) -> set(i, buffer);
        case Argument.Whole(int value) -> set(i, value);
        case Argument.Offset(long value) -> set(i, value);
        case Argument.Real(float value) -> set(i, value);
        case Argument.Keys _, Argument.Values _, Argument.Tables _ -> {}
        case Argument.Counts _ -> throw new IllegalArgumentException("counts without an index");
      }
    }
  }

  @Override
  public final void bind(AcceleratorState state, StepInputs inputs) {
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
  public final void enqueue(int tokens, int outputs) {
    grid.groups().of(perOutput ? outputs : tokens, groups);
    for (long count : groups) {
      if (count == 0) {
        return;
      }
    }
    enqueue(groups);
  }

  @Override
  public abstract void close();
}
