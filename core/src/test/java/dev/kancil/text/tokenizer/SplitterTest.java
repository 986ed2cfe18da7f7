package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Scanners against the patterns that they stand for. */
class SplitterTest {
  private static final String SPACE = "\\p{IsWhite_Space}";
  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  private static final String LLAMA3 =
      "(?iu:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static Pattern pattern(String text) {
    return Pattern.compile(text.replace("\\S", "[^" + SPACE + "]").replace("\\s", SPACE));
  }

  /** Matches and what lies between them, as patterns applied one after the other leave it. */
  private static List<String> split(String text, String... patterns) {
    List<String> parts = List.of(text);
    for (String pattern : patterns) {
      List<String> finer = new ArrayList<>();
      for (String part : parts) {
        Matcher matcher = pattern(pattern).matcher(part);
        int rest = 0;
        while (matcher.find()) {
          if (matcher.start() > rest) {
            finer.add(part.substring(rest, matcher.start()));
          }
          finer.add(matcher.group());
          rest = matcher.end();
        }
        if (rest < part.length()) {
          finer.add(part.substring(rest));
        }
      }
      parts = finer;
    }
    return parts;
  }

  private static List<String> split(String text, Splitter splitter) {
    List<String> words = new ArrayList<>();
    byte[] bytes = Utf8.encode(text);
    splitter.split(
        bytes,
        0,
        bytes.length,
        (all, from, to) -> words.add(new String(all, from, to - from, StandardCharsets.UTF_8)));
    return words;
  }

  static String randomText(Random random) {
    String[] pieces = {
      " ", "  ", "\n", "\r\n", "\t", "\u00A0", "\u3000", "\u0085", "'s", "'LL", "'\u017F", "'", "a",
      "Bc", "é", "e\u0301", "日本", "한국", "🦌", "12", "1234", "٣", "½", "...", "$", "`", "_",
      "\u200D", "\u0000", "\u001C", "龥", "ABC", "ǅ", "ʰ", "\u0301", "/", "カ", "\uFB01", "—",
      "<|x|>", "\uD7FB"
    };
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i >= 0; i--) {
      text.append(pieces[random.nextInt(pieces.length)]);
    }
    return text.toString();
  }

  private static void onRandomTexts(Consumer<String> check) {
    Random random = new Random(7);
    for (int i = 0; i < 5000; i++) {
      check.accept(randomText(random));
    }
    check.accept(TokenizerGoldens.trickyText());
  }

  private static void assertSplits(String name, String... patterns) {
    Splitter splitter = PreTokenizer.of("test", name).splitter();
    onRandomTexts(
        text -> assertThat(split(text, splitter)).as(text).isEqualTo(split(text, patterns)));
  }

  @Test
  void gpt2SplitsAsItsPattern() {
    assertSplits("gpt-2", GPT2);
  }

  @Test
  void smollmSplitsAsItsPatterns() {
    assertSplits("smollm", "\\p{N}", GPT2);
  }

  @Test
  void llama3SplitsAsItsPattern() {
    assertSplits("llama-bpe", LLAMA3);
  }

  @Test
  void qwen2SplitsAsItsPattern() {
    assertSplits("qwen2", LLAMA3.replace("{1,3}", ""));
  }

  @Test
  void falconSplitsAsItsPatterns() {
    assertSplits("falcon", "[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]");
  }

  @Test
  void defaultSplitsAsItsPatterns() {
    assertSplits("default", "[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]");
  }

  @Test
  void deepSeekCoderSplitsAsItsPatterns() {
    assertSplits(
        "deepseek-coder", "[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-\uD7FF]+", "\\p{N}");
  }

  /** Scanners against the patterns of files, as they are translated for {@code java.util.regex}. */
  @ParameterizedTest
  @MethodSource("knownPatterns")
  void knownPatternsCutAsTheyWouldInTheGeneralWay(String pattern, Flavour flavour) {
    Splitter known =
        KnownPatterns.splitter(pattern, flavour)
            .or(() -> KnownPatterns.partial(pattern))
            .orElseThrow();
    Splitter general =
        new PatternSplitter(
            TextPattern.of("test", pattern, flavour), SplitBehavior.ISOLATED, false);
    onRandomTexts(text -> assertThat(split(text, known)).as(text).isEqualTo(split(text, general)));
  }

  static Stream<Arguments> knownPatterns() {
    return Stream.of(
        arguments(KnownPatterns.GPT2, Flavour.ONIGURUMA),
        arguments(KnownPatterns.GPT2_TIKTOKEN, Flavour.RUST),
        arguments(KnownPatterns.GPT2_TIKTOKEN, Flavour.ONIGURUMA),
        arguments(KnownPatterns.CL100K, Flavour.RUST),
        arguments(KnownPatterns.QWEN2, Flavour.ONIGURUMA),
        arguments(KnownPatterns.O200K, Flavour.ONIGURUMA),
        arguments(KnownPatterns.O200K, Flavour.RUST),
        arguments(KnownPatterns.DEEPSEEK3, Flavour.ONIGURUMA),
        arguments("[一-龥぀-ゟ゠-ヿ]+", Flavour.ONIGURUMA),
        arguments("\\p{N}{1,3}", Flavour.ONIGURUMA),
        arguments("\\p{N}", Flavour.ONIGURUMA));
  }
}
