package dev.kancil.family;

import java.util.List;
import java.util.Set;

/** A model family: how its settings become a transformer. */
public interface Family {
  /**
   * What checkpoints call the architecture: {@code general.architecture} of GGUF files, and {@code
   * model_type} of configurations.
   */
  List<String> architectures();

  /** What the checkpoint's settings declare. */
  Transformer transformer(Hyperparameters settings);

  /**
   * How many tokens models were made for whose checkpoint does not say; 0: each has to.
   *
   * <p>Such models know no positions of their own, so that nothing but what they learnt limits
   * them.
   */
  default int usualContext() {
    return 0;
  }

  /** Where weights are. */
  default WeightNames names(Hyperparameters settings) {
    return WeightNames.usual(settings);
  }

  /**
   * Tensors that GGUF files of a model have, and by which they are told apart from those of others
   * of the family.
   *
   * @param settings of the same model, in another format
   */
  default Set<String> ggufMarks(Hyperparameters settings) {
    return Set.of();
  }
}
