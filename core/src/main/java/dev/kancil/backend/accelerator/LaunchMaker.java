package dev.kancil.backend.accelerator;

import dev.kancil.graph.Value;
import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes launches, which take the step's counts where they say so, or else at last. It owns them,
 * also those of a program that failed half built.
 */
public final class LaunchMaker implements AutoCloseable {
  private final StepInputs inputs;
  private final Binder binder;
  private final List<Launch> made = new ArrayList<>();

  /** Binds a backend's kernels. */
  @FunctionalInterface
  public interface Binder {
    /**
     * Binds a kernel to its arguments.
     *
     * @param perOutput whether the rows of a step are its outputs, not its tokens
     */
    Launch bind(
        String file,
        String function,
        Map<String, String> defines,
        List<Argument> arguments,
        Grid grid,
        boolean perOutput);
  }

  /** Makes launches of a program. */
  public LaunchMaker(StepInputs inputs, Binder binder) {
    this.inputs = inputs;
    this.binder = binder;
  }

  /**
   * Makes a launch, which this closes.
   *
   * @param file of kernels
   * @param function of the file
   * @param defines names and what they stand for
   * @param rows whose number of rows is that of the launch
   */
  public Launch launch(
      String file,
      String function,
      Map<String, String> defines,
      List<Argument> arguments,
      Value rows,
      Grid grid) {
    boolean perOutput = Work.isPerOutput(rows);
    List<Argument> all = new ArrayList<>(arguments);
    int at = all.indexOf(new Argument.Counts());
    if (at >= 0) {
      all.remove(at);
    } else {
      at = all.size();
    }
    all.add(at, new Argument.Buffer(inputs.counts()));
    all.add(at + 1, new Argument.Whole(perOutput ? StepInputs.OUTPUTS : StepInputs.TOKENS));
    Launch launch = binder.bind(file, function, defines, all, grid, perOutput);
    made.add(launch);
    return launch;
  }

  /**
   * {@code gate = activation(gate) · up}, in place.
   *
   * @param y whose rows and columns they have
   */
  public Launch glu(Activation activation, DeviceBuffer gate, DeviceBuffer up, Value y) {
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

  /** Waits for what launches need, which may be made at the same time for many of them. */
  void prepare() {
    made.forEach(Launch::prepare);
  }

  @Override
  public void close() {
    made.forEach(Launch::close);
    made.clear();
  }
}
