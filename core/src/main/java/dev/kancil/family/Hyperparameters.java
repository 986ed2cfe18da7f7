package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.Checkpoint.Layout;
import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A checkpoint's settings, checked and under the names that GGUF gives them. What is missing or out
 * of range is an error that names it.
 */
public final class Hyperparameters {
  private static final int MAX_LAYERS = 4096;
  private static final String AHEAD = "nextn_predict_layers";
  private static final int MAX_WIDTH = 1 << 20;
  private static final int MAX_WINDOW = 1 << 24;

  private final Checkpoint checkpoint;
  private final int usualContext;
  private final IntUnaryOperator context;
  private final Optional<ImageSize> images;

  /**
   * @param usualContext how many tokens the model was made for where the checkpoint does not say;
   *     0: it has to
   * @param context how many tokens a sequence may have, by how many the model was made for
   */
  Hyperparameters(Checkpoint checkpoint, int usualContext, IntUnaryOperator context) {
    this(checkpoint, usualContext, context, Optional.empty());
  }

  /**
   * The same where images are of another size than those that the model was made for.
   *
   * @param images their size; empty: they are not
   */
  Hyperparameters(
      Checkpoint checkpoint,
      int usualContext,
      IntUnaryOperator context,
      Optional<ImageSize> images) {
    this.checkpoint = checkpoint;
    this.usualContext = usualContext;
    this.context = context;
    this.images = images;
  }

  /**
   * Settings of a part, such as {@code vision_config}.
   *
   * @param part its key
   * @param kind the architecture whose usual settings hold where the part does not say
   * @throws UnsupportedException if the format has no such parts
   */
  Hyperparameters part(String part, String kind) {
    return new Hyperparameters(checkpoint.part(part, kind), usualContext, context, images);
  }

  public String architecture() {
    return checkpoint.architecture();
  }

  /** How the checkpoint is laid out. */
  public Layout layout() {
    return checkpoint.layout();
  }

  public boolean isGguf() {
    return layout() == Layout.GGUF;
  }

  /** How many tokens a sequence may have. */
  int context() {
    return context.applyAsInt(contextLength());
  }

  /** The size of images, if it is another than the model was made for. */
  Optional<ImageSize> images() {
    return images;
  }

  public int blocks() {
    int blocks = required("block_count", MAX_LAYERS);
    int ahead = isGguf() ? blocksAhead() : 0;
    if (ahead >= blocks) {
      throw invalid(AHEAD, "is " + ahead);
    }
    return blocks - ahead;
  }

  /** Blocks behind the others that guess further tokens; GGUF files count them, too. */
  int blocksAhead() {
    long count = checkpoint.integer(AHEAD).orElse(0L);
    if (count < 0 || count > MAX_LAYERS) {
      throw invalid(AHEAD, "is " + count);
    }
    return (int) count;
  }

  /** A declaration for each block, by its number. */
  public List<Block> eachBlock(IntFunction<Block> block) {
    return eachBlock(blocks(), block);
  }

  /** A declaration for each of so many blocks, by its number. */
  public List<Block> eachBlock(int count, IntFunction<Block> block) {
    return IntStream.range(0, count).mapToObj(block).toList();
  }

  /** Columns of the residual stream. */
  public int width() {
    return required("embedding_length", MAX_WIDTH);
  }

  /** The longest context that the model was made for. */
  public int contextLength() {
    Optional<Integer> length = optional("context_length", Integer.MAX_VALUE);
    return length.isEmpty() && usualContext > 0
        ? usualContext
        : length.orElseThrow(() -> missing("context_length"));
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

  /** As {@link #feedForwardWidth}; four times the width where the checkpoint does not say. */
  public int feedForwardWidthOrFourfold(int layer) {
    return layers("feed_forward_length").isEmpty()
        ? Math.multiplyExact(4, width())
        : feedForwardWidth(layer);
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
    return epsilon("attention.layer_norm_rms_epsilon");
  }

  public float layerNormEpsilon() {
    return epsilon("attention.layer_norm_epsilon");
  }

  private float epsilon(String key) {
    double epsilon = checkpoint.number(key).orElseThrow(() -> missing(key));
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw invalid(key, "is " + epsilon);
    }
    return (float) epsilon;
  }

  /** How many heads a layer has, and how wide. */
  public Heads headsOf(int layer) {
    return new Heads(heads(layer), kvHeads(layer), keyWidth(), valueWidth());
  }

  /** How many of the last positions a windowed layer sees; 0: all. */
  public int window() {
    boolean isOff = !isGguf() && !flag("use_sliding_window", true);
    return isOff ? 0 : windowIfUsed();
  }

  /** The same, whether or not a configuration says that layers use it. */
  int windowIfUsed() {
    return optional("attention.sliding_window", MAX_WINDOW).orElse(0);
  }

  /**
   * Whether the output matrix is the token embedding by declaration.
   *
   * @param usually what holds where a configuration does not say; other formats never do
   */
  public boolean isTied(boolean usually) {
    return !isGguf() && flag("tie_word_embeddings", usually);
  }

