package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Adapter;
import dev.kancil.format.Checkpoint;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;

/** The families there are, by the architecture names of checkpoints. */
public final class Families {
  private static final List<Family> ALL =
      List.of(
          new Albert(),
          new Bart(),
          new Bert(),
          new Bloom(),
          new Clip(),
          new Cohere(),
          new DeepSeek(),
          new DistilBert(),
          new Ernie(),
          new Exaone(),
          new Falcon(),
          new Gemma(),
          new Glm(),
          new GlmMixture(),
          new Gpt2(),
          new GptJ(),
          new GptNeox(),
          new GptOss(),
          new Granite(),
          new Llama(),
          new ModernBert(),
          new Mpnet(),
          new Nemotron(),
          new NomicBert(),
          new Olmo(),
          new Olmo2(),
          new Olmoe(),
          new Opt(),
          new Phi(),
          new Phi3(),
          new Qwen(),
          new Roberta(),
          new SeedOss(),
          new StableLm(),
          new Starcoder2(),
          new T5(),
          new Vit(),
          new VitMae());

  private static final Map<String, Family> BY_ARCHITECTURE = new TreeMap<>();

  static {
    for (Family family : ALL) {
      family.architectures().forEach(name -> BY_ARCHITECTURE.put(name, family));
    }
  }

  private Families() {}

  /**
   * Builds the graph of a decoder.
   *
   * @param keyType how keys are cached
   * @param valueType how values are cached
   * @throws UnsupportedException if the architecture is unknown, or no decoder
   * @throws FormatException if settings or tensors don't fit together
   */
  public static LoadedModel.OfDecoder load(
      Checkpoint checkpoint, DataType keyType, DataType valueType) {
    return load(checkpoint, keyType, valueType, length -> length);
  }

  /**
   * As {@link #load(Checkpoint, DataType, DataType)}, where sequences don't have as many tokens as
   * the model was made for, on which some models' rotations depend.
   *
   * @param context the most tokens of a sequence, by how many the model was made for
   * @throws InvalidRequestException if the model has no positions for so many
   */
  public static LoadedModel.OfDecoder load(
      Checkpoint checkpoint, DataType keyType, DataType valueType, IntUnaryOperator context) {
    return switch (open(checkpoint, keyType, valueType, context)) {
      case LoadedModel.OfDecoder decoder -> decoder;
      case LoadedModel.OfEncoder _, LoadedModel.OfEncoders _ -> throw generatesNothing(checkpoint);
      case LoadedModel.OfEncoderDecoder _ ->
          throw new UnsupportedException(
              checkpoint.name()
                  + ": "
                  + checkpoint.architecture()
                  + " has an encoder and a decoder; use kancil forward");
    };
  }

  /** The error for a model that can't go on with tokens. */
  public static UnsupportedException generatesNothing(Checkpoint checkpoint) {
    return new UnsupportedException(
        checkpoint.name()
            + ": "
            + checkpoint.architecture()
            + " generates no text; use kancil embed, kancil classify or kancil forward");
  }

  /**
   * Builds the graphs of a checkpoint, whatever it is.
   *
   * @param keyType how keys are cached
   * @param valueType how values are cached
   * @param context the most tokens of a sequence, by how many the model was made for
   * @throws UnsupportedException if the architecture is unknown
   * @throws FormatException if settings or tensors don't fit together
   * @throws InvalidRequestException if the model has no positions for so many
   */
  public static LoadedModel open(
      Checkpoint checkpoint, DataType keyType, DataType valueType, IntUnaryOperator context) {
    return open(checkpoint, keyType, valueType, context, List.of());
  }

  /**
   * Builds the graphs of a checkpoint whose weights adapters change; otherwise as {@link
   * #open(Checkpoint, DataType, DataType, IntUnaryOperator)}.
   *
   * @param adapters must outlive the result, as must the checkpoint
   */
  public static LoadedModel open(
      Checkpoint checkpoint,
      DataType keyType,
      DataType valueType,
      IntUnaryOperator context,
      List<Adapter> adapters) {
    return open(checkpoint, keyType, valueType, context, adapters, List.of(), Optional.empty());
  }

