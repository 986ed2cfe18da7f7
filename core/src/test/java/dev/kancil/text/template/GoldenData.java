package dev.kancil.text.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Typed views of what the JSON reader returns. */
final class GoldenData {
  private GoldenData() {}

  static List<?> list(@Nullable Object value) {
    return (List<?>) Objects.requireNonNull(value);
  }

  /** An object's members; the nulls among them are for templates alone. */
  static Map<String, Object> map(@Nullable Object value) {
    Map<String, Object> map = new LinkedHashMap<>();
    ((Map<?, ?>) Objects.requireNonNull(value))
        .forEach((key, member) -> map.put((String) key, member));
    return map;
  }
}
