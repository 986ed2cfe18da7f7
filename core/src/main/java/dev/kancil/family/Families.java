package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.UnsupportedException;
import dev.kancil.backend.WeightSource;
import dev.kancil.format.Checkpoint;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;

/** The families there are, by the architecture names of checkpoints. */
public final class Families {
  private static final List<Family> ALL =
      List.of(
          new Bloom(),
          new Cohere(),
          new DeepSeek(),
          new Falcon(),
          new Gemma(),
          new Glm(),
          new Gpt2(),
          new GptJ(),
          new GptNeox(),
          new GptOss(),
          new Granite(),
          new Llama(),
          new Olmo(),
          new Olmo2(),
          new Olmoe(),
          new Opt(),
          new Phi(),
          new Phi3(),
          new Qwen(),
          new StableLm(),
          new Starcoder2());

  private static final Map<String, Family> BY_ARCHITECTURE = new TreeMap<>();

  static {
    for (Family family : ALL) {
      family.architectures().forEach(name -> BY_ARCHITECTURE.put(name, family));
    }
  }

  private Families() {}

  /**
   * A checkpoint's graph and where its weights come from.
   *
   * @param graph in primitives, with the output {@code logits}
   * @param weights views of the checkpoint's tensors
   * @param contextLength the longest context that the model was made for
   * @param vocabulary how many token ids there are
   */
  public record LoadedGraph(Graph graph, WeightSource weights, int contextLength, int vocabulary) {}

  /**
   * Builds the graph of a checkpoint.
   *
   * @param keyType how keys are cached
   * @param valueType how values are cached
   * @throws UnsupportedException if the architecture is unknown
   * @throws FormatException if settings or tensors don't fit together
   */
  public static LoadedGraph load(Checkpoint checkpoint, DataType keyType, DataType valueType) {
    return load(checkpoint, keyType, valueType, length -> length);
  }

  /**
   * As {@link #load(Checkpoint, DataType, DataType)}, where sequences don't have as many tokens as
   * the model was made for, on which some models' rotations depend.
   *
   * @param context the most tokens of a sequence, by how many the model was made for
   * @throws InvalidRequestException if the model has no positions for so many
   */
  public static LoadedGraph load(
      Checkpoint checkpoint, DataType keyType, DataType valueType, IntUnaryOperator context) {
    Family family = BY_ARCHITECTURE.get(checkpoint.architecture());
    if (family == null) {
      throw new UnsupportedException(
          checkpoint.name()
              + ": architecture "
              + checkpoint.architecture()
              + " is not supported; supported are "
              + String.join(", ", BY_ARCHITECTURE.keySet()));
    }
    Hyperparameters settings = new Hyperparameters(checkpoint, family.usualContext(), context);

    Weights weights;
    Graph graph;
    int vocabulary;
    try {
      weights = new Weights(checkpoint, family.names(settings));
      Decoder decoder = family.decoder(settings);
      requirePositions(checkpoint, decoder.embeddings().positions(), settings.context());
      graph = DecoderGraph.build(decoder, weights, keyType, valueType);
      vocabulary = Math.toIntExact(weights.vocabulary());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new FormatException(checkpoint.name() + ": " + e.getMessage(), e);
    }
    weights.requireComplete();
    return new LoadedGraph(graph, weights, settings.contextLength(), vocabulary);
  }

  private static void requirePositions(Checkpoint checkpoint, int positions, int context) {
    if (positions > 0 && context > positions) {
      throw new InvalidRequestException(
          checkpoint.name()
              + ": the model knows "
              + positions
              + " positions, not "
              + context
              + "; lower --ctx");
    }
  }
}
