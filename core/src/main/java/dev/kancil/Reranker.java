package dev.kancil;

import dev.kancil.backend.DeviceDescription;
import dev.kancil.engine.TextRow;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.tensor.DataType;
import dev.kancil.text.tokenizer.TextPair;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model that says how well texts answer a question, reading each together with it: an encoder
 * with a head of one class. Calls wait for each other. Closing frees all that it holds.
 */
public final class Reranker implements AutoCloseable {
  private static final String LOGITS = "logits";

  private final OpenEncoder encoder;
  private final boolean hasTypes;

  private Reranker(OpenEncoder encoder, boolean hasTypes) {
    this.encoder = encoder;
    this.hasTypes = hasTypes;
  }

  /**
   * Opens a folder or a GGUF file and makes it ready on a device.
   *
   * @param options of which device, threads, context length, adapters and progress count
   * @throws FormatException if a file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if it has no such head, or a type on the device is not supported
   * @throws DeviceException if the device is not available or has too little memory
   */
  public static Reranker open(Path path, ModelOptions options) {
    ModelFiles files = ModelFiles.open(path);
    LoadedModel.OfEncoder model;
    int most;
    try {
      model = classifier(files, options);
      most = Embedding.mostTokens(path).orElse(Integer.MAX_VALUE);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
    return new Reranker(
        OpenEncoder.of(files, options, model, model.pooling(), most), model.tokenTypes() > 1);
  }

  private static LoadedModel.OfEncoder classifier(ModelFiles files, ModelOptions options) {
    LoadedModel loaded =
        Families.open(
            files.checkpoint(),
            DataType.F32,
            DataType.F32,
            options::contextLengthFor,
            files.adapters(options.adapters()));
    if (loaded instanceof LoadedModel.OfEncoder encoder && encoder.givesOneNumber()) {
      return encoder;
    }
    throw new UnsupportedException(
        files.path()
            + ": it has no head that gives a text one number; `kancil embed` compares texts");
  }

  /**
   * How well texts answer a question: the model's logits, of which only the order means something.
   * Where both have more {@link #tokens} than {@link #contextLength}, the end of the longer one is
   * left out, and of both where that is not enough.
   */
  public List<Float> scores(String question, List<String> texts) {
    List<TextRow> rows =
        texts.stream()
            .map(
                text ->
                    row(
                        encoder
                            .tokenizer()
                            .encodePairWithin(encoder.contextLength(), question, text)))
            .toList();
    return encoder.run(rows).stream()
        .map(result -> Objects.requireNonNull(result.outputs().get(LOGITS))[0])
        .toList();
  }

  private TextRow row(TextPair pair) {
    int[] types = new int[pair.ids().length];
    if (hasTypes) {
      for (int i = pair.second(); i < types.length; i++) {
        types[i] = 1;
      }
    }
    return new TextRow(pair.ids(), types, new int[0]);
  }

  /** How many tokens a question and a text have, with those that the model wants around them. */
  public int tokens(String question, String text) {
    return encoder.tokenizer().encodePair(question, text, false).ids().length;
  }

  /** How many of them are read: as many as the model takes, or its files allow. */
  public int contextLength() {
    return encoder.contextLength();
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
