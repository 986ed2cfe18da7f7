package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.StepInputs;
import java.util.List;
import java.util.Map;

/** Makes launches of CUDA kernels. */
final class CudaLaunchMaker extends LaunchMaker {
  private final CudaMemory memory;
  private final CudaKernels kernels;

  CudaLaunchMaker(CudaMemory memory, CudaKernels kernels, StepInputs inputs) {
    super(inputs);
    this.memory = memory;
    this.kernels = kernels;
  }

  @Override
  protected Launch make(
      String file,
      String function,
      Map<String, String> defines,
      List<Argument> arguments,
      Grid grid,
      boolean perOutput) {
    return new CudaLaunch(
        memory, function, kernels.kernel(file, function, defines), arguments, grid, perOutput);
  }
}
