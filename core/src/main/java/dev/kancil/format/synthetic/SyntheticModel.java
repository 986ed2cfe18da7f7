package dev.kancil.format.synthetic;

import dev.kancil.InvalidRequestException;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.synthetic.WeightMix.Role;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A model without a file, for measuring: the sizes of a known one, and random weights. All layers
 * share the data of their weights, so that it takes little more memory than its largest matrices; a
 * device with memory of its own copies each. Its tokens spell nothing.
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

  /** Makes it; the caller closes it. */
  public GgufFile open() {
    Arena arena = Arena.ofShared();
    try {
      GgufMetadata metadata = new GgufMetadata(name(), metadata());
      return GgufFile.inMemory(Path.of(name()), metadata, tensors(new RandomWeights(arena)), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private Map<String, GgufValue> metadata() {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    values.put("general.architecture", new GgufValue.Text("llama"));
    values.put("general.name", new GgufValue.Text(name()));
    values.put("llama.context_length", integer(ModelShape.CONTEXT));
    values.put("llama.embedding_length", integer(shape.width));
    values.put("llama.block_count", integer(shape.layers));
    values.put("llama.feed_forward_length", integer(shape.feedForward));
    values.put("llama.attention.head_count", integer(shape.heads));
    values.put("llama.attention.head_count_kv", integer(shape.kvHeads));
    values.put("llama.attention.key_length", integer(shape.headWidth));
    values.put("llama.attention.value_length", integer(shape.headWidth));
    values.put("llama.attention.layer_norm_rms_epsilon", new GgufValue.Float32(1e-5f));
    values.put("llama.rope.freq_base", new GgufValue.Float32(shape.ropeBase));
    values.put("tokenizer.ggml.model", new GgufValue.Text("llama"));
    values.put("tokenizer.ggml.tokens", new GgufValue.Texts(tokens()));
    values.put("tokenizer.ggml.scores", new GgufValue.Floats(new float[shape.vocabulary]));
    return values;
  }

  private List<String> tokens() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    while (tokens.size() < shape.vocabulary) {
      tokens.add("<" + tokens.size() + ">");
    }
    return tokens;
  }

  private static GgufValue integer(int value) {
    return new GgufValue.Int(GgufValue.IntType.UINT32, value);
  }

  private SequencedMap<String, Tensor> tensors(RandomWeights weights) {
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    int width = shape.width;
    tensors.put(
        "token_embd.weight",
        matrix(weights, shape.tied ? Role.HEAD : Role.EMBEDDING, 0, shape.vocabulary, width));
    tensors.put("output_norm.weight", weights.norm(width));
    if (!shape.tied) {
      tensors.put("output.weight", matrix(weights, Role.HEAD, 0, shape.vocabulary, width));
    }
    int queries = shape.heads * shape.headWidth;
    int keys = shape.kvHeads * shape.headWidth;
    int inner = shape.feedForward;
    for (int layer = 0; layer < shape.layers; layer++) {
      String name = "blk." + layer + ".";
      tensors.put(name + "attn_norm.weight", weights.norm(width));
      tensors.put(name + "attn_q.weight", matrix(weights, Role.OTHER, layer, queries, width));
      tensors.put(name + "attn_k.weight", matrix(weights, Role.OTHER, layer, keys, width));
      tensors.put(name + "attn_v.weight", matrix(weights, Role.VALUE, layer, keys, width));
      tensors.put(name + "attn_output.weight", matrix(weights, Role.OTHER, layer, width, queries));
      tensors.put(name + "ffn_norm.weight", weights.norm(width));
      tensors.put(name + "ffn_gate.weight", matrix(weights, Role.OTHER, layer, inner, width));
      tensors.put(name + "ffn_up.weight", matrix(weights, Role.OTHER, layer, inner, width));
      tensors.put(name + "ffn_down.weight", matrix(weights, Role.DOWN, layer, width, inner));
    }
    return tensors;
  }

  private Tensor matrix(RandomWeights weights, Role role, int layer, int rows, int columns) {
    return weights.matrix(mix.type(role, layer, shape.layers), rows, columns);
  }
}
