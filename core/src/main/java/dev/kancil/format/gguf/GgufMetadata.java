package dev.kancil.format.gguf;

import dev.kancil.FormatException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a GGUF file says of its model, by key. A key of another type than asked is an error. */
public final class GgufMetadata {
  private final String file;
  private final Map<String, GgufValue> values;

  /**
   * @param file what errors call the file
   */
  public GgufMetadata(String file, Map<String, GgufValue> values) {
    this.file = file;
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** What errors call the file. */
  public String file() {
    return file;
  }

  public Set<String> keys() {
    return values.keySet();
  }

  public boolean contains(String key) {
    return values.containsKey(key);
  }

  public Optional<GgufValue> value(String key) {
    return Optional.ofNullable(values.get(key));
  }

  public Optional<String> string(String key) {
    return value(key)
        .map(
            value ->
                switch (value) {
                  case GgufValue.Text(String text) -> text;
                  default -> throw wrongType(key, value, "a string");
                });
  }

  /** An integer of any of the integer types. */
  public Optional<Long> integer(String key) {
    return value(key)
        .map(
            value ->
                switch (value) {
                  case GgufValue.Int(GgufValue.IntType type, long number) -> {
                    if (type == GgufValue.IntType.UINT64 && number < 0) {
                      throw new FormatException(file + ": " + key + " is larger than 2^63");
                    }
                    yield number;
                  }
                  default -> throw wrongType(key, value, "an integer");
                });
  }

  /** A float or an integer. */
  public Optional<Double> number(String key) {
    return value(key)
        .map(
            value ->
                switch (value) {
                  case GgufValue.Float32(float number) -> (double) number;
                  case GgufValue.Float64(double number) -> number;
                  case GgufValue.Int _ -> (double) integer(key).orElseThrow();
                  default -> throw wrongType(key, value, "a number");
                });
  }

  public Optional<Boolean> bool(String key) {
    return value(key)
        .map(
            value ->
                switch (value) {
                  case GgufValue.Bool(boolean truth) -> truth;
                  default -> throw wrongType(key, value, "a bool");
                });
  }

  /** An array of strings; empty if the key is absent. */
  public List<String> strings(String key) {
    return switch (values.get(key)) {
      case null -> List.of();
      case GgufValue.Texts(var texts) -> texts;
      case GgufValue value -> throw wrongType(key, value, "an array of strings");
    };
  }

  /** An array of floats; empty if the key is absent. */
  public float[] floats(String key) {
    return switch (values.get(key)) {
      case null -> new float[0];
      case GgufValue.Floats(var floats) -> floats.clone();
      case GgufValue value -> throw wrongType(key, value, "an array of float32");
    };
  }

  /** An array of integers of any type; empty if the key is absent. */
  public long[] integers(String key) {
    return switch (values.get(key)) {
      case null -> new long[0];
      case GgufValue.Ints(_, var integers) -> integers.clone();
      case GgufValue value -> throw wrongType(key, value, "an array of integers");
    };
  }

  private FormatException wrongType(String key, GgufValue value, String wanted) {
    return new FormatException(
        file + ": metadata " + key + " is of type " + value.typeName() + ", not " + wanted);
  }
}
