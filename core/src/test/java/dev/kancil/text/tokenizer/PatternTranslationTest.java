package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import dev.kancil.FormatException;
import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Expectations are what Oniguruma and fancy-regex do; the goldens compare with the former. */
class PatternTranslationTest {
  private static List<String> matches(String pattern, Flavour flavour, String text) {
    List<String> matches = new ArrayList<>();
    TextPattern.of("test", pattern, flavour)
        .matches(text, (from, to) -> matches.add(text.substring(from, to)));
    return matches;
  }

  @Test
  void whiteSpaceIsUnicodes() {
    assertThat(matches("\\s", Flavour.ONIGURUMA, "a\u0085\u00A0\u2028\u3000\u200Bb"))
        .containsExactly("\u0085", "\u00A0", "\u2028", "\u3000");
    assertThat(matches("[^\\s]+", Flavour.RUST, "a\u00A0b")).containsExactly("a", "b");
  }

  @Test
  void digitsAndWordsAreUnicodes() {
    assertThat(matches("\\d+", Flavour.ONIGURUMA, "1٣½")).containsExactly("1٣");
    assertThat(matches("\\w+", Flavour.RUST, "é_1-日本")).containsExactly("é_1", "日本");
    assertThat(matches("\\w", Flavour.ONIGURUMA, "²")).containsExactly("²");
    assertThat(matches("\\w", Flavour.RUST, "²")).isEmpty();
  }

  @Test
  void aPlusBehindAnIntervalRepeatsOrIsPossessive() {
    assertThat(matches("\\p{N}{1,3}+", Flavour.ONIGURUMA, "1234567")).containsExactly("1234567");
    assertThat(matches("\\p{N}{1,3}+", Flavour.RUST, "1234567")).containsExactly("123", "456", "7");
  }

  @Test
  void anchorsAreThoseOfLinesOrOfTheText() {
    assertThat(matches("^a|b$", Flavour.ONIGURUMA, "a b\na b")).hasSize(4);
    assertThat(matches("^a|b$", Flavour.RUST, "a b\na b\n")).containsExactly("a");
    assertThat(matches("a$", Flavour.RUST, "a\n")).isEmpty();
  }

  @Test
  void aDotIsAllButALineFeed() {
    assertThat(matches(".", Flavour.ONIGURUMA, "\r\n\u2028")).containsExactly("\r", "\u2028");
    assertThat(matches("(?m:.)", Flavour.ONIGURUMA, "\n")).hasSize(1);
    assertThat(matches("(?s:.)", Flavour.RUST, "\n")).hasSize(1);
  }

  @Test
  void caseIsIgnoredByUnicodesRules() {
    assertThat(matches("(?i:s|k)", Flavour.ONIGURUMA, "sSſkK\u212A")).hasSize(6);
    assertThat(matches("a(?i)b|c", Flavour.ONIGURUMA, "aB aC c")).containsExactly("aB", "aC");
  }

  @Test
  void classesOfAllWritingsAreKnown() {
    assertThat(matches("[[:punct:]]", Flavour.ONIGURUMA, "!$a")).containsExactly("!", "$");
    assertThat(matches("\\p{Han}|\\p{^L}", Flavour.ONIGURUMA, "日a1")).containsExactly("日", "1");
    assertThat(matches("[\\p{L}&&[^a]]", Flavour.ONIGURUMA, "ab")).containsExactly("b");
    assertThat(matches("[#\\-\\]a-c]", Flavour.ONIGURUMA, "#-]bd"))
        .containsExactly("#", "-", "]", "b");
    assertThat(matches("\\h", Flavour.ONIGURUMA, "fg ")).containsExactly("f");
    assertThat(matches("{a}", Flavour.ONIGURUMA, "{a}")).containsExactly("{a}");
  }

  @Test
  void emptyMatchesNeverCutACharacter() {
    List<Integer> places = new ArrayList<>();
    TextPattern.of("test", "x*", Flavour.ONIGURUMA).matches("🦌x", (from, _) -> places.add(from));
    assertThat(places).containsExactly(0, 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        ")",
        "[",
        "[a",
        "\\",
        "a{3}?",
        "*a",
        "(?<n>a)\\k<n>",
        "(?~a)",
        "\\K",
        "(?(1)a)",
        "\\p{Q}",
        "\\p{Foo}",
        "\\x{FFFFFFFF}",
        "(?x:a)",
        "[z-a]",
        "\\p",
        "[[:foo:]]",
        "(?i"
      })
  void whatIsInvalidOrUnknownIsRefusedInOneLine(String pattern) {
    assertThatThrownBy(() -> TextPattern.of("a file: the field", pattern, Flavour.ONIGURUMA))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("a file: the field")
        .hasMessageNotContaining("\n");
  }

  @Test
  void deepNestingIsRefused() {
    assertThatThrownBy(
            () -> TextPattern.of("f", "(".repeat(50_000) + ")".repeat(50_000), Flavour.ONIGURUMA))
        .isInstanceOf(FormatException.class);
    assertThatThrownBy(() -> TextPattern.of("f", "[".repeat(50_000), Flavour.ONIGURUMA))
        .isInstanceOf(FormatException.class);
  }

  @ParameterizedTest
  @CsvSource({"(a+)+b", "(a|a)*b", "(?:a*)*b"})
  void patternsThatTakeForeverGiveUp(String pattern) {
    TextPattern slow = TextPattern.of("a file: the field", pattern, Flavour.ONIGURUMA);
    assertTimeout(
        Duration.ofSeconds(20),
        () ->
            assertThatThrownBy(() -> slow.matches("a".repeat(3000), (_, _) -> {}))
                .isInstanceOf(FormatException.class)
                .hasMessage(
                    "a file: the field: the pattern takes too long on a text of 3000 characters"));
  }
}
