package dev.kancil.backend.host;

import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Weights computed from where they lie, such as a mapped file; or laid anew for kernels, whereupon
 * the mapped pages are given back to the system.
 */
final class HostWeights implements DeviceWeights {
  private final WeightSource source;
  private final Map<String, Tensor> tensors = new HashMap<>();
  private final Map<String, MemorySegment> packed = new HashMap<>();
  private final Arena arena = Arena.ofShared();
  private long bytes;

  HostWeights(WeightSource source) {
    this.source = source;
  }

  synchronized Tensor tensor(Weight weight) {
    return tensors.computeIfAbsent(weight.name(), _ -> fetch(weight));
  }

  private Tensor fetch(Weight weight) {
    Tensor tensor = source.tensor(weight);
    if (tensor.type() != weight.type() || !tensor.shape().equals(weight.shape())) {
      throw new IllegalArgumentException(
          weight + " is bound to " + tensor.type() + " " + tensor.shape());
    }
    return tensor;
  }

  synchronized MemorySegment packed(Weight weight, Packing packing) {
    return packed.computeIfAbsent(
        weight.name(),
        _ -> {
          Tensor tensor = tensors.get(weight.name());
          MemorySegment from = (tensor == null ? fetch(weight) : tensor).data();
          MemorySegment to = NativeMemory.allocateHuge(packing.bytes(), arena, weight.name());
          packing.pack(from, to);
          bytes += packing.bytes();
          if (from.isMapped()) {
            from.unload();
          }
          return to;
        });
  }

  @Override
  public synchronized long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    arena.close();
  }
}
