package dev.kancil.format.huggingface;

import dev.kancil.FormatException;
import dev.kancil.format.TextFile;
import dev.kancil.format.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A {@code config.json}, in either spelling: what transformers 5 gathers in {@code rope_parameters}
 * lies where transformers 4 has it.
 */
final class HuggingFaceConfig {
  private static final long MOST_BYTES = 10_000_000;

  private final String file;
  private final Map<String, @Nullable Object> values;

  private HuggingFaceConfig(String file, Map<String, @Nullable Object> values) {
    this.file = file;
    this.values = values;
  }

  /**
   * Reads a file.
   *
   * @throws FormatException if it can't be read, or is no JSON object
   */
  static HuggingFaceConfig read(Path path) {
    return parse(path.toString(), TextFile.read(path, MOST_BYTES));
  }

  /**
   * Reads a text.
   *
   * @param file what errors call it
   */
  static HuggingFaceConfig parse(String file, String text) {
    Object parsed;
    try {
      parsed = Json.parse(text);
    } catch (FormatException e) {
      throw new FormatException(file + ": " + e.getMessage(), e);
    }
    Map<String, @Nullable Object> values = object(parsed);
    if (values == null) {
      throw new FormatException(file + ": it is no JSON object");
    }
    return new HuggingFaceConfig(file, spreadRope(values));
  }

  @SuppressWarnings("unchecked")
  private static @Nullable Map<String, @Nullable Object> object(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, @Nullable Object>) map : null;
  }

  private static Map<String, @Nullable Object> spreadRope(Map<String, @Nullable Object> values) {
    Map<String, @Nullable Object> spread = new LinkedHashMap<>(values);
    Map<String, @Nullable Object> rope = object(spread.remove("rope_parameters"));
    if (rope == null) {
      return spread;
    }
    Map<String, @Nullable Object> global = object(rope.get("full_attention"));
    Map<String, @Nullable Object> local = object(rope.get("sliding_attention"));
    if (local != null) {
      if (local.get("rope_theta") != null) {
        spread.put("rope_local_base_freq", local.get("rope_theta"));
      }
      spread.put("rope_local_scaling", local);
    }
    Map<String, @Nullable Object> main = global != null ? global : local != null ? Map.of() : rope;
    for (String key : List.of("rope_theta", "partial_rotary_factor")) {
      if (main.get(key) != null) {
        spread.put(key, main.get(key));
      }
    }
    spread.put("rope_scaling", main);
    return spread;
  }

  /**
   * The object under a key; what lies under the key with {@code _dict} behind it, as some have it,
   * counts for more.
   *
   * @throws FormatException if there is something else than an object
   */
  HuggingFaceConfig part(String key) {
    Map<String, @Nullable Object> merged = new LinkedHashMap<>();
    for (String name : List.of(key, key + "_dict")) {
      Map<String, @Nullable Object> of = object(values.get(name));
      if (of != null) {
        merged.putAll(of);
      } else if (has(name)) {
        throw wrongType(name, "an object");
      }
    }
    return new HuggingFaceConfig(file + ": " + key, merged);
  }

  /**
   * The same with other values where it does not say, under any name of the same setting. What is
   * null is said.
   */
  HuggingFaceConfig over(Map<String, Object> usual) {
    Map<String, @Nullable Object> merged = new LinkedHashMap<>(values);
    usual.forEach(
        (name, value) -> {
          if (SettingNames.alike(name).noneMatch(values::containsKey)) {
            merged.put(name, value);
          }
        });
    return new HuggingFaceConfig(file, merged);
  }

  /** What errors call it. */
  String file() {
    return file;
  }

  /** The value at a path of keys with dots between them; null if there is none. */
  private @Nullable Object value(String path) {
    Map<String, @Nullable Object> in = values;
    String[] keys = path.split("\\.", -1);
    for (int i = 0; i < keys.length - 1; i++) {
      in = object(in.get(keys[i]));
      if (in == null) {
        return null;
      }
    }
    return in.get(keys[keys.length - 1]);
  }

  boolean has(String path) {
    return value(path) != null;
  }

  Optional<Long> integer(String path) {
    return number(path)
        .map(
            number -> {
              if (number != Math.rint(number) || Math.abs(number) > 1L << 53) {
                throw wrongType(path, "an integer");
              }
              return number.longValue();
            });
  }

  Optional<Double> number(String path) {
    return switch (value(path)) {
      case null -> Optional.empty();
      case Number number -> Optional.of(number.doubleValue());
      default -> throw wrongType(path, "a number");
    };
  }

  Optional<String> string(String path) {
    return switch (value(path)) {
      case null -> Optional.empty();
      case String text -> Optional.of(text);
      default -> throw wrongType(path, "a text");
    };
  }

  /** What is called null is not true, as in Python. */
  Optional<Boolean> flag(String path) {
    return switch (value(path)) {
      case null -> values.containsKey(path) ? Optional.of(false) : Optional.empty();
      case Boolean truth -> Optional.of(truth);
      default -> throw wrongType(path, "true or false");
    };
  }

  /** Integers and truth values; a single one is a list of one. */
  List<Long> integers(String path) {
    Object value = value(path);
    if (value == null) {
      return List.of();
    }
    List<Long> integers = new ArrayList<>();
    for (Object element : value instanceof List<?> list ? list : List.of(value)) {
      integers.add(
          switch (element) {
            case Boolean truth -> truth ? 1L : 0L;
            case Number number when number.doubleValue() == Math.rint(number.doubleValue()) ->
                number.longValue();
            case null, default -> throw wrongType(path, "a list of integers");
          });
    }
    return integers;
  }

  List<Double> numbers(String path) {
    List<Double> numbers = new ArrayList<>();
    for (Object element : list(path)) {
      if (!(element instanceof Number number)) {
        throw wrongType(path, "a list of numbers");
      }
      numbers.add(number.doubleValue());
    }
    return numbers;
  }

  List<String> strings(String path) {
    List<String> texts = new ArrayList<>();
    for (Object element : list(path)) {
      if (!(element instanceof String text)) {
        throw wrongType(path, "a list of texts");
      }
      texts.add(text);
    }
    return texts;
  }

  private List<?> list(String path) {
    return switch (value(path)) {
      case null -> List.of();
      case List<?> list -> list;
      default -> throw wrongType(path, "a list");
    };
  }

  private FormatException wrongType(String path, String wanted) {
    return new FormatException(file + ": " + path + " is not " + wanted);
  }
}
