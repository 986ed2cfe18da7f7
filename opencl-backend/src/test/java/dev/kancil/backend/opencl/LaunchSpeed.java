package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import java.util.Arrays;
import java.util.List;
import org.jocl.CL;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_program;

/**
 * Prints what the host pays to enqueue a kernel that does nothing, through JOCL alone and as a
 * step's launch, and how many such kernels the device runs. Run by hand.
 */
final class LaunchSpeed {
  private static final int KERNELS = 200;
  private static final int ROUNDS = 501;

  private LaunchSpeed() {}

  // What later versions deprecate is all that 1.2 has.
  @SuppressWarnings("deprecation")
  public static void main(String[] args) {
    ClDevice device = Platforms.find().devices().getFirst();
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(CL.CL_CONTEXT_PLATFORM, device.platform());
    cl_device_id[] ids = {device.id()};
    cl_context context = CL.clCreateContext(properties, 1, ids, null, null, null);
    cl_command_queue queue = CL.clCreateCommandQueue(context, device.id(), 0, null);
    cl_program program =
        CL.clCreateProgramWithSource(
            context, 1, new String[] {"kernel void empty(int unused) {}"}, null, null);
    OpenCl.check(CL.clBuildProgram(program, 1, ids, "", null, null), "build");
    cl_kernel kernel = CL.clCreateKernel(program, "empty", null);
    System.out.println(device.name());
    try (Launch launch =
        new ClLaunch(
            queue,
            "empty",
            kernel,
            List.of(new Argument.Whole(1)),
            Grid.of(1, rows -> rows),
            false)) {
      long[] one = {1};
      print(
          "JOCL",
          queue,
          () -> CL.clEnqueueNDRangeKernel(queue, kernel, 1, null, one, one, 0, null, null));
      print("a launch", queue, () -> launch.enqueue(1, 1));
    }
    CL.clReleaseProgram(program);
    CL.clReleaseCommandQueue(queue);
    CL.clReleaseContext(context);
  }

  private static void print(String name, cl_command_queue queue, Runnable enqueue) {
    long[] enqueued = new long[ROUNDS];
    long[] ended = new long[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < KERNELS; i++) {
        enqueue.run();
      }
      enqueued[round] = System.nanoTime() - start;
      CL.clFinish(queue);
      ended[round] = System.nanoTime() - start;
    }
    Arrays.sort(enqueued);
    Arrays.sort(ended);
    System.out.printf(
        "%-8s %6.2f µs to enqueue a kernel, %6.2f µs until it has run%n",
        name, enqueued[ROUNDS / 2] / 1e3 / KERNELS, ended[ROUNDS / 2] / 1e3 / KERNELS);
  }
}
