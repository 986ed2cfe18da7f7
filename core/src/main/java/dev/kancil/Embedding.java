package dev.kancil;

import dev.kancil.family.Pooling;
import dev.kancil.format.TextFile;
import dev.kancil.format.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a text's rows become its vector.
 *
 * @param pooling which row, or what of all rows, stands for it
 * @param isNormalized whether vectors have the length 1
 * @param mostTokens that a text may have, if the model says so
 */
public record Embedding(Pooling pooling, boolean isNormalized, OptionalInt mostTokens) {
  private static final long MOST_BYTES = 1_000_000;
  private static final Map<String, Pooling> MODES =
      Map.of(
          "pooling_mode_cls_token", Pooling.FIRST,
          "pooling_mode_mean_tokens", Pooling.MEAN,
          "pooling_mode_lasttoken", Pooling.LAST);

  /**
   * What somebody wants in place of what the model says.
   *
   * @param pooling empty: as the model says
   * @param isNormalized empty: as the model says
   */
  public record Choice(Optional<Pooling> pooling, Optional<Boolean> isNormalized) {
    /** All as the model says. */
    public static final Choice OF_MODEL = new Choice(Optional.empty(), Optional.empty());

    Embedding over(Embedding other) {
      return new Embedding(
          pooling.orElse(other.pooling), isNormalized.orElse(other.isNormalized), other.mostTokens);
    }
  }

  /**
   * What a model's files say: {@code modules.json} and {@code 1_Pooling/config.json} as
   * sentence-transformers writes them. Other models' vectors are normalized.
   *
   * @param usual pooling of models whose files don't say
   * @throws FormatException if a file is damaged
   * @throws UnsupportedException if vectors are made in ways that are not known
   */
  static Embedding read(Path path, Pooling usual) {
    Path modules = path.resolve("modules.json");
    if (!Files.isDirectory(path) || !Files.exists(modules)) {
      return new Embedding(usual, true, mostTokens(path));
    }
    Pooling pooling = usual;
    boolean isNormalized = false;
    if (!(Json.parse(TextFile.read(modules, MOST_BYTES)) instanceof List<?> list)) {
      throw new FormatException(modules + ": it is no list of modules");
    }
    for (Object module : list) {
      Map<?, ?> values = module instanceof Map<?, ?> map ? map : Map.of();
      String type = String.valueOf(values.get("type"));
      switch (type.substring(type.lastIndexOf('.') + 1)) {
        case "Transformer" -> {}
        case "Pooling" -> pooling = pooling(path, String.valueOf(values.get("path")));
        case "Normalize" -> isNormalized = true;
        default ->
            throw new UnsupportedException(modules + ": the module " + type + " is not supported");
      }
    }
    return new Embedding(pooling, isNormalized, mostTokens(path));
  }

  private static Pooling pooling(Path folder, String place) {
    Path file = folder.resolve(place).resolve("config.json").normalize();
    if (!file.startsWith(folder.normalize())) {
      throw new FormatException(folder + ": modules.json names a place outside of the folder");
    }
    Map<?, ?> config = object(file);
    List<Pooling> found =
        MODES.entrySet().stream()
            .filter(mode -> Boolean.TRUE.equals(config.get(mode.getKey())))
            .map(Map.Entry::getValue)
            .toList();
    if (found.size() != 1) {
      throw new UnsupportedException(
          file + ": pooling is none, or more than one, of " + MODES.keySet());
    }
    return found.getFirst();
  }

  /**
   * How many tokens a model's files let a text have, those of sentence-transformers before those of
   * its tokenizer; empty if they don't say.
   *
   * @throws FormatException if a file is damaged
   */
  static OptionalInt mostTokens(Path path) {
    for (String[] place :
        new String[][] {
          {"sentence_bert_config.json", "max_seq_length"},
          {"tokenizer_config.json", "model_max_length"}
        }) {
      Path file = path.resolve(place[0]);
      // Tokenizers without a bound name a number of thirty digits.
      if (Files.exists(file)
          && object(file).get(place[1]) instanceof Number most
          && most.doubleValue() >= 1
          && most.doubleValue() <= Integer.MAX_VALUE) {
        return OptionalInt.of(most.intValue());
      }
    }
    return OptionalInt.empty();
  }

  private static Map<?, ?> object(Path file) {
    if (Json.parse(TextFile.read(file, MOST_BYTES)) instanceof Map<?, ?> map) {
      return map;
    }
    throw new FormatException(file + ": it is no JSON object");
  }

  float[] vector(float[] pooled) {
    if (!isNormalized) {
      return pooled;
    }
    double sum = 0;
    for (float value : pooled) {
      sum += (double) value * value;
    }
    double factor = sum == 0 ? 0 : 1 / Math.sqrt(sum);
    float[] vector = new float[pooled.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (pooled[i] * factor);
    }
    return vector;
  }
}
