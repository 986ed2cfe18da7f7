package dev.kancil.format.huggingface;

import dev.kancil.format.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;

/**
 * What transformers takes where a configuration does not say: the defaults of its classes, as
 * {@code scripts/make-usual-settings} finds them.
 */
final class UsualSettings {
  private UsualSettings() {}

  /** Settings of a {@code model_type}; none of one that is not known. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> of(String kind) {
    try (InputStream in =
        Objects.requireNonNull(UsualSettings.class.getResourceAsStream("usual-settings.json"))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      Map<?, ?> all = (Map<?, ?>) Objects.requireNonNull(Json.parse(text));
      return all.get(kind) instanceof Map<?, ?> settings
          ? (Map<String, Object>) settings
          : Map.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
