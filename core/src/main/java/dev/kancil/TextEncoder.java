package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.EncoderPass;
import dev.kancil.engine.TextRow;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.tensor.DataType;
import dev.kancil.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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
  private final Resources resources;
  private final EncoderPass pass;
  private final Tokenizer tokenizer;
  private final Embedding embedding;
  private final int contextLength;
  private final DeviceDescription device;

  private TextEncoder(
      Resources resources,
      EncoderPass pass,
      Tokenizer tokenizer,
      Embedding embedding,
      int contextLength,
      DeviceDescription device) {
    this.resources = resources;
    this.pass = pass;
    this.tokenizer = tokenizer;
    this.embedding = embedding;
    this.contextLength = contextLength;
    this.device = device;
  }

  /** Opens a model with {@link ModelOptions#DEFAULT}, and what it says itself of embeddings. */
  public static TextEncoder open(Path path) {
    return open(path, ModelOptions.DEFAULT, Embedding.Choice.OF_MODEL);
  }

  /**
   * Opens a folder or a GGUF file and makes it ready on a device.
   *
   * @param options of which device, threads, context length and progress count
   * @param choice what is wanted in place of what the model says
   * @throws FormatException if a file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if its architecture, or a type on the device, is not supported
   * @throws InvalidRequestException if an option doesn't fit the model or the machine
   * @throws DeviceException if the device is not available or has too little memory
   */
  public static TextEncoder open(Path path, ModelOptions options, Embedding.Choice choice) {
    Resources resources = new Resources();
    try {
      DeviceOptions deviceOptions =
          new DeviceOptions(options.threads()).withProgress(options.progress());
      ModelFiles files = resources.add(ModelFiles.open(path), ModelFiles::close);
      LoadedModel.OfEncoder model = encoder(files, options);
      Tokenizer tokenizer = files.text().tokenizer();
      if (tokenizer.vocabularySize() > model.vocabulary()) {
        throw new FormatException(
            "%s: the tokenizer has %d tokens, but the model only %d"
                .formatted(path, tokenizer.vocabularySize(), model.vocabulary()));
      }
      Embedding embedding = choice.over(Embedding.read(path, model.pooling()));
      Device device = resources.add(Backends.open(options.device(), deviceOptions), Device::close);
      DeviceWeights weights = resources.add(device.weights(model.weights()), DeviceWeights::close);
      int context =
          Math.min(
              embedding.mostTokens().orElse(Integer.MAX_VALUE),
              options.contextLengthFor(model.contextLength()));
      EncoderPass pass =
          resources.add(
              new EncoderPass(device, model, embedding.pooling(), weights, context),
              EncoderPass::close);
      return new TextEncoder(resources, pass, tokenizer, embedding, context, device.description());
    } catch (Throwable e) {
      try {
        resources.close();
      } catch (RuntimeException later) {
        e.addSuppressed(later);
      }
      throw e;
    }
  }

  private static LoadedModel.OfEncoder encoder(ModelFiles files, ModelOptions options) {
    return switch (Families.open(
        files.checkpoint(),
        // Keys and values of one step are kept no longer than that.
        DataType.F32,
        DataType.F32,
        options::contextLengthFor)) {
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
   * on the others.
   *
   * @throws InvalidRequestException if one has more tokens than {@link #contextLength}
   */
  public synchronized List<float[]> embed(List<String> texts) {
    List<TextRow> rows = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      int[] tokens = tokenizer.encode(texts.get(i), true, false);
      if (tokens.length > contextLength) {
        throw new InvalidRequestException(
            "text %d has %d tokens, but the context holds %d; shorten it"
                .formatted(i + 1, tokens.length, contextLength));
      }
      if (tokens.length == 0) {
        throw new InvalidRequestException("text %d is empty".formatted(i + 1));
      }
      rows.add(TextRow.of(tokens));
    }
    return pass.run(rows).stream().map(result -> embedding.vector(result.pooled())).toList();
  }

  /** Tokens that a text can have. */
  public int contextLength() {
    return contextLength;
  }

  /** How vectors are made. */
  public Embedding embedding() {
    return embedding;
  }

  /** Where it runs. */
  public DeviceDescription device() {
    return device;
  }

  @Override
  public synchronized void close() {
    resources.close();
  }
}
