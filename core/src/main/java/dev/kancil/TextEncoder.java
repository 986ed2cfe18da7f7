package dev.kancil;

import dev.kancil.backend.DeviceDescription;
import dev.kancil.engine.TextRow;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model that turns texts into vectors: texts of like meaning get vectors of like direction, if
 * the model was made for that. Encoders do, and decoders whose last row stands for the text. Calls
 * wait for each other. Closing frees all that it holds.
 *
 * <pre>{@code
 * try (TextEncoder encoder = TextEncoder.open(Path.of("all-MiniLM-L6-v2"))) {
 *   float[] vector = encoder.embed("Why is the sky blue?");
 * }
 * }</pre>
 */
public final class TextEncoder implements AutoCloseable {
  private final OpenEncoder encoder;
  private final Embedding embedding;

  private TextEncoder(OpenEncoder encoder, Embedding embedding) {
    this.encoder = encoder;
    this.embedding = embedding;
  }

  /** Opens a model with {@link ModelOptions#DEFAULT}, and what it says itself of embeddings. */
  public static TextEncoder open(Path path) {
    return open(path, ModelOptions.DEFAULT, Embedding.Choice.OF_MODEL);
  }

  /**
   * Opens a folder or a GGUF file and makes it ready on a device.
   *
   * @param options of which device, threads, context length, adapters and progress count
   * @param choice what is wanted in place of what the model says
   * @throws FormatException if a file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if its architecture, or a type on the device, is not supported
   * @throws InvalidRequestException if an option doesn't fit the model or the machine
   * @throws DeviceException if the device is not available or has too little memory
   */
  public static TextEncoder open(Path path, ModelOptions options, Embedding.Choice choice) {
    ModelFiles files = ModelFiles.open(path);
    LoadedModel.OfEncoder model;
    Embedding embedding;
    try {
      model = encoder(files, options);
      embedding = choice.over(Embedding.read(path, model.pooling()));
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
    int most = embedding.mostTokens().orElse(Integer.MAX_VALUE);
    return new TextEncoder(
        OpenEncoder.of(files, options, model, embedding.pooling(), most), embedding);
  }

  private static LoadedModel.OfEncoder encoder(ModelFiles files, ModelOptions options) {
    return switch (Families.open(
        files.checkpoint(),
        // Keys and values of one step are kept no longer than that.
        DataType.F32,
        DataType.F32,
        options::contextLengthFor,
        files.adapters(options.adapters()))) {
      case LoadedModel.OfEncoder encoder -> encoder.withoutHead();
      case LoadedModel.OfDecoder decoder -> decoder.withoutHead();
      case LoadedModel.OfEncoders _ ->
          throw new UnsupportedException(
              files.path() + ": a model that sees images; use kancil classify or kancil forward");
      case LoadedModel.OfEncoderDecoder _ ->
          throw new UnsupportedException(
              files.path() + ": a model that writes about texts has no vectors for them");
    };
  }

  /** The vector of a text; see {@link #embed(List)}. */
  public float[] embed(String text) {
    return embed(List.of(text)).getFirst();
  }

  /**
   * The vectors of texts, in order. Short ones are computed together; what one is does not depend
   * on the others. Of one with more {@link #tokens} than {@link #contextLength} the end is left
   * out.
   */
  public List<float[]> embed(List<String> texts) {
    List<TextRow> rows =
        texts.stream()
            .map(
                text -> TextRow.of(encoder.tokenizer().encodeWithin(encoder.contextLength(), text)))
            .toList();
    return encoder.run(rows).stream().map(result -> embedding.vector(result.pooled())).toList();
  }

  /** How many tokens a text has, with those that the model wants around it. */
  public int tokens(String text) {
    return encoder.tokenizer().encode(text, true, false).length;
  }

  /** How many tokens of a text are read: as many as the model takes, or its files allow. */
  public int contextLength() {
    return encoder.contextLength();
  }

  /** How vectors are made. */
  public Embedding embedding() {
    return embedding;
  }

  /** Where it runs. */
  public DeviceDescription device() {
    return encoder.device();
  }

  /** As {@link ModelDescription#passedOver}. */
  public @Nullable String passedOver() {
    return encoder.passedOver();
  }

  @Override
  public void close() {
    encoder.close();
  }
}
