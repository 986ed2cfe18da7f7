package dev.kancil.cli;

import dev.kancil.FormatException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON for machines to read. */
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Json() {}

  /** An object with its members in this order: names and values in turn. */
  static Map<String, @Nullable Object> object(@Nullable Object... namesAndValues) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
    }
    return object;
  }

  static void print(Console console, Object value) {
    console.out().println(MAPPER.writeValueAsString(value));
    console.out().flush();
  }

  /**
   * Reads an object.
   *
   * @param name what errors call the text
   */
  static Map<String, ?> parseObject(String name, String text) {
    try {
      return MAPPER.readValue(text, new TypeReference<LinkedHashMap<String, Object>>() {});
    } catch (JacksonException e) {
      throw new FormatException(name + ": not a JSON object: " + e.getOriginalMessage(), e);
    }
  }
}
