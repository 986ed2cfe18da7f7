package dev.kancil.format.synthetic;

import dev.kancil.InvalidRequestException;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.format.synthetic.WeightMix.Role;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;

/**
 * A model for measuring: the sizes of a known one, and random weights. Without a file all layers
 * share the data of their weights, so that it takes little more memory than its largest matrices; a
 * device with memory of its own copies each. A file has data for each.
 */
public record SyntheticModel(ModelShape shape, WeightMix mix) {
  /** What its name begins with. */
  public static final String PREFIX = "synthetic:";

  /** Whether a text asks for one, well or badly. */
  public static boolean isNamed(String text) {
    return text.startsWith(PREFIX);
  }

  /**
   * The model called {@code synthetic:SHAPE:TYPE}, such as {@code synthetic:llama-8b:Q4_K_M}.
   *
   * @throws InvalidRequestException naming what there is, if it is none
   */
  public static SyntheticModel parse(String text) {
    String[] parts = text.split(":", -1);
    if (!isNamed(text) || parts.length != 3) {
      throw new InvalidRequestException(text + " is not of the form " + PREFIX + "SHAPE:TYPE");
    }
    return new SyntheticModel(
        choose(text, "shape", parts[1], ModelShape.values(), ModelShape::label),
        choose(text, "type", parts[2], WeightMix.values(), WeightMix::name));
  }

