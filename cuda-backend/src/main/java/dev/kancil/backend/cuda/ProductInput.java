package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.NormedProduct;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What products multiply weights with, as kernels with {@code held_row.h} take it. */
sealed interface ProductInput {
  /** A value of its size. */
  Value like();

  /** What kernels are compiled with. */
  Map<String, String> defines();

  /** What kernels take. */
  List<Argument> arguments();

  /**
   * A value that lies somewhere.
   *
   * @param like that value, or one of its size
   */
  record Given(Value like, DeviceBuffer place) implements ProductInput {
    @Override
    public Map<String, String> defines() {
      return Map.of();
    }

    @Override
    public List<Argument> arguments() {
      return List.of(new Argument.Buffer(place));
    }
  }

  /** A norm, which kernels compute themselves. */
  record Normed(
      NormedProduct op, Node node, AcceleratorWeights weights, Function<Value, DeviceBuffer> places)
      implements ProductInput {
    @Override
    public Value like() {
      return node.value(0);
    }

    @Override
    public Map<String, String> defines() {
      return op.isSum() ? Map.of("NORM", "", "NORM_OF_SUM", "") : Map.of("NORM", "");
    }

    @Override
    public List<Argument> arguments() {
      List<Argument> arguments = new ArrayList<>();
      arguments.add(new Argument.Buffer(places.apply(node.value(0))));
      if (op.isSum()) {
        arguments.add(new Argument.Buffer(places.apply(node.value(1))));
      }
      arguments.add(new Argument.Buffer(weights.floats(node.weight(op.normInputs() - 1))));
      if (op.isSum()) {
        arguments.add(new Argument.Buffer(places.apply(node.outputs().getFirst())));
      }
      arguments.add(new Argument.Real(op.epsilon()));
      return arguments;
    }
  }
}
