package dev.kancil.family;

/** What a family declares a checkpoint to be. */
public sealed interface Transformer
    permits Decoder,
        Encoder,
        EncoderDecoder,
        ImageEncoder,
        MaskedAutoencoder,
        ContrastiveEncoders {}
