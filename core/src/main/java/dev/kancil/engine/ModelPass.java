package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.tensor.FloatArray;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * One pass of any model over arrays, with results by the names that transformers gives them: of
 * each text a row for each token, zeros where a mask leaves one out; or one row.
 */
public final class ModelPass {
  /** The most rows of one step. */
  public static final int CHUNK = 256;

  private final Device device;
  private final DeviceWeights weights;
  private final Captures captures;

  /**
   * @param captures patterns of values to return, too ({@link Taps#capture})
   */
  public ModelPass(Device device, DeviceWeights weights, List<String> captures) {
    this.device = device;
    this.weights = weights;
    this.captures = new Captures(captures);
  }

  /**
   * Computes.
   *
   * @throws InvalidRequestException if inputs don't fit the model, or a pattern matches nothing
   */
  public SequencedMap<String, FloatArray> run(LoadedModel model, ModelInputs inputs) {
    return switch (model) {
      case LoadedModel.OfDecoder decoder -> decoder(decoder, inputs);
      case LoadedModel.OfEncoder encoder -> encoder(encoder, inputs);
      case LoadedModel.OfEncoderDecoder both -> encoderDecoder(both, inputs);
      case LoadedModel.OfImageEncoder images ->
          new ImagePass(device, weights, captures).encoder(images, inputs);
      case LoadedModel.OfContrastive both ->
          new ImagePass(device, weights, captures).contrastive(both, inputs);
      case LoadedModel.OfMaskedAutoencoder masked ->
          new MaskedAutoencoderPass(device, weights, captures).run(masked, inputs);
    };
  }

  private SequencedMap<String, FloatArray> decoder(
      LoadedModel.OfDecoder model, ModelInputs inputs) {
    inputs.requireOnly("a decoder", ModelInputs.TOKENS, ModelInputs.MASK);
    List<Graph> tapped = captures.tapped(List.of(model.graph()));
    CollectedArrays results = new CollectedArrays(inputs.integers(ModelInputs.TOKENS));
    List<TextRow> texts = inputs.texts();
    for (int i = 0; i < texts.size(); i++) {
      TextRow text = texts.get(i);
      text.requireWithin(model);
      results.rows(
          i, text, ForwardPass.run(device, tapped.getFirst(), weights, text.tokens(), CHUNK));
    }
    return results.arrays();
  }

  private SequencedMap<String, FloatArray> encoder(
      LoadedModel.OfEncoder model, ModelInputs inputs) {
    inputs.requireOnly("an encoder", ModelInputs.TOKENS, ModelInputs.MASK, ModelInputs.TOKEN_TYPES);
    LoadedModel.OfEncoder tapped =
        model.withRows(captures.tapped(List.of(model.rows())).getFirst());
    List<TextRow> texts = inputs.texts();
    CollectedArrays results = new CollectedArrays(inputs.integers(ModelInputs.TOKENS));
    try (EncoderPass pass =
        new EncoderPass(device, tapped, model.pooling(), weights, longest(texts))) {
      List<EncoderPass.Result> ofTexts = pass.run(texts);
      for (int i = 0; i < texts.size(); i++) {
        results.rows(i, texts.get(i), ofTexts.get(i).rows());
        results.single(i, ofTexts.get(i).outputs());
      }
    }
    return results.arrays();
  }

  private SequencedMap<String, FloatArray> encoderDecoder(
      LoadedModel.OfEncoderDecoder model, ModelInputs inputs) {
    inputs.requireOnly(
        "an encoder with a decoder",
        ModelInputs.TOKENS,
        ModelInputs.MASK,
        ModelInputs.DECODER_TOKENS);
    List<Graph> tapped = captures.tapped(List.of(model.encoder(), model.decoder()));
    List<TextRow> texts = inputs.texts();
    int[][] decoderTokens =
        inputs.has(ModelInputs.DECODER_TOKENS)
            ? inputs.integers(ModelInputs.DECODER_TOKENS)
            : starts(texts.size(), model.start());
    if (decoderTokens.length != texts.size()) {
      throw new InvalidRequestException(
          texts.size() + " texts, but " + decoderTokens.length + " for the decoder");
    }
    List<TextRow> following = new ArrayList<>();
    for (int[] tokens : decoderTokens) {
      following.add(TextRow.of(tokens));
    }
    CollectedArrays ofEncoder = new CollectedArrays(inputs.integers(ModelInputs.TOKENS));
    CollectedArrays ofDecoder = new CollectedArrays(decoderTokens);
    try (EncoderDecoderPass pass =
        new EncoderDecoderPass(
            device,
            model.withGraphs(tapped.getFirst(), tapped.getLast()),
            weights,
            longest(texts),
            longest(following))) {
      for (int i = 0; i < texts.size(); i++) {
        EncoderDecoderPass.Result result = pass.run(texts.get(i), following.get(i));
        ofEncoder.rows(i, texts.get(i), result.encoder());
        ofDecoder.rows(i, following.get(i), result.decoder());
      }
    }
    ofEncoder.arrays().putAll(ofDecoder.arrays());
    return ofEncoder.arrays();
  }

  private static int[][] starts(int count, int start) {
    int[][] starts = new int[count][1];
    for (int[] tokens : starts) {
      tokens[0] = start;
    }
    return starts;
  }

  static int longest(List<TextRow> texts) {
    int longest = texts.stream().mapToInt(text -> text.tokens().length).max().orElse(0);
    return Math.max(1, longest);
  }
}
