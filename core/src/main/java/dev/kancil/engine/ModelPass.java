package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.tensor.FloatArray;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * One pass of any model over arrays, with results by the names that transformers gives them: of
 * each text a row for each token, zeros where a mask leaves one out; or one row.
 */
public final class ModelPass {
  private static final int CHUNK = 256;

  private final Device device;
  private final DeviceWeights weights;
  private final List<String> captures;

  /**
   * @param captures patterns of values to return, too ({@link Taps#capture})
   */
  public ModelPass(Device device, DeviceWeights weights, List<String> captures) {
    this.device = device;
    this.weights = weights;
    this.captures = List.copyOf(captures);
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
    };
  }

  private SequencedMap<String, FloatArray> decoder(
      LoadedModel.OfDecoder model, ModelInputs inputs) {
    inputs.requireOnly("a decoder", ModelInputs.TOKENS, ModelInputs.MASK);
    List<Graph> tapped = tapped(List.of(model.graph()));
    Collected results = new Collected(inputs.integers(ModelInputs.TOKENS));
    List<TextRow> texts = inputs.texts();
    for (int i = 0; i < texts.size(); i++) {
      int[] tokens = texts.get(i).tokens();
      if (tokens.length > model.contextLength()) {
        throw new InvalidRequestException(
            tokens.length + " tokens, but the model was made for " + model.contextLength());
      }
      results.rows(
          i, texts.get(i), ForwardPass.run(device, tapped.getFirst(), weights, tokens, CHUNK));
    }
    return results.arrays;
  }

  private SequencedMap<String, FloatArray> encoder(
      LoadedModel.OfEncoder model, ModelInputs inputs) {
    inputs.requireOnly("an encoder", ModelInputs.TOKENS, ModelInputs.MASK, ModelInputs.TOKEN_TYPES);
    LoadedModel.OfEncoder tapped = model.withRows(tapped(List.of(model.rows())).getFirst());
    List<TextRow> texts = inputs.texts();
    Collected results = new Collected(inputs.integers(ModelInputs.TOKENS));
    try (EncoderPass pass =
        new EncoderPass(device, tapped, model.pooling(), weights, longest(texts))) {
      List<EncoderPass.Result> ofTexts = pass.run(texts);
      for (int i = 0; i < texts.size(); i++) {
        results.rows(i, texts.get(i), ofTexts.get(i).rows());
        results.single(i, ofTexts.get(i).outputs());
      }
    }
    return results.arrays;
  }

  private SequencedMap<String, FloatArray> encoderDecoder(
      LoadedModel.OfEncoderDecoder model, ModelInputs inputs) {
    inputs.requireOnly(
        "an encoder with a decoder",
        ModelInputs.TOKENS,
        ModelInputs.MASK,
        ModelInputs.DECODER_TOKENS);
    List<Graph> tapped = tapped(List.of(model.encoder(), model.decoder()));
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
    Collected ofEncoder = new Collected(inputs.integers(ModelInputs.TOKENS));
    Collected ofDecoder = new Collected(decoderTokens);
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
    ofEncoder.arrays.putAll(ofDecoder.arrays);
    return ofEncoder.arrays;
  }

  private static int[][] starts(int count, int start) {
    int[][] starts = new int[count][1];
    for (int[] tokens : starts) {
      tokens[0] = start;
    }
    return starts;
  }

  private static int longest(List<TextRow> texts) {
    int longest = texts.stream().mapToInt(text -> text.tokens().length).max().orElse(0);
    return Math.max(1, longest);
  }

  /** Graphs with all captures, each of which at least one of them has. */
  private List<Graph> tapped(List<Graph> graphs) {
    List<Graph> tapped = new ArrayList<>(graphs);
    for (String pattern : captures) {
      boolean isFound = false;
      String why = "";
      for (int i = 0; i < tapped.size(); i++) {
        try {
          tapped.set(i, Taps.capture(tapped.get(i), pattern));
          isFound = true;
        } catch (IllegalArgumentException e) {
          why = String.valueOf(e.getMessage());
        }
      }
      if (!isFound) {
        throw new InvalidRequestException("--capture " + pattern + ": " + why);
      }
    }
    return tapped;
  }

  /** Gathers what texts give. */
  private static final class Collected {
    private final SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();
    private final int texts;
    private final int tokens;

    Collected(int[][] ids) {
      texts = ids.length;
      tokens = ids[0].length;
    }

    void rows(int text, TextRow of, Map<String, float[][]> outputs) {
      outputs.forEach(
          (name, rows) -> {
            int columns = rows.length == 0 ? 0 : rows[0].length;
            FloatArray array =
                arrays.computeIfAbsent(name, _ -> FloatArray.zeros(texts, tokens, columns));
            for (int row = 0; row < rows.length; row++) {
              int at = of.indexes().length == 0 ? row : of.indexes()[row];
              System.arraycopy(
                  rows[row], 0, array.values(), (text * tokens + at) * columns, columns);
            }
          });
    }

    void single(int text, Map<String, float[]> outputs) {
      outputs.forEach(
          (name, row) -> {
            FloatArray array =
                arrays.computeIfAbsent(name, _ -> FloatArray.zeros(texts, row.length));
            System.arraycopy(row, 0, array.values(), text * row.length, row.length);
          });
    }
  }
}
