package dev.kancil.backend.host;

import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Weights computed from where they lie, such as a mapped file; or laid anew for kernels, whereupon
 * the mapped pages are given back to the system.
 */
final class HostWeights implements DeviceWeights {
  private final WeightSource source;
  private final Map<String, Tensor> tensors = new HashMap<>();
  private final Map<String, MemorySegment> packed = new HashMap<>();
  private final Arena arena = Arena.ofShared();
  private LongConsumer laid = _ -> {};
  private long bytes;

  HostWeights(WeightSource source) {
    this.source = source;
  }

  /** Who is told the bytes of each weight, as it is stored, when it has been laid anew. */
  synchronized void onLaid(LongConsumer listener) {
    laid = listener;
  }

  /** Bytes of weights, as they are stored, that a graph reads and that have not been laid anew. */
  synchronized long missingBytes(Graph graph) {
    return graph.weights().stream()
        .filter(weight -> !packed.containsKey(weight.name()))
        .mapToLong(weight -> weight.type().byteSize(weight.shape().elements()))
        .sum();
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
          laid.accept(from.byteSize());
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
