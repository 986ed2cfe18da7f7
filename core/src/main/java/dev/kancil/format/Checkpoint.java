package dev.kancil.format;

import dev.kancil.UnsupportedException;
import dev.kancil.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A model as it lies on disk: settings and named tensors. Closing gives back its memory; no tensor
 * may be used after that.
 */
public interface Checkpoint extends AutoCloseable {
  /** How weights are named and laid out, where formats differ. */
  enum Layout {
    /** As llama.cpp writes them. */
    GGUF,
    /** As Hugging Face transformers does. */
    HUGGING_FACE
  }

  /** See {@link Layout}. */
  Layout layout();

  /** What errors call it: a file or folder. */
  String name();

  /** The architecture's name, as the format spells it. */
  String architecture();

  /** What the checkpoint itself calls a setting. */
  String settingName(String key);

  /** A setting of the architecture, such as {@code block_count}; empty if absent. */
  Optional<Long> integer(String key);

  /** A setting that is a number of any kind. */
  Optional<Double> number(String key);

  /** A setting that is a text. */
  Optional<String> string(String key);

  /**
   * A setting that is a list of integers or truth values, one for each layer; a single value stands
   * for a list of one. Empty if absent.
   */
  List<Long> integers(String key);

  /** A setting that is a truth value. */
  Optional<Boolean> flag(String key);

  /** A setting that is a list of numbers; empty if absent. */
  List<Double> numbers(String key);

  /** A setting that is a list of texts; empty if absent. */
  List<String> strings(String key);

  /**
   * The same tensors with the settings of a part.
   *
   * @param part its key
   * @param kind the architecture whose usual settings hold where the part does not say
   * @throws UnsupportedException if the format has no such parts
   */
  default Checkpoint part(String part, String kind) {
    throw new UnsupportedException(
        name() + ": architecture " + architecture() + " can't be read from this format");
  }

  Optional<Tensor> tensor(String name);

  Set<String> tensorNames();

  @Override
  void close();
}
