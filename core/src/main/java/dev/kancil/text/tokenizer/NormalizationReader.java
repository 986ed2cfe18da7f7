package dev.kancil.text.tokenizer;

import dev.kancil.UnsupportedException;
import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.text.Normalizer.Form;
import java.util.Optional;

/** Reads the {@code normalizer} of a tokenizer.json. */
final class NormalizationReader {
  private NormalizationReader() {}

  static Normalization read(JsonFields json) {
    String type = json.requiredText("type");
    return switch (type) {
      case "NFC" -> new UnicodeForm(Form.NFC);
      case "NFD" -> new UnicodeForm(Form.NFD);
      case "NFKC" -> new UnicodeForm(Form.NFKC);
      case "NFKD" -> new UnicodeForm(Form.NFKD);
      case "Lowercase" -> new LowerCase();
      case "Strip" -> new SpaceStrip(json.bool("strip_left", true), json.bool("strip_right", true));
      case "StripAccents" -> new MarkRemoval();
      case "Replace" -> replacement(json);
      case "Prepend" -> new Prefix(json.shortText("prepend"));
      case "BertNormalizer", "Bert" -> {
        boolean lowerCase = json.bool("lowercase", true);
        yield new BertCleaning(
            json.bool("clean_text", true),
            json.bool("handle_chinese_chars", true),
            json.bool("strip_accents", lowerCase),
            lowerCase);
      }
      case "Nmt" -> new NmtCleaning();
      case "Precompiled" -> {
        Optional<String> map = json.text("precompiled_charsmap");
        yield map.isEmpty() || map.get().isEmpty()
            ? Normalization.NONE
            : new GraphemeCharsMap(
                CharsMap.ofBase64(json.place("precompiled_charsmap"), map.get()));
      }
      case "ByteLevel" ->
          text -> {
            byte[] bytes = Utf8.encode(text.text());
            return text.with(ByteLetters.letters(bytes, 0, bytes.length));
          };
      case "Sequence" -> {
        var steps =
            json.steps("normalizers").stream()
                .map(NormalizationReader::read)
                .filter(step -> !step.equals(Normalization.NONE))
                .toList();
        yield switch (steps.size()) {
          case 0 -> Normalization.NONE;
          case 1 -> steps.getFirst();
          default -> new Normalization.Sequence(steps);
        };
      }
      default ->
          throw new UnsupportedException(
              json.place("type") + ": the normalizer " + MergeTable.shown(type) + " is not known");
    };
  }

  /** What a normalizer or a decoder of this name replaces. */
  static Replacement replacement(JsonFields json) {
    JsonFields pattern = json.requiredObject("pattern");
    String content = json.shortText("content");
    Optional<String> literal = pattern.text("String");
    if (literal.isPresent()) {
      return new Replacement(
          literal, TextPattern.literal(pattern.place("String"), literal.get()), content);
    }
    return new Replacement(
        Optional.empty(),
        TextPattern.of(pattern.place("Regex"), pattern.requiredText("Regex"), Flavour.ONIGURUMA),
        content);
  }
}
