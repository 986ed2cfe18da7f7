package dev.kancil.family;

import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import java.util.Optional;
import java.util.OptionalInt;

/** A checkpoint's graphs, and where their weights come from. */
public sealed interface LoadedModel {
  /** Views of the checkpoint's tensors. */
  WeightSource weights();

  /** The longest sequence that the model was made for. */
  int contextLength();

  /** How many token ids there are. */
  int vocabulary();

  /**
   * A decoder.
   *
   * @param graph in primitives, with the output {@code logits}
   * @param choosing the same, of which each row can have an adapter ({@link Graph#ADAPTERS}); empty
   *     if there are none beside the base
   */
  record OfDecoder(
      Graph graph,
      Optional<Graph> choosing,
      WeightSource weights,
      int contextLength,
      int vocabulary)
      implements LoadedModel {
    /** The same with a graph whose rows choose among adapters. */
    OfDecoder with(Graph newChoosing) {
      return new OfDecoder(graph, Optional.of(newChoosing), weights, contextLength, vocabulary);
    }

    /** What computes its rows before the head, as an encoder whose last row stands for a text. */
    public OfEncoder withoutHead() {
      return new OfEncoder(
          graph.upTo(graph.value(DecoderGraph.ROWS)),
          Pooling.LAST,
          Optional.empty(),
          OptionalInt.empty(),
          0,
          weights,
          contextLength,
          vocabulary);
    }
  }

  /**
   * An encoder.
   *
   * @param rows from ids to {@link Encoder#ROWS} and what heads make of each row; beside tokens it
   *     may take {@link Graph#TOKEN_TYPES} and {@link Graph#POSITION_IDS}
   * @param pooling what stands for a sequence
   * @param pooled what heads make of that, its input {@link Graph#POOLED}
   * @param padding see {@link Encoder#padding}
   * @param tokenTypes how many kinds of tokens there are; 0: they are all alike
   */
  record OfEncoder(
      Graph rows,
      Pooling pooling,
      Optional<Graph> pooled,
      OptionalInt padding,
      int tokenTypes,
      WeightSource weights,
      int contextLength,
      int vocabulary)
      implements LoadedModel {
    /** Whether a head gives a text one number, its output {@code logits}. */
    public boolean givesOneNumber() {
      return pooled.stream()
          .flatMap(heads -> heads.outputs().stream())
          .anyMatch(
              output -> output.name().equals(EncoderHeads.LOGITS) && output.type().columns() == 1);
    }

    /** The same without heads. */
    public OfEncoder withoutHead() {
      return new OfEncoder(
          rows.upTo(rows.value(Encoder.ROWS)),
          pooling,
          Optional.empty(),
          padding,
          tokenTypes,
          weights,
          contextLength,
          vocabulary);
    }

    /** The same with another graph of rows, such as one with taps. */
    public OfEncoder withRows(Graph graph) {
      return new OfEncoder(
          graph, pooling, pooled, padding, tokenTypes, weights, contextLength, vocabulary);
    }
  }

  /**
   * An encoder, and a decoder that attends to its rows. Both graphs have one state; a sequence of
   * the decoder has one of the encoder as its source.
   *
   * @param encoder with the output {@code encoder_output}; takes inputs as {@link OfEncoder} does
   * @param decoder with the output {@code logits}
   * @param padding see {@link Encoder#padding}
   * @param start the id that the decoder's sequences begin with
   */
  record OfEncoderDecoder(
      Graph encoder,
      Graph decoder,
      OptionalInt padding,
      int start,
      WeightSource weights,
      int contextLength,
      int vocabulary)
      implements LoadedModel {
    /** The same with other graphs, such as ones with taps. */
    public OfEncoderDecoder withGraphs(Graph newEncoder, Graph newDecoder) {
      return new OfEncoderDecoder(
          newEncoder, newDecoder, padding, start, weights, contextLength, vocabulary);
    }
  }

  /** Of a model whose parts are encoders: what the first of them has. */
  sealed interface OfEncoders extends LoadedModel {
    /** The first part. */
    OfEncoder encoder();

    /** How images become rows; empty: the model sees none. */
    Optional<ImageGrid> images();

    @Override
    default WeightSource weights() {
      return encoder().weights();
    }

    @Override
    default int contextLength() {
      return encoder().contextLength();
    }

    @Override
    default int vocabulary() {
      return encoder().vocabulary();
    }
  }

  /**
   * See {@link ImageEncoder}.
   *
   * @param encoder takes {@link Graph#FEATURES}, too
   */
  record OfImageEncoder(OfEncoder encoder, ImageGrid grid) implements OfEncoders {
    @Override
    public Optional<ImageGrid> images() {
      return Optional.of(grid);
    }
  }

  /**
   * See {@link MaskedAutoencoder}.
   *
   * @param encoder as of {@link OfImageEncoder}
   * @param kept how many patches of an image it sees
   */
  record OfMaskedAutoencoder(
      OfEncoder encoder, ImageGrid grid, int kept, Optional<MaskedDecoder> decoder)
      implements OfEncoders {
    @Override
    public Optional<ImageGrid> images() {
      return Optional.of(grid);
    }
  }

  /**
   * See {@link MaskedAutoencoder.Part}.
   *
   * @param rows with the output {@link MaskedAutoencoder#LOGITS}, of which the first row, which
   *     stands for the image, means nothing
   */
  record MaskedDecoder(OfEncoder rows, boolean isTargetNormed) {}

  /**
   * See {@link ContrastiveEncoders}.
   *
   * @param encoder of texts
   * @param seeing that of images
   * @param scale what products of embeddings of length 1 are multiplied by
   */
  record OfContrastive(
      OfEncoder encoder, OptionalInt end, Optional<OfImageEncoder> seeing, float scale)
      implements OfEncoders {
    @Override
    public Optional<ImageGrid> images() {
      return seeing.map(OfImageEncoder::grid);
    }
  }
}
