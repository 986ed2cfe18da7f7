package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An object of a JSON file, of which each field is asked for by name and type. A field that is null
 * is as if it were not there.
 *
 * @param file what errors call the file
 * @param path where the object lies in it, such as {@code model}
 */
record JsonFields(String file, String path, Map<String, @Nullable Object> fields) {
  private static final int MAX_STEPS = 100;
  private static final int MAX_SHORT = 1000;
  private static final int MAX_PATH = 100;

  /** Reads a file's text. */
  static JsonFields parse(String file, String text) {
    Object value;
    try {
      value = Json.parse(text);
    } catch (FormatException e) {
      throw new FormatException(file + ": " + e.getMessage(), e);
    }
    return of(file, "", value);
  }

  @SuppressWarnings("unchecked")
  private static JsonFields of(String file, String path, @Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return new JsonFields(file, path, (Map<String, @Nullable Object>) map);
    }
    throw new FormatException(file + ": " + (path.isEmpty() ? "it" : path) + " is not an object");
  }

  /** What errors call the file and a field. */
  String place(String name) {
    String shown = path.length() > MAX_PATH ? "…" + path.substring(path.length() - MAX_PATH) : path;
    return file + ": " + (shown.isEmpty() ? "" : shown + ".") + name;
  }

  FormatException fail(String name, String what) {
    return new FormatException(place(name) + " " + what);
  }

  boolean has(String name) {
    return fields.get(name) != null;
  }

  @Nullable Object value(String name) {
    return fields.get(name);
  }

  Optional<String> text(String name) {
    Object value = fields.get(name);
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof String text && !Utf8.hasLoneSurrogate(text)) {
      return Optional.of(text);
    }
    throw fail(name, value instanceof String ? "has half a surrogate pair" : "is not a string");
  }

  String requiredText(String name) {
    return text(name).orElseThrow(() -> fail(name, "is missing"));
  }

  /** A text of one character. */
  String character(String name, String orElse) {
    String text = text(name).orElse(orElse);
    if (text.codePointCount(0, text.length()) != 1) {
      throw fail(name, "is not one character");
    }
    return text;
  }

  boolean bool(String name, boolean orElse) {
    Object value = fields.get(name);
    if (value == null) {
      return orElse;
    }
    if (value instanceof Boolean bool) {
      return bool;
    }
    throw fail(name, "is not true or false");
  }

  int integer(String name, int least, int most, int orElse) {
    Object value = fields.get(name);
    return value == null ? orElse : integer(place(name), value, least, most);
  }

  /** A number that may be an id. */
  static int integer(String place, @Nullable Object value, int least, int most) {
    if (value instanceof Long number && number >= least && number <= most) {
      return (int) (long) number;
    }
    throw new FormatException(place + " is not a whole number from " + least + " to " + most);
  }

  List<@Nullable Object> list(String name) {
    Object value = fields.get(name);
    if (value == null) {
      return List.of();
    }
    if (value instanceof List<?> list) {
      return new ArrayList<@Nullable Object>(list);
    }
    throw fail(name, "is not an array");
  }

  /** The object in a field. */
  Optional<JsonFields> object(String name) {
    Object value = fields.get(name);
    return value == null
        ? Optional.empty()
        : Optional.of(of(file, path.isEmpty() ? name : path + "." + name, value));
  }

  JsonFields requiredObject(String name) {
    return object(name).orElseThrow(() -> fail(name, "is missing"));
  }

  /** The objects in an array. */
  List<JsonFields> objects(String name) {
    List<JsonFields> objects = new ArrayList<>();
    for (Object value : list(name)) {
      objects.add(
          of(file, (path.isEmpty() ? "" : path + ".") + name + "[" + objects.size() + "]", value));
    }
    return objects;
  }

  /** The objects in an array of steps, of which there are never many. */
  List<JsonFields> steps(String name) {
    List<JsonFields> steps = objects(name);
    if (steps.size() > MAX_STEPS) {
      throw fail(name, "has " + steps.size() + " steps, more than " + MAX_STEPS);
    }
    return steps;
  }

  /** A text that is put into others, again and again. */
  String shortText(String name) {
    String text = requiredText(name);
    if (text.length() > MAX_SHORT) {
      throw fail(name, "has " + text.length() + " characters, more than " + MAX_SHORT);
    }
    return text;
  }
}
