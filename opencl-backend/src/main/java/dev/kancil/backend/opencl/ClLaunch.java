package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import java.util.List;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_kernel;

/** A launch of an OpenCL kernel, which it releases. */
final class ClLaunch extends Launch {
  private final cl_command_queue queue;
  private final String name;
  private final cl_kernel kernel;
  private final long[] local;
  private final long[] global;

  /**
   * Binds a kernel.
   *
   * @param perOutput whether the rows of a step are its outputs, not its tokens
   */
  ClLaunch(
      cl_command_queue queue,
      String name,
      cl_kernel kernel,
      List<Argument> arguments,
      Grid grid,
      boolean perOutput) {
    super(arguments, grid, perOutput);
    Handles.made();
    this.queue = queue;
    this.name = name;
    this.kernel = kernel;
    local = grid.local();
    global = new long[local.length];
    try {
      bindFixed();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  protected void set(int index, DeviceBuffer buffer) {
    set(index, Sizeof.cl_mem, Pointer.to(ClBuffer.memory(buffer)));
  }

  @Override
  protected void set(int index, int value) {
    set(index, Sizeof.cl_int, Pointer.to(new int[] {value}));
  }

  @Override
  protected void set(int index, long value) {
    set(index, Sizeof.cl_long, Pointer.to(new long[] {value}));
  }

  @Override
  protected void set(int index, float value) {
    set(index, Sizeof.cl_float, Pointer.to(new float[] {value}));
  }

  private void set(int index, long size, Pointer value) {
    OpenCl.check(
        CL.clSetKernelArg(kernel, index, size, value), "set argument " + index + " of " + name);
  }

  @Override
  protected void enqueue(long[] workGroups) {
    for (int i = 0; i < global.length; i++) {
      global[i] = workGroups[i] * local[i];
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
