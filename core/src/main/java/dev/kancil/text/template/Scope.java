package dev.kancil.text.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The names set in one block; names not found here are looked up where the block stands. */
final class Scope {
  private final @Nullable Scope parent;
  private @Nullable Map<String, Object> names;

  Scope(@Nullable Scope parent) {
    this.parent = parent;
  }

  void set(String name, Object value) {
    if (names == null) {
      names = new HashMap<>(8);
    }
    names.put(name, value);
  }

  @Nullable Object find(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      Object value = scope.names == null ? null : scope.names.get(name);
      if (value != null) {
        return value;
      }
    }
    return null;
  }
}