  private static <T> T choose(
      String text, String what, String wanted, T[] all, Function<T, String> name) {
    return Arrays.stream(all)
        .filter(one -> name.apply(one).equalsIgnoreCase(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidRequestException(
                    "%s: there is no %s %s; there are %s"
                        .formatted(
                            text,
                            what,
                            wanted,
                            Arrays.stream(all).map(name).collect(Collectors.joining(", ")))));
  }

  /** As {@link #parse} takes it. */
  public String name() {
    return PREFIX + shape.label() + ":" + mix.name();
  }

  /** A tensor that is to be filled. */
  record Place(String name, DataType type, Shape shape) {
    long bytes() {
      return Math.multiplyExact(type.byteSize(shape.columns()), shape.rows());
    }
  }

  private record Kind(DataType type, Shape shape) {}

  /** Makes it without a file; the caller closes it. */
  public GgufFile open() {
    Arena arena = Arena.ofShared();
    try {
      RandomWeights weights = new RandomWeights();
      Map<Kind, MemorySegment> made = new HashMap<>();
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      for (Place place : places()) {
        MemorySegment data =
            made.computeIfAbsent(
                new Kind(place.type(), place.shape()),
                _ -> {
                  MemorySegment target = arena.allocate(place.bytes(), 64);
                  weights.fill(place.type(), place.shape(), seed(place), target);
                  return target;
                });
        tensors.put(place.name(), new Tensor(place.type(), place.shape(), data));
      }
      Map<String, GgufValue> values = settings();
      values.putAll(SyntheticVocabulary.GENERATED.sized(shape.vocabulary));
      return GgufFile.inMemory(Path.of(name()), new GgufMetadata(name(), values), tensors, arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /** Bytes of its tensors in a file. */
  public long bytes() {
    return places().stream().mapToLong(Place::bytes).sum();
  }

  /**
   * Does nothing if it can be written as a file.
   *
   * @throws InvalidRequestException if GGUF has no such weights
   */
  public void requireWritable() {
    if (mix == WeightMix.FP8) {
      throw new InvalidRequestException(
          "GGUF has no type for weights of FP8; they can only be measured without a file");
    }
  }

  /**
   * Writes it as a file that other software reads, too.
   *
   * @param vocabulary gets as many tokens as the shape has
   * @param progress hears of the bytes of tensors that have been made
   * @throws InvalidRequestException if it can't be written
   */
  public void write(Path target, SyntheticVocabulary vocabulary, LongConsumer progress) {
    requireWritable();
    GgufWriter writer = new GgufWriter();
    settings().forEach(writer::put);
    vocabulary.sized(shape.vocabulary).forEach(writer::put);
    List<Place> places = places();
    RandomWeights weights = new RandomWeights();
    long largest = places.stream().mapToLong(Place::bytes).max().orElseThrow();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(largest, 64);
      long[] done = {0};
      for (Place place : places) {
        writer.tensor(
            place.name(),
            place.type(),
            place.shape(),
            () -> {
              MemorySegment data = buffer.asSlice(0, place.bytes());
              weights.fill(place.type(), place.shape(), seed(place), data);
              done[0] += place.bytes();
              progress.accept(done[0]);
              return data;
            });
      }
      writer.write(target);
    }
  }

  private static long seed(Place place) {
    return new SplittableRandom(place.name().hashCode()).nextLong();
  }

  private Map<String, GgufValue> settings() {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    String prefix = shape.architecture + ".";
    values.put("general.architecture", new GgufValue.Text(shape.architecture));
    values.put("general.name", new GgufValue.Text(name()));
    values.put(prefix + "context_length", integer(ModelShape.CONTEXT));
    values.put(prefix + "embedding_length", integer(shape.width));
    values.put(prefix + "block_count", integer(shape.layers));
    values.put(prefix + "attention.head_count", integer(shape.heads));
    values.put(prefix + "attention.head_count_kv", integer(shape.kvHeads));
    values.put(prefix + "attention.key_length", integer(shape.headWidth));
    values.put(prefix + "attention.value_length", integer(shape.headWidth));
    values.put(prefix + "attention.layer_norm_rms_epsilon", new GgufValue.Float32(1e-5f));
    values.put(prefix + "rope.freq_base", new GgufValue.Float32(shape.ropeBase));
    values.put(prefix + "rope.dimension_count", integer(shape.headWidth));
    values.put(prefix + "feed_forward_length", integer(shape.feedForward));
    if (shape.window() > 0) {
      values.put(prefix + "attention.sliding_window", integer(shape.window()));
    }
    if (shape.experts > 0) {
      values.put(prefix + "expert_count", integer(shape.experts));
      values.put(prefix + "expert_used_count", integer(shape.usedExperts));
      values.put(prefix + "expert_feed_forward_length", integer(shape.feedForward));
    }
    return values;
  }

  private static GgufValue integer(int value) {
    return new GgufValue.Int(GgufValue.IntType.UINT32, value);
  }

  /** All tensors, in the order of a file. */
  List<Place> places() {
    List<Place> places = new ArrayList<>();
    int width = shape.width;
    int queries = shape.heads * shape.headWidth;
    int keys = shape.kvHeads * shape.headWidth;
    Role embedding = shape.tied ? Role.HEAD : Role.EMBEDDING;
    places.add(matrix("token_embd", embedding, 0, shape.vocabulary, width));
    places.add(floats("output_norm", width));
    if (!shape.tied) {
      places.add(matrix("output", Role.HEAD, 0, shape.vocabulary, width));
    }
    for (int layer = 0; layer < shape.layers; layer++) {
      String name = "blk." + layer + ".";
      places.add(floats(name + "attn_norm", width));
      places.add(matrix(name + "attn_q", Role.QUERY, layer, queries, width));
      places.add(matrix(name + "attn_k", Role.KEY, layer, keys, width));
      places.add(matrix(name + "attn_v", Role.VALUE, layer, keys, width));
      if (shape.hasBiases()) {
        places.add(bias(name + "attn_q", queries));
        places.add(bias(name + "attn_k", keys));
        places.add(bias(name + "attn_v", keys));
      }
      if (shape.hasHeadNorms()) {
        places.add(floats(name + "attn_q_norm", shape.headWidth));
        places.add(floats(name + "attn_k_norm", shape.headWidth));
      }
      places.add(matrix(name + "attn_output", Role.ATTENTION_OUTPUT, layer, width, queries));
      if (shape.hasNormsBehind()) {
        places.add(floats(name + "post_attention_norm", width));
        places.add(floats(name + "post_ffw_norm", width));
      }
      places.add(floats(name + "ffn_norm", width));
      int inner = shape.feedForward;
      if (shape.experts > 0) {
        int experts = shape.experts;
        places.add(floats(name + "ffn_gate_inp", experts, width));
        places.add(matrix(name + "ffn_gate_exps", Role.GATE_OR_UP, layer, experts, inner, width));
        places.add(matrix(name + "ffn_up_exps", Role.GATE_OR_UP, layer, experts, inner, width));
        places.add(matrix(name + "ffn_down_exps", Role.DOWN, layer, experts, width, inner));
      } else {
        places.add(matrix(name + "ffn_gate", Role.GATE_OR_UP, layer, inner, width));
        places.add(matrix(name + "ffn_up", Role.GATE_OR_UP, layer, inner, width));
        places.add(matrix(name + "ffn_down", Role.DOWN, layer, width, inner));
      }
    }
    return places;
  }

  private static Place floats(String name, long... dimensions) {
    return new Place(name + ".weight", DataType.F32, Shape.of(dimensions));
  }

  private static Place bias(String name, long columns) {
    return new Place(name + ".bias", DataType.F32, Shape.of(columns));
  }

  private Place matrix(String name, Role role, int layer, long... dimensions) {
    return new Place(name + ".weight", mix.type(role, layer, shape), Shape.of(dimensions));
  }
}
