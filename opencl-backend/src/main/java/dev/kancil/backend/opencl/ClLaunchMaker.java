package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.StepInputs;
import java.util.List;
import java.util.Map;
import org.jocl.cl_command_queue;

/** Makes launches of OpenCL kernels. */
final class ClLaunchMaker extends LaunchMaker {
  private final cl_command_queue queue;
  private final Programs programs;

  ClLaunchMaker(cl_command_queue queue, Programs programs, StepInputs inputs) {
    super(inputs);
    this.queue = queue;
    this.programs = programs;
  }

  @Override
  protected Launch make(
      String file,
      String function,
      Map<String, String> defines,
      List<Argument> arguments,
      Grid grid,
      boolean perOutput) {
    return new ClLaunch(
        queue, function, programs.kernel(file, function, defines), arguments, grid, perOutput);
  }
}
