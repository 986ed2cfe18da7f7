package dev.kancil.family;

import java.util.List;

/** A model family: how its settings become a decoder. */
public interface Family {
  /**
   * What checkpoints call the architecture: {@code general.architecture} of GGUF files, and {@code
   * model_type} of configurations.
   */
  List<String> architectures();

  /** What the checkpoint's settings declare. */
  Decoder decoder(Hyperparameters settings);

  /** Where weights are. */
  default WeightNames names(Hyperparameters settings) {
    return WeightNames.of(settings.layout());
  }
}
