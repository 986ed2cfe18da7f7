package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.util.Locale;
import java.util.Optional;

/** Reads the {@code pre_tokenizer} of a tokenizer.json. */
final class SplitterReader {
  private static final int MAX_DEPTH = 50;

  /**
   * How text is cut.
   *
   * @param bytesLast whether in the end bytes become letters of the {@link ByteLevel} alphabet,
   *     which the splitter leaves to others
   */
  record Cut(Splitter splitter, boolean bytesLast) {
    /** With the bytes as letters. */
    Splitter whole() {
      return bytesLast ? splitter.then(new ByteLetters()) : splitter;
    }
  }

  private SplitterReader() {}

  static Cut read(JsonFields json) {
    return read(json, 0);
  }

  private static Cut read(JsonFields json, int depth) {
    String type = json.requiredText("type");
    if (depth > MAX_DEPTH) {
      throw new FormatException(json.place("type") + " is nested too deep");
    }
    return switch (type) {
      case "Sequence" -> {
        Splitter all = new WholeText();
        boolean bytes = false;
        for (JsonFields step : json.steps("pretokenizers")) {
          Cut next = read(step, depth + 1);
          all = (bytes ? all.then(new ByteLetters()) : all).then(next.splitter());
          bytes = next.bytesLast();
        }
        yield new Cut(all, bytes);
      }
      case "ByteLevel" -> {
        Splitter cut = json.bool("use_regex", true) ? new Gpt2Splitter() : new WholeText();
        yield new Cut(
            json.bool("add_prefix_space", true) ? new SpacePrefix().then(cut) : cut, true);
      }
      default -> new Cut(single(json, type), false);
    };
  }

  private static Splitter single(JsonFields json, String type) {
    return switch (type) {
      case "Split" -> split(json);
      case "Whitespace" -> new WordSplitter();
      case "WhitespaceSplit" -> spaces();
      case "BertPreTokenizer" ->
          spaces().then(new SetSplitter(EarlierUnicode::isPunctuation, SplitBehavior.ISOLATED));
      case "Punctuation" ->
          new SetSplitter(EarlierUnicode::isPunctuation, behavior(json, "Isolated"));
      case "Digits" ->
          new SetSplitter(
              RunSplitter.CharacterSet.ofClasses(CharacterClass.NUMBER),
              json.bool("individual_digits", false)
                  ? SplitBehavior.ISOLATED
                  : SplitBehavior.CONTIGUOUS);
      case "Metaspace" -> metaspace(json);
      case "CharDelimiterSplit", "Delimiter" -> {
        int delimiter = json.character("delimiter", "").codePointAt(0);
        yield new SetSplitter(code -> code == delimiter, SplitBehavior.REMOVED);
      }
      case "UnicodeScripts" -> new ScriptSplitter();
      case "FixedLength" -> new LengthSplitter(json.integer("length", 1, Integer.MAX_VALUE, 5));
      default ->
          throw new UnsupportedException(
              json.place("type")
                  + ": the pre-tokenizer "
                  + MergeTable.shown(type)
                  + " is not known");
    };
  }

  private static Splitter spaces() {
    return new SetSplitter(
        RunSplitter.CharacterSet.ofClasses(CharacterClass.SPACE), SplitBehavior.REMOVED);
  }

  private static Splitter split(JsonFields json) {
    JsonFields pattern = json.requiredObject("pattern");
    SplitBehavior behavior = behavior(json, "");
    boolean inverted = json.bool("invert", false);
    Optional<String> literal = pattern.text("String");
    if (literal.isPresent()) {
      String text = literal.get();
      if (text.isEmpty()) {
        return new WholeText();
      }
      if (text.codePointCount(0, text.length()) == 1 && !inverted) {
        int code = text.codePointAt(0);
        return new SetSplitter(other -> other == code, behavior);
      }
      return new PatternSplitter(
          TextPattern.literal(pattern.place("String"), text), behavior, inverted);
    }
    String source = pattern.requiredText("Regex");
    // A known pattern matches all of a text, so that nothing lies between its matches.
    boolean keepsMatches = inverted ? behavior == SplitBehavior.REMOVED : isolates(behavior);
    Optional<Splitter> known = KnownPatterns.splitter(source, Flavour.ONIGURUMA);
    if (known.isPresent() && keepsMatches) {
      return known.get();
    }
    Optional<Splitter> run = KnownPatterns.partial(source);
    if (run.isPresent() && !inverted && behavior == SplitBehavior.ISOLATED) {
      return run.get();
    }
    return new PatternSplitter(
        TextPattern.of(pattern.place("Regex"), source, Flavour.ONIGURUMA), behavior, inverted);
  }

  private static boolean isolates(SplitBehavior behavior) {
    return behavior == SplitBehavior.ISOLATED;
  }

  private static SplitBehavior behavior(JsonFields json, String orElse) {
    String name = json.text("behavior").orElse(orElse);
    return switch (name.toLowerCase(Locale.ROOT).replace("_", "")) {
      case "isolated" -> SplitBehavior.ISOLATED;
      case "removed" -> SplitBehavior.REMOVED;
      case "mergedwithprevious" -> SplitBehavior.MERGED_WITH_PREVIOUS;
      case "mergedwithnext" -> SplitBehavior.MERGED_WITH_NEXT;
      case "contiguous" -> SplitBehavior.CONTIGUOUS;
      default ->
          throw new FormatException(
              json.place("behavior") + ": '" + MergeTable.shown(name) + "' is none");
    };
  }

  private static Splitter metaspace(JsonFields json) {
    return new MetaspaceSplitter(
        json.character("replacement", "▁"), prepend(json), json.bool("split", true));
  }

  static MetaspaceSplitter.Prepend prepend(JsonFields json) {
    String scheme = json.text("prepend_scheme").orElse("always");
    boolean never = !json.bool("add_prefix_space", true);
    if (never && !scheme.equals("never") && json.has("prepend_scheme")) {
      throw json.fail("prepend_scheme", "contradicts add_prefix_space");
    }
    if (never) {
      return MetaspaceSplitter.Prepend.NEVER;
    }
    return switch (scheme) {
      case "always" -> MetaspaceSplitter.Prepend.ALWAYS;
      case "first" -> MetaspaceSplitter.Prepend.FIRST;
      case "never" -> MetaspaceSplitter.Prepend.NEVER;
      default -> throw json.fail("prepend_scheme", "is none of always, first and never");
    };
  }
}
