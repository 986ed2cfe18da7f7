package dev.kancil.engine;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.SequenceState;
import dev.kancil.family.LoadedModel;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Runs an encoder on a text, and a decoder on what follows. */
final class EncoderDecoderPass implements AutoCloseable {
  private final LoadedModel.OfEncoderDecoder model;
  private final SequenceState state;
  private final SequencePass encoder;
  private final SequencePass decoder;

  /**
   * Compiles both.
   *
   * @param model as loaded; its graphs may have taps
   * @param longest the most tokens of a text
   * @param longestFollowing the most tokens that follow one
   */
  EncoderDecoderPass(
      Device device,
      LoadedModel.OfEncoderDecoder model,
      DeviceWeights weights,
      int longest,
      int longestFollowing) {
    this.model = model;
    SequencePass made = null;
    state =
        device.createState(model.encoder().state(), 2, Math.addExact(longest, longestFollowing));
    try {
      made = new SequencePass(device, model.encoder(), weights, longest, state);
      encoder = made;
      decoder = new SequencePass(device, model.decoder(), weights, longestFollowing, state);
    } catch (RuntimeException e) {
      if (made != null) {
        made.close();
      }
      state.close();
      throw e;
    }
  }

  /**
   * A text's results, each with a row for each token.
   *
   * @param encoder outputs of the encoder
   * @param decoder outputs of the decoder
   */
  record Result(SequencedMap<String, float[][]> encoder, SequencedMap<String, float[][]> decoder) {}

  Result run(TextRow text, TextRow following) {
    int source = state.open();
    int sequence = state.open();
    try {
      SequencePass.Input read =
          new SequencePass.Input(
              source, source, text.tokens(), text.brought(model, model.padding(), 0));
      SequencedMap<String, float[][]> ofEncoder = encoder.run(List.of(read)).getFirst();
      following.requireWithin(model);
      SequencePass.Input next =
          new SequencePass.Input(sequence, source, following.tokens(), Map.of());
      return new Result(ofEncoder, decoder.run(List.of(next)).getFirst());
    } finally {
      state.release(sequence);
      state.release(source);
    }
  }

  @Override
  public void close() {
    decoder.close();
    encoder.close();
    state.close();
  }
}
