package dev.kancil.text.tokenizer;

import dev.kancil.format.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * Cuts a text at the tokens that are recognised before any other processing: user-defined tokens
 * always, control and unknown tokens on request. Where several begin at the same place the longest
 * wins, and the leftmost wins over all that overlap it.
 */
final class SpecialTokens {
  private static final int KINDS =
      Vocabulary.CONTROL | Vocabulary.USER_DEFINED | Vocabulary.UNKNOWN;

  /** What tokens do to the white space beside them. */
  enum Strip {
    NOTHING,
    LEFT,
    RIGHT
  }

  /** Which tokens strip what. */
  interface Strips {
    Strip of(int id);
  }

  private final Vocabulary vocabulary;
  private final ByteTrie trie;
  private final Strips strips;
  private final boolean[] beginsAny = new boolean[256];
  private final boolean[] beginsUserDefined = new boolean[256];
  private final boolean hasUserDefined;

  /**
   * Some models' tokens swallow white space, which files do not say; by their names, as llama.cpp.
   */
  static SpecialTokens of(GgufMetadata metadata, Vocabulary vocabulary) {
    String name = metadata.string("general.name").orElse("").toLowerCase(Locale.ROOT);
    String preTokenizer = metadata.string("tokenizer.ggml.pre").orElse("");
    if (name.contains("phi-3") || name.contains("phi3")) {
      Set<String> exceptions = Set.of("<unk>", "<s>", "<|endoftext|>");
      return new SpecialTokens(
          vocabulary, id -> exceptions.contains(vocabulary.text(id)) ? Strip.NOTHING : Strip.RIGHT);
    }
    String mask =
        preTokenizer.startsWith("jina-v2-")
            ? "<mask>"
            : name.contains("modern-bert") ? "[MASK]" : "";
    return new SpecialTokens(
        vocabulary, id -> vocabulary.text(id).equals(mask) ? Strip.LEFT : Strip.NOTHING);
  }

  private SpecialTokens(Vocabulary vocabulary, Strips strips) {
    this.vocabulary = vocabulary;
    this.strips = strips;
    IdBuffer special = new IdBuffer(16);
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.is(id, KINDS) && !vocabulary.text(id).isEmpty()) {
        special.add(id);
      }
    }
    int[] ids = special.toArray();
    trie = new ByteTrie(vocabulary.file(), vocabulary, ids);
    boolean anyUserDefined = false;
    for (int id : ids) {
      int first = vocabulary.text(id).getBytes(StandardCharsets.UTF_8)[0] & 0xFF;
      beginsAny[first] = true;
      if (isAlwaysFound(id)) {
        beginsUserDefined[first] = true;
        anyUserDefined = true;
      }
    }
    hasUserDefined = anyUserDefined;
  }

  /** A token whose name makes it a control token is one, even if the file says user-defined. */
  private boolean isAlwaysFound(int id) {
    return !vocabulary.is(id, Vocabulary.CONTROL | Vocabulary.UNKNOWN);
  }

  /** Hands over the pieces in order. */
  void split(byte[] text, boolean controlTokens, EncodingPass pass) {
    int textFrom = 0;
    if (controlTokens || hasUserDefined) {
      boolean[] begins = controlTokens ? beginsAny : beginsUserDefined;
      for (int at = 0; at < text.length; ) {
        if (!begins[text[at] & 0xFF]) {
          at++;
          continue;
        }
        int end = longestMatch(text, at, controlTokens);
        if (end == at) {
          at++;
          continue;
        }
        int id = matched(text, at, end);
        Strip strip = strips.of(id);
        int textTo = at;
        while (strip == Strip.LEFT && textTo > textFrom && isBlank(text[textTo - 1])) {
          textTo--;
        }
        if (textTo > textFrom) {
          pass.text(text, textFrom, textTo);
        }
        pass.token(id);
        at = end;
        while (strip == Strip.RIGHT && at < text.length && isBlank(text[at])) {
          at++;
        }
        textFrom = at;
      }
    }
    if (textFrom < text.length) {
      pass.text(text, textFrom, text.length);
    }
  }

  private int longestMatch(byte[] text, int from, boolean controlTokens) {
    int longest = from;
    int node = 0;
    for (int at = from; at < text.length; ) {
      node = trie.child(node, text[at++]);
      if (node == 0) {
        break;
      }
      int id = trie.token(node);
      if (id >= 0 && (controlTokens || isAlwaysFound(id))) {
        longest = at;
      }
    }
    return longest;
  }

  private int matched(byte[] text, int from, int to) {
    int node = 0;
    for (int at = from; at < to; at++) {
      node = trie.child(node, text[at]);
    }
    return trie.token(node);
  }

  private static boolean isBlank(byte value) {
    return value == ' ' || (value >= 9 && value <= 13);
  }
}
