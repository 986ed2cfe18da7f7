package dev.kancil.format;

import dev.kancil.tensor.Tensor;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * What was learnt beside a model's weights to change them (Hu et al. 2021, "LoRA"). Tensors are
 * views of its file: closing gives back its memory, and none may be used after that.
 */
public final class Adapter implements AutoCloseable {
  private final String name;
  private final SequencedMap<String, Change> changes;
  private final AutoCloseable file;

  /**
   * @param name what errors call it: a file or folder
   * @param changes by the names of a checkpoint's tensors
   * @param file which is closed with it
   */
  public Adapter(String name, SequencedMap<String, Change> changes, AutoCloseable file) {
    this.name = name;
    this.changes = Collections.unmodifiableSequencedMap(changes);
    this.file = file;
  }

  /** What becomes of a tensor. */
  public sealed interface Change {}

  /**
   * {@code W + scale · B·A}; with a magnitude, each row of that is brought to the length that the
   * magnitude says (Liu et al. 2024, "DoRA").
   *
   * @param a [rank, in]
   * @param b [out, rank]
   * @param isTransposed whether the tensor is [in, out]
   * @param magnitude [out]
   */
  public record LowRank(
      Tensor a, Tensor b, float scale, boolean isTransposed, Optional<Tensor> magnitude)
      implements Change {}

  /** Another tensor in its place. */
  public record Replaced(Tensor tensor) implements Change {}

  /** What errors call it. */
  public String name() {
    return name;
  }

  /** By the names of a checkpoint's tensors. */
  public Map<String, Change> changes() {
    return changes;
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
