package dev.kancil.backend.accelerator;

import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.Value;
import java.util.List;
import java.util.function.Supplier;

/** What a node of a graph makes the device do. */
public interface Work {
  /** Brings arguments that depend on the state. */
  void bind(AcceleratorState state, StepInputs inputs);

  /**
   * Enqueues it for a step.
   *
   * @param tokens rows of the batch
   * @param outputs rows for which outputs are asked
   */
  void enqueue(int tokens, int outputs);

  /**
   * {@code few} for steps of at most {@code most} rows, {@code many} for others; what no step
   * within the limits needs is not made.
   *
   * @param rows whose number of rows decides
   */
  static Work byRows(
      int most, Value rows, StepLimits limits, Supplier<Work> few, Supplier<Work> many) {
    boolean perOutput = isPerOutput(rows);
    boolean isNeverMore = (perOutput ? limits.outputs() : limits.tokens()) <= most;
    return isNeverMore ? few.get() : new ByRows(most, perOutput, few.get(), many.get());
  }

  /** Whether a value has a row for each output, not for each token. */
  static boolean isPerOutput(Value value) {
    return value.type().rows() == Dimension.Symbolic.OUTPUTS;
  }

  /** One after the other. */
  record Sequence(List<Work> parts) implements Work {
    public Sequence {
      parts = List.copyOf(parts);
    }

    @Override
    public void bind(AcceleratorState state, StepInputs inputs) {
      parts.forEach(part -> part.bind(state, inputs));
    }

    @Override
    public void enqueue(int tokens, int outputs) {
      for (int i = 0; i < parts.size(); i++) {
        parts.get(i).enqueue(tokens, outputs);
      }
    }
  }

  /**
   * One of two, by the number of rows.
   *
   * @param most rows of a step that {@code few} is for
   * @param perOutput whether the rows are the outputs, not the tokens
   */
  record ByRows(int most, boolean perOutput, Work few, Work many) implements Work {
    @Override
    public void bind(AcceleratorState state, StepInputs inputs) {
      few.bind(state, inputs);
      many.bind(state, inputs);
    }

    @Override
    public void enqueue(int tokens, int outputs) {
      Work chosen = (perOutput ? outputs : tokens) <= most ? few : many;
      chosen.enqueue(tokens, outputs);
    }
  }
}
