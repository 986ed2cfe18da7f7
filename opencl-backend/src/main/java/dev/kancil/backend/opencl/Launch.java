package dev.kancil.backend.opencl;

import dev.kancil.graph.StateSlot;
import java.util.List;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_kernel;

/**
 * A kernel with its arguments bound, once for a program; what depends on the state is bound anew
 * when another state comes. A step changes nothing but the number of work-groups.
 */
final class Launch implements Work, AutoCloseable {
  private final String name;
  private final cl_kernel kernel;
  private final List<Argument> arguments;
  private final Grid grid;
  private final boolean perOutput;
  private final long[] local;
  private final long[] global;

  /** What a kernel takes. */
  sealed interface Argument {
    /** Memory of the program's own. */
    record Buffer(DeviceBuffer buffer) implements Argument {}

    /** Two arguments: the counts of the step, and which of them is the launch's. */
    record Counts() implements Argument {}

    record Whole(int value) implements Argument {}

    record Offset(long value) implements Argument {}

    record Real(float value) implements Argument {}

    /** All pages of a layer's keys. */
    record Keys(StateSlot slot) implements Argument {}

    /** All pages of a layer's values. */
    record Values(StateSlot slot) implements Argument {}

    /** The page tables of a group, all sequences of the batch one after the other. */
    record Tables(StateSlot slot) implements Argument {}
  }

  /**
   * How a step of some rows is divided.
   *
   * @param local items of a work-group, in each dimension
   * @param groups work-groups in each dimension for that many rows
   */
  record Grid(long[] local, Groups groups) {
    /** One item for each element of rows of so many columns. */
    static Grid ofElements(int columns) {
      int local = 256;
      return of(local, rows -> Math.ceilDiv((long) rows * columns, local));
    }

    /** So many items for each row. */
    static Grid perRow(int items) {
      int local = Math.min(items, 64);
      int groupsPerRow = Math.ceilDiv(items, local);
      return new Grid(
          new long[] {local, 1},
          (rows, target) -> {
            target[0] = groupsPerRow;
            target[1] = rows;
          });
    }

    static Grid of(long local, LongGroups groups) {
      return new Grid(new long[] {local}, (rows, target) -> target[0] = groups.of(rows));
    }
  }

  /** Work-groups of a step. */
  @FunctionalInterface
  interface Groups {
    void of(int rows, long[] target);
  }

  /** Work-groups of a step in one dimension. */
  @FunctionalInterface
  interface LongGroups {
    long of(int rows);
  }

  /**
   * @param perOutput whether the rows of a step are its outputs, not its tokens
   */
  Launch(String name, cl_kernel kernel, List<Argument> arguments, Grid grid, boolean perOutput) {
    Handles.made();
    this.name = name;
    this.kernel = kernel;
    this.arguments = List.copyOf(arguments);
    this.grid = grid;
    this.perOutput = perOutput;
    this.local = grid.local();
    this.global = new long[local.length];
    try {
      bind(arguments);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void bind(List<Argument> arguments) {
    for (int i = 0; i < arguments.size(); i++) {
      switch (arguments.get(i)) {
        case Argument.Buffer(var buffer) -> set(i, buffer);
        case Argument.Whole(int value) -> set(i, Sizeof.cl_int, Pointer.to(new int[] {value}));
        case Argument.Offset(long value) -> set(i, Sizeof.cl_long, Pointer.to(new long[] {value}));
        case Argument.Real(float value) -> set(i, Sizeof.cl_float, Pointer.to(new float[] {value}));
        case Argument.Keys _, Argument.Values _, Argument.Tables _ -> {}
        case Argument.Counts _ -> throw new IllegalArgumentException("counts without an index");
      }
    }
  }

  private void set(int index, DeviceBuffer buffer) {
    set(index, Sizeof.cl_mem, Pointer.to(buffer.memory()));
  }

  private void set(int index, long size, Pointer value) {
    OpenCl.check(
        CL.clSetKernelArg(kernel, index, size, value), "set argument " + index + " of " + name);
  }

  @Override
  public void bind(OpenClState state, StepInputs inputs) {
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
  public void enqueue(cl_command_queue queue, int tokens, int outputs) {
    grid.groups().of(perOutput ? outputs : tokens, global);
    for (int i = 0; i < global.length; i++) {
      if (global[i] == 0) {
        return;
      }
      global[i] *= local[i];
    }
    OpenCl.check(
        CL.clEnqueueNDRangeKernel(queue, kernel, global.length, null, global, local, 0, null, null),
        "run " + name);
  }

  @Override
  public void close() {
    CL.clReleaseKernel(kernel);
    Handles.released();
  }
}
