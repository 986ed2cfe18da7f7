package dev.kancil.family;

import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;

/** Reads how positions turn queries and keys, and how that was stretched to longer contexts. */
final class RotarySettings {
  /** How layers that see a window are stretched, where configurations tell of them apart. */
  static final String LOCAL_SCALING = "rope_local_scaling.rope_type";

  private static final String SCALING = "rope.scaling.type";

  private final Hyperparameters settings;
  private final Pairing pairing;
  private final int headWidth;
  private final int rotaryWidth;
  private final double base;

  private RotarySettings(
      Hyperparameters settings,
      Pairing pairing,
      double defaultBase,
      int headWidth,
      int rotaryWidth) {
    this.settings = settings;
    this.pairing = pairing;
    this.headWidth = headWidth;
    this.rotaryWidth = rotaryWidth;
    base = settings.positive("rope.freq_base").orElse(defaultBase);
  }

  /**
   * @param defaultBase the base where the checkpoint names none
   * @throws dev.kancil.UnsupportedException for a scaling that is not known
   */
  static Rotation read(Hyperparameters settings, Pairing pairing, double defaultBase) {
    int headWidth = settings.keyWidth();
    int rotaryWidth = rotaryWidth(settings, headWidth);
    return new RotarySettings(settings, pairing, defaultBase, headWidth, rotaryWidth).read();
  }

  /**
   * As {@link #read(Hyperparameters, Pairing, double)}, where heads have columns for this alone.
   *
   * @param width how many they are
   */
  static Rotation readWhole(
      Hyperparameters settings, Pairing pairing, double defaultBase, int width) {
    return new RotarySettings(settings, pairing, defaultBase, width, width).read();
  }

  private Rotation read() {
    String scaling = settings.string(SCALING).orElse("none");
    return switch (scaling) {
      case "none", "default" -> rotation(1, base, 1, List.of());
      case "linear" -> rotation(1 / factor(), base, 1, List.of());
      case "dynamic" -> dynamic();
      case "llama3" -> llama3();
      case "yarn" -> yarn();
      case "longrope", "su" -> longRope();
      default -> throw settings.unsupported(SCALING, "is " + scaling);
    };
  }

  /**
   * As {@link #read}, for families of which llama.cpp reorders rows of queries and keys, so that
   * neighbours are turned together in GGUF files, and halves elsewhere.
   */
  static Rotation readReordered(Hyperparameters settings, double defaultBase) {
    return read(settings, settings.isGguf() ? Pairing.NEIGHBOURS : Pairing.HALVES, defaultBase);
  }

  /**
   * The same for layers that see a window: without any stretching, and with another base.
   *
   * @throws dev.kancil.UnsupportedException if such layers are stretched, too
   */
  static Rotation local(Hyperparameters settings, Rotation rotation, double base) {
    requirePlain(settings, LOCAL_SCALING);
    RotaryEmbedding embedding = rotation.embedding();
    return new Rotation(
        new RotaryEmbedding(
            embedding.pairing(), embedding.headWidth(), embedding.rotaryWidth(), base, 1));
  }

  /**
   * @throws dev.kancil.UnsupportedException if a setting names a scaling
   */
  static void requirePlain(Hyperparameters settings, String key) {
    settings
        .string(key)
        .filter(scaling -> !scaling.equals("default"))
        .ifPresent(
            scaling -> {
              throw settings.unsupported(key, "is " + scaling);
            });
  }

  /** Configurations name a share of the head where GGUF has columns. */
  private static int rotaryWidth(Hyperparameters settings, int headWidth) {
    Optional<Integer> columns = settings.optional("rope.dimension_count", headWidth);
    if (columns.isPresent()) {
      return columns.get();
    }
    String key = "rope.dimension_share";
    Optional<Double> share = settings.isGguf() ? Optional.empty() : settings.positive(key);
    if (share.isPresent()) {
      if (share.get() > 1) {
        throw settings.invalid(key, "is " + share.get());
      }
      return (int) (share.get() * headWidth);
    }
    return headWidth;
  }

  private double factor() {
    return settings.positive("rope.scaling.factor").orElse(1.0);
  }

  /** A number of YaRN's, of which 0 is as none. */
  private Optional<Double> unlessZero(String key) {
    return settings.number(key).filter(value -> value == 0).isPresent()
        ? Optional.empty()
        : settings.positive(key);
  }

  private double originalContext() {
    return settings
        .positive("rope.scaling.original_context_length")
        .orElseGet(() -> (double) settings.contextLength());
  }

  private Rotation rotation(
      double positionScale, double newBase, double magnitude, List<Float> factors) {
    return new Rotation(
        new RotaryEmbedding(
            pairing, headWidth, rotaryWidth, newBase, positionScale, (float) magnitude),
        factors);
  }

