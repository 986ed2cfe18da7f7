package dev.kancil.family;

import java.util.Optional;

/**
 * An encoder that sees some patches of an image, and a decoder that guesses all of them from its
 * rows (He et al. 2021). The decoder is made as an encoder is: rows of the encoder are features of
 * token id 0, and what was not seen is token id 1.
 *
 * @param encoder as {@link ImageEncoder} has it
 * @param kept how many patches of an image it sees
 * @param decoder with {@link #LOGITS} of each row
 */
public record MaskedAutoencoder(Encoder encoder, ImageGrid grid, int kept, Optional<Part> decoder)
    implements Transformer {
  /** The output of the encoder's rows. */
  public static final String ROWS = "encoder_output";

  /** The output of the decoder: the pixels of each patch, channels innermost. */
  public static final String LOGITS = "logits";

  /**
   * The decoder.
   *
   * @param names where its weights are
   * @param isTargetNormed whether it guesses how pixels differ from their patch's mean, in standard
   *     deviations
   */
  public record Part(Encoder rows, WeightNames names, boolean isTargetNormed) {}
}
