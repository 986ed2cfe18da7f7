package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Collects tokens whose ids come in any order, and may leave some out. */
final class VocabularyBuilder {
  /** No vocabulary comes near. */
  static final int MAX_ID = (1 << 24) - 1;

  private final String file;
  private final Map<String, Integer> ids = new HashMap<>();
  private @Nullable String[] texts = new @Nullable String[1024];
  private byte[] kinds = new byte[1024];
  private int size;

  /**
   * @param file what errors call the file
   */
  VocabularyBuilder(String file) {
    this.file = file;
  }

  /**
   * Adds a token.
   *
   * @param place what errors call the place where it stands
   */
  void add(String place, int id, String text, int kind) {
    if (id >= texts.length) {
      int capacity = Math.max(id + 1, Math.min(MAX_ID + 1, 2 * texts.length));
      texts = Arrays.copyOf(texts, capacity);
      kinds = Arrays.copyOf(kinds, capacity);
    }
    if (texts[id] != null) {
      throw new FormatException(
          place
              + ": the tokens '"
              + MergeTable.shown(texts[id])
              + "' and '"
              + MergeTable.shown(text)
              + "' have the same id "
              + id);
    }
    Integer other = text.isEmpty() ? null : ids.putIfAbsent(text, id);
    if (other != null) {
      throw new FormatException(
          place
              + ": the tokens "
              + other
              + " and "
              + id
              + " have the same text '"
              + MergeTable.shown(text)
              + "'");
    }
    texts[id] = text;
    kinds[id] = (byte) kind;
    size = Math.max(size, id + 1);
  }

  /** Adds an added token, which may be one of the model's. */
  void addAdded(int id, String text, boolean special) {
    int kind = special ? Vocabulary.CONTROL : Vocabulary.USER_DEFINED;
    Integer known = ids.get(text);
    if (known == null) {
      add(file + ": added_tokens", id, text, kind);
    } else if (known == id) {
      kinds[id] = (byte) kind;
    } else {
      throw new FormatException(
          file
              + ": added_tokens: '"
              + MergeTable.shown(text)
              + "' has the id "
              + id
              + ", but in the vocabulary "
              + known);
    }
  }

  /** The id of a text, or -1. */
  int find(String text) {
    return ids.getOrDefault(text, -1);
  }

  /** How many tokens there are. */
  int count() {
    return ids.size();
  }

  /** The vocabulary, where only kinds have changed since another was built. */
  Vocabulary rebuild(Vocabulary other, int count) {
    return count == count() ? other.withKinds(Arrays.copyOf(kinds, size)) : build();
  }

  Vocabulary build() {
    if (ids.isEmpty()) {
      throw new FormatException(file + ": it has no tokens");
    }
    if (size > 2L * ids.size() + 100_000) {
      throw new FormatException(
          file + ": there are " + ids.size() + " tokens, but ids up to " + (size - 1));
    }
    String[] all = new String[size];
    for (int id = 0; id < size; id++) {
      String text = texts[id];
      all[id] = text == null ? "" : text;
    }
    return new Vocabulary(file, all, Arrays.copyOf(kinds, size));
  }
}
