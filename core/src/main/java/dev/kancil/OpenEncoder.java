package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.EncoderPass;
import dev.kancil.engine.TextRow;
import dev.kancil.family.LoadedModel;
import dev.kancil.family.Pooling;
import dev.kancil.text.tokenizer.Tokenizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An encoder that is ready on a device, with its tokenizer. */
final class OpenEncoder implements AutoCloseable {
  private final Resources resources;
  private final EncoderPass pass;
  private final Tokenizer tokenizer;
  private final int contextLength;
  private final DeviceDescription device;
  private final @Nullable String passedOver;

  private OpenEncoder(
      Resources resources,
      EncoderPass pass,
      Tokenizer tokenizer,
      int contextLength,
      DeviceDescription device,
      @Nullable String passedOver) {
    this.resources = resources;
    this.pass = pass;
    this.tokenizer = tokenizer;
    this.contextLength = contextLength;
    this.device = device;
    this.passedOver = passedOver;
  }

  /**
   * Makes an encoder ready.
   *
   * @param files which are closed with it, or if that fails
   * @param model what of them is wanted
   * @param pooling what stands for a text
   * @param mostTokens of a text
   */
  static OpenEncoder of(
      ModelFiles files,
      ModelOptions options,
      LoadedModel.OfEncoder model,
      Pooling pooling,
      int mostTokens) {
    Resources resources = new Resources();
    try {
      resources.add(files, ModelFiles::close);
      Tokenizer tokenizer = files.text().tokenizer();
      if (tokenizer.vocabularySize() > model.vocabulary()) {
        throw new FormatException(
            "%s: the tokenizer has %d tokens, but the model only %d"
                .formatted(files.path(), tokenizer.vocabularySize(), model.vocabulary()));
      }
      DeviceOptions deviceOptions =
          new DeviceOptions(options.threads()).withProgress(options.progress());
      int context = Math.min(mostTokens, options.contextLengthFor(model.contextLength()));
      Backends.Choice<OnDevice> choice =
          Backends.choose(
              options.leavesDeviceOpen(),
              () -> Backends.open(options.device(), deviceOptions),
              deviceOptions,
              device -> OnDevice.of(device, model, pooling, context));
      OnDevice made = choice.made();
      resources.add(made.resources, Resources::close);
      return new OpenEncoder(
          resources, made.pass, tokenizer, context, made.device.description(), choice.passedOver());
    } catch (Throwable e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** What is closed together. */
  private record OnDevice(Resources resources, Device device, EncoderPass pass) {
    static OnDevice of(Device device, LoadedModel.OfEncoder model, Pooling pooling, int context) {
      Resources resources = new Resources();
      try {
        resources.add(device, Device::close);
        DeviceWeights weights =
            resources.add(device.weights(model.weights()), DeviceWeights::close);
        EncoderPass pass =
            resources.add(
                new EncoderPass(device, model, pooling, weights, context), EncoderPass::close);
        return new OnDevice(resources, device, pass);
      } catch (Throwable e) {
        resources.closeAfter(e);
        throw e;
      }
    }
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  int contextLength() {
    return contextLength;
  }

  DeviceDescription device() {
    return device;
  }

  @Nullable String passedOver() {
    return passedOver;
  }

  /**
   * Computes what stands for texts.
   *
   * @throws InvalidRequestException if one is empty, or the context too short for the tokens around
   *     a text
   */
  synchronized List<EncoderPass.Result> run(List<TextRow> texts) {
    for (int i = 0; i < texts.size(); i++) {
      int tokens = texts.get(i).tokens().length;
      if (tokens > contextLength) {
        throw new InvalidRequestException(
            "the %d tokens around a text don't fit in a context of %d; make it longer"
                .formatted(tokens, contextLength));
      }
      if (tokens == 0) {
        throw new InvalidRequestException("text %d is empty".formatted(i + 1));
      }
    }
    return pass.runPooled(texts);
  }

  @Override
  public synchronized void close() {
    resources.close();
  }
}
