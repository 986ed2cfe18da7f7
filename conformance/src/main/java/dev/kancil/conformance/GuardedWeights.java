package dev.kancil.conformance;

import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Weights between zones that read as NaN, in native memory as a mapped file is. A kernel that reads
 * past a weight spoils its result, and one that writes is caught.
 */
final class GuardedWeights implements WeightSource, AutoCloseable {
  private static final long ZONE = 4096;
  private static final byte POISON = (byte) 0xff;

  private record Guarded(Tensor original, Tensor copy, MemorySegment whole) {}

  private final Arena arena = Arena.ofShared();
  private final Map<String, Guarded> tensors = new HashMap<>();

  GuardedWeights(Map<String, Tensor> originals) {
    originals.forEach(
        (name, tensor) -> {
          long bytes = tensor.data().byteSize();
          MemorySegment whole = arena.allocate(bytes + 2 * ZONE, 64).fill(POISON);
          MemorySegment data = whole.asSlice(ZONE, bytes);
          data.copyFrom(tensor.data());
          Tensor copy = new Tensor(tensor.type(), tensor.shape(), data.asReadOnly());
          tensors.put(name, new Guarded(tensor, copy, whole));
        });
  }

  @Override
  public Tensor tensor(Weight weight) {
    Guarded guarded = tensors.get(weight.name());
    if (guarded == null) {
      throw new IllegalArgumentException("no weight " + weight.name());
    }
    return guarded.copy();
  }

  /** The name of a weight that was changed, or whose surroundings were; null if all is well. */
  @Nullable String damaged() {
    for (Map.Entry<String, Guarded> entry : tensors.entrySet()) {
      Guarded guarded = entry.getValue();
      MemorySegment whole = guarded.whole();
      if (isDamaged(whole.asSlice(0, ZONE))
          || isDamaged(whole.asSlice(whole.byteSize() - ZONE))
          || guarded.copy().data().mismatch(guarded.original().data()) >= 0) {
        return entry.getKey();
      }
    }
    return null;
  }

  private static boolean isDamaged(MemorySegment zone) {
    byte[] bytes = zone.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    for (byte value : bytes) {
      if (value != POISON) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    arena.close();
  }
}
