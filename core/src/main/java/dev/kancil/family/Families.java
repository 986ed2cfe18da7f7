package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.backend.WeightSource;
import dev.kancil.format.Checkpoint;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import java.util.Map;
import java.util.TreeMap;

/** The families there are, by the architecture names of checkpoints. */
public final class Families {
  private static final Map<String, Family> BY_ARCHITECTURE =
      new TreeMap<>(
          Map.of(
              "llama", new Llama(),
              "gemma3", new Gemma3()));

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
    Family family = BY_ARCHITECTURE.get(checkpoint.architecture());
    if (family == null) {
      throw new UnsupportedException(
          checkpoint.name()
              + ": architecture "
              + checkpoint.architecture()
              + " is not supported; supported are "
              + String.join(", ", BY_ARCHITECTURE.keySet()));
    }
    Hyperparameters settings = new Hyperparameters(checkpoint);
    Weights weights = new Weights(checkpoint, WeightNames.GGUF);
    Graph graph;
    int vocabulary;
    try {
      graph = DecoderGraph.build(family.decoder(settings), weights, keyType, valueType);
      vocabulary = Math.toIntExact(weights.vocabulary());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new FormatException(checkpoint.name() + ": " + e.getMessage(), e);
    }
    weights.requireAllUsed();
    return new LoadedGraph(graph, weights, settings.contextLength(), vocabulary);
  }
}
