package dev.kancil.format.huggingface;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Adapter;
import dev.kancil.format.TextFile;
import dev.kancil.format.json.Json;
import dev.kancil.format.safetensors.SafetensorsFile;
import dev.kancil.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Adapters as PEFT writes them: a folder with a configuration and safetensors. */
public final class PeftAdapter {
  /** The file that tells what a folder holds. */
  public static final String CONFIG = "adapter_config.json";

  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String PREFIX = "base_model.model.";
  private static final long MOST_BYTES = 10_000_000;
  private static final Pattern PART =
      Pattern.compile("(.+)\\.lora_(A|B|embedding_A|embedding_B|magnitude_vector)(\\..+)?");

  /** Settings whose presence asks for what is not known. */
  private static final List<String> UNKNOWN =
      List.of(
          "alora_invocation_tokens",
          "layer_replication",
          "target_parameters",
          "trainable_token_indices",
          "use_bdlora",
          "use_qalora",
          "velora_config");

  private PeftAdapter() {}

  /**
   * Opens a folder.
   *
   * @param scale what all changes are multiplied by, beside their own factors
   * @throws FormatException if something is missing, can't be read, or is damaged
   * @throws UnsupportedException if it changes weights in a way that is not known
   */
  public static Adapter open(Path folder, float scale) {
    Path file = folder.resolve(CONFIG);
    if (!(Json.parse(TextFile.read(file, MOST_BYTES)) instanceof Map<?, ?> config)) {
      throw new FormatException(file + ": it is no JSON object");
    }
    requireKnown(file, config);
    SafetensorsFile tensors = SafetensorsFile.open(folder.resolve(WEIGHTS));
    try {
      return new Adapter(folder.toString(), changes(folder, config, tensors, scale), tensors);
    } catch (RuntimeException e) {
      tensors.close();
      throw e;
    }
  }

  private static void requireKnown(Path file, Map<?, ?> config) {
    Object kind = config.get("peft_type");
    if (!"LORA".equals(kind)) {
      throw new UnsupportedException(file + ": peft_type is " + kind + ", not LORA");
    }
    for (String key : UNKNOWN) {
      Object value = config.get(key);
      boolean isUnset =
          value == null
              || value.equals(false)
              || value instanceof List<?> list && list.isEmpty()
              || value instanceof Map<?, ?> map && map.isEmpty();
      if (!isUnset) {
        throw new UnsupportedException(file + ": " + key + " is set, which is not supported");
      }
    }
  }

  private static SequencedMap<String, Adapter.Change> changes(
      Path folder, Map<?, ?> config, SafetensorsFile file, float scale) {
    SequencedMap<String, Adapter.Change> changes = new LinkedHashMap<>();
    boolean isTransposed = Boolean.TRUE.equals(config.get("fan_in_fan_out"));
    for (Map.Entry<String, Tensor> entry : file.tensors().entrySet()) {
      String name = entry.getKey();
      if (!name.startsWith(PREFIX)) {
        throw new FormatException(
            folder + ": the tensor " + name + " is not called " + PREFIX + "…");
      }
      Matcher part = PART.matcher(name);
      if (!part.matches()) {
        // A module that was trained as a whole, or a bias.
        String target = name.substring(PREFIX.length()).replace(".modules_to_save", "");
        changes.put(target.replace(".base_layer", ""), new Adapter.Replaced(entry.getValue()));
        continue;
      }
      String module = part.group(1);
      String end = part.group(3) == null ? "" : part.group(3);
      boolean isEmbedding = part.group(2).startsWith("embedding_");
      if (!part.group(2).endsWith("A")) {
        requireFirst(folder, file, name, module, isEmbedding, end);
        continue;
      }
      Tensor a = entry.getValue();
      String other = module + (isEmbedding ? ".lora_embedding_B" : ".lora_B") + end;
      Tensor b = file.tensors().get(other);
      if (b == null) {
        throw new FormatException(folder + ": the tensor " + other + " is missing");
      }
      String target = module.substring(PREFIX.length());
      float factor = factor(folder, config, target, a);
      changes.put(
          target + ".weight",
          new Adapter.LowRank(
              a, b, scale * factor, isTransposed || isEmbedding, magnitude(file, module)));
    }
    return changes;
  }

  /** What is no first factor must have one. */
  private static void requireFirst(
      Path folder,
      SafetensorsFile file,
      String name,
      String module,
      boolean isEmbedding,
      String end) {
    String first = module + (isEmbedding ? ".lora_embedding_A" : ".lora_A");
    boolean isThere =
        file.tensors().containsKey(first + end)
            || file.tensors().containsKey(first + ".weight")
            || file.tensors().containsKey(first + ".default.weight");
    if (!isThere) {
      throw new FormatException(folder + ": the tensor " + name + " has no " + first);
    }
  }

  private static Optional<Tensor> magnitude(SafetensorsFile file, String module) {
    String name = module + ".lora_magnitude_vector";
    for (String end : List.of("", ".weight", ".default.weight", ".default")) {
      Tensor found = file.tensors().get(name + end);
      if (found != null) {
        return Optional.of(found);
      }
    }
    return Optional.empty();
  }

  /** What the product is multiplied by: alpha over the rank, or over its root (rsLoRA). */
  private static float factor(Path folder, Map<?, ?> config, String module, Tensor a) {
    double alpha =
        number(
            folder,
            "lora_alpha",
            pattern(config.get("alpha_pattern"), module).orElseGet(() -> config.get("lora_alpha")));
    double rank = a.shape().rank() == 2 ? a.shape().dimension(0) : 1;
    boolean isOfRoot = Boolean.TRUE.equals(config.get("use_rslora"));
    return (float) (alpha / (isOfRoot ? Math.sqrt(rank) : rank));
  }

  /** The value of the first pattern that a module's name ends with. */
  private static Optional<Object> pattern(@Nullable Object patterns, String module) {
    if (patterns instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        String ending = "(.*\\.)?(" + entry.getKey() + ")";
        if (Pattern.matches(ending, module)) {
          return Optional.ofNullable(entry.getValue());
        }
      }
    }
    return Optional.empty();
  }

  private static double number(Path folder, String key, @Nullable Object value) {
    if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
      return number.doubleValue();
    }
    throw new FormatException(folder.resolve(CONFIG) + ": " + key + " is " + value);
  }
}
