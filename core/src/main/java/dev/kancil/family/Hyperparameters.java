package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import java.util.List;
import java.util.Optional;

/**
 * A checkpoint's settings, checked and under the names that GGUF gives them. What is missing or out
 * of range is an error that names it.
 */
public final class Hyperparameters {
  private static final int MAX_LAYERS = 4096;
  private static final int MAX_WIDTH = 1 << 20;

  private final Checkpoint checkpoint;

  public Hyperparameters(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  public int blocks() {
    return required("block_count", MAX_LAYERS);
  }

  /** Columns of the residual stream. */
  public int width() {
    return required("embedding_length", MAX_WIDTH);
  }

  /** The longest context that the model was made for. */
  public int contextLength() {
    return required("context_length", Integer.MAX_VALUE);
  }

  public int heads(int layer) {
    return perLayer("attention.head_count", layer)
        .orElseThrow(() -> missing("attention.head_count"));
  }

  public int kvHeads(int layer) {
    return perLayer("attention.head_count_kv", layer).orElseGet(() -> heads(layer));
  }

  public int feedForwardWidth(int layer) {
    return perLayer("feed_forward_length", layer).orElseThrow(() -> missing("feed_forward_length"));
  }

  /** Columns of one head's queries and keys. */
  public int keyWidth() {
    return optional("attention.key_length", MAX_WIDTH)
        .orElseGet(
            () -> {
              int heads = heads(0);
              if (width() % heads != 0) {
                throw invalid("attention.head_count", "does not divide embedding_length");
              }
              return width() / heads;
            });
  }

  /** Columns of one head's values. */
  public int valueWidth() {
    return optional("attention.value_length", MAX_WIDTH).orElseGet(this::keyWidth);
  }

  public float rmsNormEpsilon() {
    String key = "attention.layer_norm_rms_epsilon";
    double epsilon = checkpoint.number(key).orElseThrow(() -> missing(key));
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw invalid(key, "is " + epsilon);
    }
    return (float) epsilon;
  }

  /** A positive integer, if it is there. */
  public Optional<Integer> optional(String key, int most) {
    return checkpoint
        .integer(key)
        .map(
            value -> {
              if (value < 1 || value > most) {
                throw invalid(key, "is " + value + ", not 1 to " + most);
              }
              return value.intValue();
            });
  }

  /** A positive number, if it is there. */
  public Optional<Double> positive(String key) {
    return checkpoint
        .number(key)
        .map(
            value -> {
              if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
                throw invalid(key, "is " + value);
              }
              return value;
            });
  }

  public Optional<String> string(String key) {
    return checkpoint.string(key);
  }

  /** One integer for each layer, or nothing if the key is absent. */
  public List<Long> layers(String key) {
    List<Long> values = checkpoint.integers(key);
    if (values.size() > 1 && values.size() < blocks()) {
      throw invalid(key, "has " + values.size() + " entries for " + blocks() + " layers");
    }
    return values;
  }

  private Optional<Integer> perLayer(String key, int layer) {
    List<Long> values = layers(key);
    if (values.isEmpty()) {
      return Optional.empty();
    }
    long value = values.get(values.size() == 1 ? 0 : layer);
    if (value < 1 || value > MAX_WIDTH) {
      throw invalid(key, "is " + value);
    }
    return Optional.of((int) value);
  }

  private int required(String key, int most) {
    return optional(key, most).orElseThrow(() -> missing(key));
  }

  /** The error for a setting that makes no sense. */
  public FormatException invalid(String key, String why) {
    return new FormatException(place(key) + why);
  }

  /** The error for a setting that Kancil has no code for. */
  public UnsupportedException unsupported(String key, String why) {
    return new UnsupportedException(place(key) + why + ", which is not supported");
  }

  private String place(String key) {
    return checkpoint.name() + ": " + checkpoint.architecture() + "." + key + " ";
  }

  private FormatException missing(String key) {
    return new FormatException(
        checkpoint.name() + ": no metadata " + checkpoint.architecture() + "." + key);
  }
}
