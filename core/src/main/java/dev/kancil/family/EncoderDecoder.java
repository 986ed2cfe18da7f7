package dev.kancil.family;

/**
 * A transformer that goes on with tokens for what an encoder has read, as its family declares it.
 *
 * @param encoder what reads
 * @param encoderNames where its weights are
 * @param decoder what goes on, whose blocks attend to the encoder's rows
 * @param start the id that the decoder's sequences begin with
 */
public record EncoderDecoder(Encoder encoder, WeightNames encoderNames, Decoder decoder, int start)
    implements Transformer {
  /** The output of the encoder's rows. */
  public static final String ROWS = "encoder_output";
}
