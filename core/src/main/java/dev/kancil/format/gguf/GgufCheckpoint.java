package dev.kancil.format.gguf;

import dev.kancil.FormatException;
import dev.kancil.format.Checkpoint;
import dev.kancil.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A GGUF file as a checkpoint; settings are the keys under its architecture's name. */
public final class GgufCheckpoint implements Checkpoint {
  private final GgufFile file;
  private final String architecture;

  /** Wraps an open file, which closing this closes. */
  public GgufCheckpoint(GgufFile file) {
    this.file = file;
    this.architecture =
        file.metadata()
            .string("general.architecture")
            .orElseThrow(
                () -> new FormatException(file.path() + ": no metadata general.architecture"));
  }

  public GgufFile file() {
    return file;
  }

  @Override
  public Layout layout() {
    return Layout.GGUF;
  }

  @Override
  public String name() {
    return file.path().toString();
  }

  @Override
  public String architecture() {
    return architecture;
  }

  @Override
  public String settingName(String key) {
    return key(key);
  }

  private String key(String key) {
    return architecture + "." + key;
  }

  @Override
  public Optional<Long> integer(String key) {
    return file.metadata().integer(key(key));
  }

  @Override
  public Optional<Double> number(String key) {
    return file.metadata().number(key(key));
  }

  @Override
  public Optional<String> string(String key) {
    return file.metadata().string(key(key));
  }

  @Override
  public List<Long> integers(String key) {
    return switch (file.metadata().value(key(key)).orElse(null)) {
      case null -> List.of();
      case GgufValue.Int _ -> List.of(integer(key).orElseThrow());
      default -> Arrays.stream(file.metadata().integers(key(key))).boxed().toList();
    };
  }

  @Override
  public Optional<Boolean> flag(String key) {
    return file.metadata().bool(key(key));
  }

  @Override
  public List<Double> numbers(String key) {
    List<Double> numbers = new ArrayList<>();
    for (float number : file.metadata().floats(key(key))) {
      numbers.add((double) number);
    }
    return numbers;
  }

  @Override
  public List<String> strings(String key) {
    return file.metadata().strings(key(key));
  }

  @Override
  public Optional<Tensor> tensor(String name) {
    return file.tensor(name);
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
