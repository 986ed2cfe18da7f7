package dev.kancil.backend.host;

import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/** Weights computed from where they lie, such as a mapped file; nothing is copied. */
final class HostWeights implements DeviceWeights {
  private final WeightSource source;
  private final Map<String, Tensor> tensors = new HashMap<>();

  HostWeights(WeightSource source) {
    this.source = source;
  }

  synchronized Tensor tensor(Weight weight) {
    return tensors.computeIfAbsent(
        weight.name(),
        _ -> {
          Tensor tensor = source.tensor(weight);
          if (tensor.type() != weight.type() || !tensor.shape().equals(weight.shape())) {
            throw new IllegalArgumentException(
                weight + " is bound to " + tensor.type() + " " + tensor.shape());
          }
          return tensor;
        });
  }

  @Override
  public long bytes() {
    return 0;
  }

  @Override
  public void close() {}
}
