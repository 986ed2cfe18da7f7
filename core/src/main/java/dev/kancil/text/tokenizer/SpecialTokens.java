package dev.kancil.text.tokenizer;

import dev.kancil.format.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a text at the tokens that are recognised before any other processing: user-defined tokens
 * always, control and unknown tokens on request. Where several begin at the same place the longest
 * wins, and the leftmost wins over all that overlap it.
 */
final class SpecialTokens {
  private static final int KINDS =
      Vocabulary.CONTROL | Vocabulary.USER_DEFINED | Vocabulary.UNKNOWN;

  /**
   * A token and how it is recognised.
   *
   * @param text what stands for it
   * @param always whether it is recognised where control tokens are not asked for
   * @param stripsLeft whether it swallows the white space before it
   * @param stripsRight whether it swallows the white space behind it
   * @param wholeWord whether it is none where a letter or digit stands beside it
   */
  record Rule(
      int id,
      String text,
      boolean always,
      boolean stripsLeft,
      boolean stripsRight,
      boolean wholeWord) {}

  private final ByteTrie trie;
  private final Map<Integer, Rule> rules = new HashMap<>();
  private final boolean unicodeSpace;
  private final boolean[] beginsAny = new boolean[256];
  private final boolean[] beginsAlways = new boolean[256];
  private final boolean hasAlways;

  /**
   * Some models' tokens swallow white space, which files do not say; by their names, as llama.cpp.
   */
  static SpecialTokens of(GgufMetadata metadata, Vocabulary vocabulary) {
    String name = metadata.string("general.name").orElse("").toLowerCase(Locale.ROOT);
    String preTokenizer = metadata.string("tokenizer.ggml.pre").orElse("");
    boolean phi3 = name.contains("phi-3") || name.contains("phi3");
    Set<String> exceptions = Set.of("<unk>", "<s>", "<|endoftext|>");
    String mask =
        preTokenizer.startsWith("jina-v2-")
            ? "<mask>"
            : name.contains("modern-bert") ? "[MASK]" : "";
    List<Rule> rules = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = vocabulary.text(id);
      if (vocabulary.is(id, KINDS) && !text.isEmpty()) {
        // A token whose name makes it a control token is one, even if the file says user-defined.
        boolean always = !vocabulary.is(id, Vocabulary.CONTROL | Vocabulary.UNKNOWN);
        rules.add(
            new Rule(
                id,
                text,
                always,
                !phi3 && text.equals(mask),
                phi3 && !exceptions.contains(text),
                false));
      }
    }
    return new SpecialTokens(vocabulary.file(), rules, false);
  }

  /**
   * @param file what errors call the file
   * @param unicodeSpace whether white space is Unicode's, or else that of ASCII
   */
  SpecialTokens(String file, Collection<Rule> tokens, boolean unicodeSpace) {
    this.unicodeSpace = unicodeSpace;
    trie =
        new ByteTrie(
            file,
            tokens.stream().map(Rule::text).toArray(String[]::new),
            tokens.stream().mapToInt(Rule::id).toArray());
    boolean anyAlways = false;
    for (Rule rule : tokens) {
      rules.put(rule.id(), rule);
      int first = rule.text().getBytes(StandardCharsets.UTF_8)[0] & 0xFF;
      beginsAny[first] = true;
      if (rule.always()) {
        beginsAlways[first] = true;
        anyAlways = true;
      }
    }
    hasAlways = anyAlways;
  }

  /** With more tokens, or other rules for some of these. */
  SpecialTokens with(String file, Collection<Rule> more) {
    Map<Integer, Rule> all = new LinkedHashMap<>(rules);
    more.forEach(rule -> all.put(rule.id(), rule));
    return new SpecialTokens(file, all.values(), unicodeSpace);
  }

  boolean isEmpty() {
    return rules.isEmpty();
  }

  /** Hands over the pieces of a part of a text in order. */
  void split(byte[] text, int from, int to, boolean controlTokens, EncodingPass pass) {
    int textFrom = from;
    if (controlTokens ? !rules.isEmpty() : hasAlways) {
      boolean[] begins = controlTokens ? beginsAny : beginsAlways;
      for (int at = from; at < to; ) {
        if (!begins[text[at] & 0xFF]) {
          at++;
          continue;
        }
        Rule rule = longestMatch(text, at, to, controlTokens);
        if (rule == null) {
          at++;
          continue;
        }
        int end = matchEnd(text, at, rule);
        if (rule.wholeWord() && !standsAlone(text, from, to, at, end)) {
          at = end;
          continue;
        }
        int textTo = rule.stripsLeft() ? spaceBefore(text, textFrom, at) : at;
        if (textTo > textFrom) {
          pass.text(text, textFrom, textTo);
        }
        pass.token(rule.id());
        at = rule.stripsRight() ? spaceBehind(text, end, to) : end;
        textFrom = at;
      }
    }
    if (textFrom < to) {
      pass.text(text, textFrom, to);
    }
  }

  private @Nullable Rule longestMatch(byte[] text, int from, int to, boolean controlTokens) {
    Rule longest = null;
    int node = 0;
    for (int at = from; at < to; ) {
      node = trie.child(node, text[at++]);
      if (node == 0) {
        break;
      }
      int id = trie.token(node);
      if (id >= 0) {
        Rule rule = rules.get(id);
        if (rule != null && (controlTokens || rule.always())) {
          longest = rule;
        }
      }
    }
    return longest;
  }

  private static int matchEnd(byte[] text, int from, Rule rule) {
    int at = from;
    for (int i = rule.text().codePointCount(0, rule.text().length()); i > 0; i--) {
      at += Utf8.length(text[at]);
    }
    return at;
  }

  private static boolean standsAlone(byte[] text, int from, int to, int start, int end) {
    boolean before =
        start > from && CharacterClass.isWord(Utf8.codeAt(text, Utf8.before(text, start)));
    return !before && (end == to || !CharacterClass.isWord(Utf8.codeAt(text, end)));
  }

  private int spaceBefore(byte[] text, int from, int to) {
    int at = to;
    while (at > from) {
      int before = Utf8.before(text, at);
      if (!isBlank(text, before)) {
        break;
      }
      at = before;
    }
    return at;
  }

  private int spaceBehind(byte[] text, int from, int to) {
    int at = from;
    while (at < to && isBlank(text, at)) {
      at += Utf8.length(text[at]);
    }
    return at;
  }

  private boolean isBlank(byte[] text, int at) {
    return unicodeSpace
        ? CharacterClass.at(text, at) == CharacterClass.SPACE
        : text[at] == ' ' || (text[at] >= 9 && text[at] <= 13);
  }
}
