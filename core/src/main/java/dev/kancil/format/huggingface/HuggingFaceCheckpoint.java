package dev.kancil.format.huggingface;

import dev.kancil.FormatException;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.safetensors.SafetensorsFile;
import dev.kancil.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * A folder with {@code config.json} and {@code model.safetensors} or an index of its shards. The
 * architecture is the {@code model_type}; settings are asked for by the names that GGUF gives them,
 * where it has one, or by their own, and are the {@link UsualSettings} where the configuration does
 * not say.
 */
public final class HuggingFaceCheckpoint implements Checkpoint {
  /** The file that tells what a folder holds. */
  public static final String CONFIG = "config.json";

  private static final String KIND = "model_type";
  private static final String WEIGHTS = "model.safetensors";
  private static final String NORM = "LayerNorm.";

  private final Path folder;
  private final HuggingFaceConfig config;
  private final SafetensorsFile file;
  private final SequencedMap<String, Tensor> tensors;

  private HuggingFaceCheckpoint(
      Path folder,
      HuggingFaceConfig config,
      SafetensorsFile file,
      SequencedMap<String, Tensor> tensors) {
    this.folder = folder;
    this.config = config;
    this.file = file;
    this.tensors = tensors;
  }

  /** Opens a folder with its {@link #CONFIG}; see {@link #open(Path, Path)}. */
  public static HuggingFaceCheckpoint open(Path folder) {
    return open(folder, folder.resolve(CONFIG));
  }

  /**
   * Opens a folder whose configuration lies in another file.
   *
   * @throws FormatException if something is missing, can't be read, or is damaged
   * @throws dev.kancil.UnsupportedException if a tensor's type is unknown
   */
  public static HuggingFaceCheckpoint open(Path folder, Path configuration) {
    if (!Files.exists(configuration)) {
      throw new FormatException(
          folder
              + ": a folder without "
              + configuration.getFileName()
              + "; a model is a GGUF file, or a folder of Hugging Face transformers");
    }
    HuggingFaceConfig read = HuggingFaceConfig.read(configuration);
    HuggingFaceConfig config =
        read.string(KIND).map(kind -> read.over(UsualSettings.of(kind))).orElse(read);
    for (String name : List.of(WEIGHTS, "model" + SafetensorsFile.INDEX)) {
      Path path = folder.resolve(name);
      if (Files.exists(path)) {
        SafetensorsFile file = SafetensorsFile.open(path);
        return new HuggingFaceCheckpoint(folder, config, file, named(file.tensors()));
      }
    }
    throw new FormatException(
        folder + ": there is neither " + WEIGHTS + " nor model" + SafetensorsFile.INDEX);
  }

  /** Tensors by the names of today: the first BERTs name norms as TensorFlow does. */
  private static SequencedMap<String, Tensor> named(SequencedMap<String, Tensor> tensors) {
    SequencedMap<String, Tensor> named = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          String today = today(today(name, "gamma", "weight"), "beta", "bias");
          named.put(tensors.containsKey(today) ? name : today, tensor);
        });
    return named;
  }

  private static String today(String name, String old, String fresh) {
    return name.endsWith(NORM + old)
        ? name.substring(0, name.length() - old.length()) + fresh
        : name;
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return tensors.values().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
  }

  @Override
  public Layout layout() {
    return Layout.HUGGING_FACE;
  }

  @Override
  public String name() {
    return folder.toString();
  }

  @Override
  public String architecture() {
    return config
        .string(KIND)
        .orElseThrow(() -> new FormatException(config.file() + ": no " + KIND));
  }

  /** See {@link HuggingFaceConfig#part}. */
  @Override
  public HuggingFaceCheckpoint part(String part, String kind) {
    HuggingFaceConfig of = config.part(part).over(UsualSettings.of(kind));
    return new HuggingFaceCheckpoint(folder, of, file, tensors);
  }

  @Override
  public String settingName(String key) {
    return key(key);
  }

  private String key(String key) {
    return SettingNames.of(config, key);
  }

  @Override
  public Optional<Long> integer(String key) {
    return config.integer(key(key));
  }

  @Override
  public Optional<Double> number(String key) {
    return config.number(key(key));
  }

  @Override
  public Optional<String> string(String key) {
    return config.string(key(key));
  }

  @Override
  public Optional<Boolean> flag(String key) {
    return config.flag(key(key));
  }

  @Override
  public List<Long> integers(String key) {
    return config.integers(key(key));
  }

  @Override
  public List<Double> numbers(String key) {
    return config.numbers(key(key));
  }

  @Override
  public List<String> strings(String key) {
    return config.strings(key(key));
  }

  @Override
  public Optional<Tensor> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public Set<String> tensorNames() {
    return tensors.keySet();
  }

  @Override
  public void close() {
    file.close();
  }
}