  /**
   * Builds the graphs of a checkpoint with adapters beside it; otherwise as {@link
   * #open(Checkpoint, DataType, DataType, IntUnaryOperator, List)}.
   *
   * @param choices what a row of {@link LoadedModel.OfDecoder#choosing} can have, from number 1 on:
   *     all of some adapters, which must outlive the result
   * @param images their size, where others than the model learnt are to be seen: positions are
   *     interpolated; empty: that which the model was made for
   * @throws UnsupportedException if adapters change more than can be chosen for a row, the model is
   *     no decoder, or there is a size, and the model can't see other images
   */
  public static LoadedModel open(
      Checkpoint checkpoint,
      DataType keyType,
      DataType valueType,
      IntUnaryOperator context,
      List<Adapter> adapters,
      List<List<Adapter>> choices,
      Optional<ImageSize> images) {
    ChosenAdapters chosen = new ChosenAdapters(choices);
    Family family = family(checkpoint);
    Hyperparameters settings =
        new Hyperparameters(checkpoint, family.usualContext(), context, images);
    Weights weights;
    LoadedModel model;
    try {
      weights = new Weights(checkpoint, family.names(settings), adapters, chosen);
      StateGroups state = new StateGroups(keyType, valueType);
      model =
          switch (declared(family, settings)) {
            case Decoder decoder -> {
              requirePositions(checkpoint, decoder.embeddings().positions(), settings.context());
              Graph graph = DecoderGraph.build(decoder, weights, state, "hidden");
              yield new LoadedModel.OfDecoder(
                  graph, Optional.empty(), weights, settings.contextLength(), vocabulary(weights));
            }
            case Encoder encoder -> encoder(encoder, weights, state, settings);
            case EncoderDecoder both -> encoderDecoder(both, weights, state, settings);
            case ImageEncoder seeing ->
                new ImageModels(weights, keyType, valueType).encoder(seeing);
            case MaskedAutoencoder masked ->
                new ImageModels(weights, keyType, valueType).autoencoder(masked);
            case ContrastiveEncoders both ->
                new ImageModels(weights, keyType, valueType).contrastive(both);
          };
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new FormatException(checkpoint.name() + ": " + e.getMessage(), e);
    }
    weights.requireComplete();
    if (chosen.isEmpty()) {
      return model;
    }
    if (model instanceof LoadedModel.OfDecoder decoder) {
      return decoder.with(chosen.choosing(decoder.graph(), weights));
    }
    throw new UnsupportedException(
        checkpoint.name()
            + ": adapters beside the base are for decoders; merge it instead (--lora,"
            + " ModelOptions.adapters)");
  }

  /**
   * The family of a checkpoint.
   *
   * @throws UnsupportedException if the architecture is unknown
   */
  static Family family(Checkpoint checkpoint) {
    Family family = BY_ARCHITECTURE.get(checkpoint.architecture());
    if (family == null) {
      throw new UnsupportedException(
          checkpoint.name()
              + ": architecture "
              + checkpoint.architecture()
              + " is not supported; supported are "
              + String.join(", ", BY_ARCHITECTURE.keySet()));
    }
    return family;
  }

  /** The family of an architecture that is known. */
  static Family named(String architecture) {
    return Objects.requireNonNull(BY_ARCHITECTURE.get(architecture), architecture);
  }

  private static Transformer declared(Family family, Hyperparameters settings) {
    Transformer declared = family.transformer(settings);
    boolean seesAny =
        declared instanceof ImageEncoder
            || declared instanceof ContrastiveEncoders both && both.images().isPresent();
    if (settings.images().isPresent() && !seesAny) {
      throw new UnsupportedException(
          "models of architecture "
              + settings.architecture()
              + " see no images of other sizes than they were made for");
    }
    return declared;
  }

  private static int vocabulary(Weights weights) {
    return Math.toIntExact(weights.vocabulary());
  }

  private static LoadedModel encoder(
      Encoder encoder, Weights weights, StateGroups state, Hyperparameters settings) {
    return new EncoderGraph(encoder, weights, state)
        .load("hidden", Encoder.ROWS, encoder.positions(settings.contextLength()));
  }

  private static LoadedModel encoderDecoder(
      EncoderDecoder both, Weights weights, StateGroups state, Hyperparameters settings) {
    Encoder encoder = both.encoder();
    Graph rows =
        new EncoderGraph(encoder, weights.under(both.encoderNames()), state)
            .rows("encoder", EncoderDecoder.ROWS, both.decoder().blocks(), weights);
    Graph decoder = DecoderGraph.build(both.decoder(), weights, state, "decoder");
    return new LoadedModel.OfEncoderDecoder(
        rows.withState(state.layout()),
        decoder.withState(state.layout()),
        encoder.padding(),
        both.start(),
        weights,
        encoder.positions(settings.contextLength()),
        vocabulary(weights));
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