  private List<Float> factors(IntToDoubleFunction factor) {
    List<Float> factors = new ArrayList<>();
    for (int pair = 0; pair < rotaryWidth / 2; pair++) {
      factors.add((float) factor.applyAsDouble(pair));
    }
    return factors;
  }

  private double frequency(int pair) {
    return Math.pow(base, -2.0 * pair / rotaryWidth);
  }

  /** A larger base where the context is longer than the model was made for (bloc97 2023). */
  private Rotation dynamic() {
    double length = settings.contextLength();
    double factor = factor();
    if (settings.context() <= length || rotaryWidth <= 2) {
      return rotation(1, base, 1, List.of());
    }
    double stretched = factor * settings.context() / length - (factor - 1);
    double power = rotaryWidth / (rotaryWidth - 2.0);
    return rotation(1, base * Math.pow(stretched, power), 1, List.of());
  }

  /** Long wavelengths are stretched, short ones not (Llama Team 2024, Llama 3.1). */
  private Rotation llama3() {
    double factor = factor();
    double low = settings.positive("rope_scaling.low_freq_factor").orElse(1.0);
    double high = settings.positive("rope_scaling.high_freq_factor").orElse(4.0);
    double original = originalContext();
    return rotation(
        1,
        base,
        1,
        factors(
            pair -> {
              double waves = original * frequency(pair) / (2 * Math.PI);
              if (waves > high) {
                return 1;
              }
              if (waves < low) {
                return factor;
              }
              double smooth = (waves - low) / (high - low);
              return 1 / ((1 - smooth) / factor + smooth);
            }));
  }

  /** YaRN (Peng et al. 2023). */
  private Rotation yarn() {
    double factor = factor();
    double fast = unlessZero("rope.scaling.yarn_beta_fast").orElse(32.0);
    double slow = unlessZero("rope.scaling.yarn_beta_slow").orElse(1.0);
    // GGUF files don't say so, but gpt-oss was made for whole bounds no more than elsewhere.
    boolean isTruncated =
        settings.isGguf()
            ? !settings.architecture().equals(GptOss.GGUF)
            : settings.flag("rope_scaling.truncate", true);
    double first = pairThatTurns(fast);
    double last = pairThatTurns(slow);
    double low = Math.max(0, isTruncated ? Math.floor(first) : first);
    double high = Math.min(rotaryWidth - 1, isTruncated ? Math.ceil(last) : last);
    double width = high == low ? 0.001 : high - low;
    return rotation(
        1,
        base,
        yarnMagnitude(factor),
        factors(
            pair -> {
              double stretched = Math.clamp((pair - low) / width, 0, 1);
              return 1 / (stretched / factor + (1 - stretched));
            }));
  }

  /** The pair, with a fraction, that turns so often within the original context. */
  private double pairThatTurns(double turns) {
    return rotaryWidth * Math.log(originalContext() / (turns * 2 * Math.PI)) / (2 * Math.log(base));
  }

  private double yarnMagnitude(double factor) {
    Optional<Double> given = settings.positive("rope.scaling.attn_factor");
    double usual = magnitude(factor, 1);
    if (settings.isGguf()) {
      return given.orElse(1.0) * usual;
    }
    if (given.isPresent()) {
      return given.get();
    }
    Optional<Double> one = unlessZero("rope_scaling.mscale");
    Optional<Double> all = unlessZero("rope_scaling.mscale_all_dim");
    return one.isPresent() && all.isPresent()
        ? magnitude(factor, one.get()) / magnitude(factor, all.get())
        : usual;
  }

  /** YaRN's correction of the softmax's temperature. */
  static double magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  /** LongRoPE (Ding et al. 2024): factors for contexts up to the original one, and for longer. */
  private Rotation longRope() {
    double original = originalContext();
    boolean isLong = settings.context() > original;
    double factor =
        settings.isGguf() || settings.positive("rope_scaling.factor").isEmpty()
            ? settings.contextLength() / original
            : factor();
    double magnitude =
        settings
            .positive("rope.scaling.attn_factor")
            .orElse(factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original)));
    if (settings.isGguf()) {
      Rotation plain = rotation(1, base, magnitude, List.of());
      return plain.with(isLong ? WeightName.ROPE_FACTORS_LONG : WeightName.ROPE_FACTORS_SHORT);
    }
    String key = isLong ? "rope_scaling.long_factor" : "rope_scaling.short_factor";
    List<Double> given = settings.numbers(key);
    if (given.size() != rotaryWidth / 2 || given.stream().anyMatch(number -> !(number > 0))) {
      throw settings.invalid(key, "does not have " + rotaryWidth / 2 + " positive numbers");
    }
    return rotation(1, base, magnitude, factors(given::get));
  }
}
