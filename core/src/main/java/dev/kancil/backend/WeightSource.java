package dev.kancil.backend;

import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;

/** Where weights come from, such as an open model file. */
@FunctionalInterface
public interface WeightSource {
  /**
   * The data of {@code weight}, of exactly its type and shape. It may be made anew each time, in
   * memory that is freed when nobody has the tensor any more: who uses its memory keeps it.
   *
   * @throws dev.kancil.FormatException if it is absent
   */
  Tensor tensor(Weight weight);
}
