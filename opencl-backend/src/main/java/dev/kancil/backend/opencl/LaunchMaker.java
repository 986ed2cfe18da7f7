package dev.kancil.backend.opencl;

import dev.kancil.backend.opencl.Launch.Argument;
import dev.kancil.backend.opencl.Launch.Grid;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes launches, which take the step's counts where they say so, or else at last. It owns them,
 * also those of a program that failed half built.
 */
final class LaunchMaker implements AutoCloseable {
  private final Programs programs;
  private final StepInputs inputs;
  private final List<Launch> made = new ArrayList<>();

  LaunchMaker(Programs programs, StepInputs inputs) {
    this.programs = programs;
    this.inputs = inputs;
  }

  /**
   * @param rows whose number of rows is that of the launch
   */
  Launch launch(
      String file,
      String function,
      Map<String, String> defines,
      List<Argument> arguments,
      Value rows,
      Grid grid) {
    boolean perOutput = isPerOutput(rows);
    List<Argument> all = new ArrayList<>(arguments);
    int at = all.indexOf(new Argument.Counts());
    if (at >= 0) {
      all.remove(at);
    } else {
      at = all.size();
    }
    all.add(at, new Argument.Buffer(inputs.counts()));
    all.add(at + 1, new Argument.Whole(perOutput ? StepInputs.OUTPUTS : StepInputs.TOKENS));
    Launch launch =
        new Launch(function, programs.kernel(file, function, defines), all, grid, perOutput);
    made.add(launch);
    return launch;
  }

  /**
   * {@code gate = activation(gate) · up}, in place.
   *
   * @param y whose rows and columns they have
   */
  Launch glu(Activation activation, DeviceBuffer gate, DeviceBuffer up, Value y) {
    int columns = y.type().columns();
    return launch(
        "element_wise.h",
        "glu",
        Map.of("ACTIVATION_" + activation.name(), ""),
        List.of(
            new Argument.Buffer(gate),
            new Argument.Buffer(up),
            new Argument.Buffer(gate),
            new Argument.Whole(columns)),
        y,
        Grid.ofElements(columns));
  }

  static boolean isPerOutput(Value value) {
    return value.type().rows() == Dimension.Symbolic.OUTPUTS;
  }

  @Override
  public void close() {
    made.forEach(Launch::close);
    made.clear();
  }
}
