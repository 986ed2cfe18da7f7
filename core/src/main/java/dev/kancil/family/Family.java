package dev.kancil.family;

/** A model family: how its settings become a decoder. */
public interface Family {
  /** What the checkpoint's settings declare. */
  Decoder decoder(Hyperparameters settings);
}
