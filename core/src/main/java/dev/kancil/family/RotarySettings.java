package dev.kancil.family;

import dev.kancil.graph.op.RotaryEmbedding;

/** Reads how positions turn queries and keys. */
final class RotarySettings {
  private RotarySettings() {}

  /**
   * @param defaultBase the base where the checkpoint names none
   * @throws dev.kancil.UnsupportedException for a scaling that is not known
   */
  static RotaryEmbedding read(
      Hyperparameters settings, RotaryEmbedding.Pairing pairing, double defaultBase) {
    int headWidth = settings.keyWidth();
    int rotaryWidth = settings.optional("rope.dimension_count", headWidth).orElse(headWidth);
    double base = settings.positive("rope.freq_base").orElse(defaultBase);
    String scaling = settings.string("rope.scaling.type").orElse("none");
    double factor = settings.positive("rope.scaling.factor").orElse(1.0);
    double positionScale =
        switch (scaling) {
          case "none" -> 1;
          case "linear" -> 1 / factor;
          default -> throw settings.unsupported("rope.scaling.type", "is " + scaling);
        };
    return new RotaryEmbedding(pairing, headWidth, rotaryWidth, base, positionScale);
  }
}
