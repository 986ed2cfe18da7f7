package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.AcceleratorState;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import dev.kancil.backend.accelerator.StepInputs;
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
final class ClLaunch implements Launch {
  private final cl_command_queue queue;
  private final String name;
  private final cl_kernel kernel;
  private final List<Argument> arguments;
  private final Grid grid;
  private final boolean perOutput;
  private final long[] local;
  private final long[] global;

  /**
   * @param perOutput whether the rows of a step are its outputs, not its tokens
   */
  ClLaunch(
      cl_command_queue queue,
      String name,
      cl_kernel kernel,
      List<Argument> arguments,
      Grid grid,
      boolean perOutput) {
    Handles.made();
    this.queue = queue;
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
    set(index, Sizeof.cl_mem, Pointer.to(ClBuffer.memory(buffer)));
  }

  private void set(int index, long size, Pointer value) {
    OpenCl.check(
        CL.clSetKernelArg(kernel, index, size, value), "set argument " + index + " of " + name);
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