  /**
   * Whether a layer sees a window only: as a configuration says of each layer, or all but every
   * last of so many.
   *
   * @param usualPeriod how many that is where the checkpoint does not say
   */
  public boolean isWindowed(int layer, int usualPeriod) {
    List<String> types = layerTypes();
    if (!types.isEmpty()) {
      return types.get(layer).equals("sliding_attention");
    }
    List<Long> windowed =
        layers(isGguf() ? "attention.sliding_window_pattern" : "sliding_window_pattern");
    if (windowed.size() > 1) {
      return windowed.get(layer) != 0;
    }
    long period = windowed.isEmpty() ? usualPeriod : Math.max(1, windowed.getFirst());
    return (layer + 1) % period != 0;
  }

  /**
   * Whether something has a bias: as a configuration's flag says, or as the first block of a GGUF
   * file does, where some have it.
   *
   * @param usual what holds where a configuration does not say
   * @param names what has it in GGUF, of which one is enough; none if it never has
   */
  public boolean hasBias(String flag, boolean usual, String... names) {
    if (!isGguf()) {
      return flag(flag, usual);
    }
    return Stream.of(names).anyMatch(name -> hasTensor("blk.0." + name + ".bias"));
  }

  /** Whether the checkpoint has a tensor. */
  public boolean hasTensor(String name) {
    return checkpoint.tensor(name).isPresent();
  }

  /** Whether the checkpoint has a tensor whose name ends so. */
  boolean hasTensorEnding(String end) {
    return checkpoint.tensorNames().stream().anyMatch(name -> name.endsWith(end));
  }

  /** How many rows a tensor has; empty if there is none. */
  public OptionalInt rowsOf(String name) {
    return checkpoint
        .tensor(name)
        .map(tensor -> OptionalInt.of(Math.toIntExact(tensor.shape().dimension(0))))
        .orElseGet(OptionalInt::empty);
  }

  /**
   * Whether a configuration says that the checkpoint is of a class whose name ends so, such as
   * {@code ForTokenClassification}.
   */
  public boolean isClass(String end) {
    return strings("architectures").stream().anyMatch(name -> name.endsWith(end));
  }

  /** The activation of feed-forward parts; {@code usual} where the checkpoint does not say. */
  public Activation activation(Activation usual) {
    for (String key :
        List.of("hidden_act", "hidden_activation", "activation_function", "activation")) {
      if (!isGguf() && string(key).isPresent()) {
        return activation(key, usual);
      }
    }
    return usual;
  }

  /** The activation that a setting names; {@code usual} where there is none. */
  public Activation activation(String key, Activation usual) {
    return string(key)
        .map(name -> activationOf(name).orElseThrow(() -> unsupported(key, "is " + name)))
        .orElse(usual);
  }

  /** The activation that configurations call so, if there is one. */
  static Optional<Activation> activationOf(String name) {
    return switch (name) {
      case "silu", "swish" -> Optional.of(Activation.SILU);
      case "gelu", "gelu_python" -> Optional.of(Activation.GELU);
      case "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate" ->
          Optional.of(Activation.GELU_TANH);
      case "quick_gelu" -> Optional.of(Activation.QUICK_GELU);
      case "relu" -> Optional.of(Activation.RELU);
      case "relu2" -> Optional.of(Activation.RELU_SQUARED);
      default -> Optional.empty();
    };
  }

  /** Whether the checkpoint has a truth value. */
  public boolean hasFlag(String key) {
    return checkpoint.flag(key).isPresent();
  }

  /** A truth value; {@code usual} where there is none. */
  public boolean flag(String key, boolean usual) {
    return checkpoint.flag(key).orElse(usual);
  }

  /** A list of texts; empty if there is none. */
  public List<String> strings(String key) {
    return checkpoint.strings(key);
  }

  /** A list of integers; empty if there is none. */
  public List<Long> integers(String key) {
    return checkpoint.integers(key);
  }

  /** What each layer is, as configurations say: a text for each layer, or nothing. */
  public List<String> layerTypes() {
    List<String> types = isGguf() ? List.of() : strings("layer_types");
    if (!types.isEmpty() && types.size() < blocks()) {
      throw invalid("layer_types", "has " + types.size() + " entries for " + blocks() + " layers");
    }
    return types;
  }

  /** A list of numbers; empty if there is none. */
  public List<Double> numbers(String key) {
    return checkpoint.numbers(key);
  }

  /** A positive integer that must be there. */
  public int required(String key) {
    return required(key, MAX_WIDTH);
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

  /** A number, if it is there. */
  public Optional<Double> number(String key) {
    return checkpoint.number(key);
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
    return checkpoint.name() + ": " + checkpoint.settingName(key) + " ";
  }

  private FormatException missing(String key) {
    return new FormatException(checkpoint.name() + ": no metadata " + checkpoint.settingName(key));
  }
}
