package dev.kancil.format.huggingface;

import dev.kancil.FormatException;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.safetensors.SafetensorsFile;
import dev.kancil.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A folder with {@code config.json} and {@code model.safetensors} or an index of its shards. The
 * architecture is the {@code model_type}; settings are asked for by the names that GGUF gives them,
 * where it has one, or by their own.
 */
public final class HuggingFaceCheckpoint implements Checkpoint {
  /** The file that tells what a folder holds. */
  public static final String CONFIG = "config.json";

  private static final String WEIGHTS = "model.safetensors";

  private final Path folder;
  private final HuggingFaceConfig config;
  private final SafetensorsFile file;

  private HuggingFaceCheckpoint(Path folder, HuggingFaceConfig config, SafetensorsFile file) {
    this.folder = folder;
    this.config = config;
    this.file = file;
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
    HuggingFaceConfig config = HuggingFaceConfig.read(configuration);
    for (String name : List.of(WEIGHTS, "model" + SafetensorsFile.INDEX)) {
      Path path = folder.resolve(name);
      if (Files.exists(path)) {
        return new HuggingFaceCheckpoint(folder, config, SafetensorsFile.open(path));
      }
    }
    throw new FormatException(
        folder + ": there is neither " + WEIGHTS + " nor model" + SafetensorsFile.INDEX);
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return file.tensors().values().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
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
        .string("model_type")
        .orElseThrow(() -> new FormatException(config.file() + ": no model_type"));
  }

  /** See {@link HuggingFaceConfig#part}. */
  @Override
  public HuggingFaceCheckpoint part(String part, Map<String, Object> usual) {
    return new HuggingFaceCheckpoint(folder, config.part(part, usual), file);
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
    return Optional.ofNullable(file.tensors().get(name));
  }

  @Override
  public Set<String> tensorNames() {
    return file.tensors().keySet();
  }

  @Override
  public void close() {
    file.close();
  }
}
