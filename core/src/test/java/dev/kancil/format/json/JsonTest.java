package dev.kancil.format.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @Test
  void everyKindOfValueIsRead() {
    assertThat(
            Json.parse(
                " {\"a\" : [1, -2.5, 1e3, true, false, null, \"x\"], \"b\":{}, \"c\":[ ]}\r\n\t"))
        .isEqualTo(
            Map.of(
                "a",
                Arrays.asList(1L, -2.5, 1000.0, true, false, null, "x"),
                "b",
                Map.of(),
                "c",
                List.of()));
  }

  @Test
  void membersKeepTheirOrderAndTheLastOfANameStays() {
    assertThat(String.valueOf(Json.parse("{\"z\":1,\"a\":2,\"z\":3}"))).isEqualTo("{z=3, a=2}");
  }

  @Test
  void integersKeepEveryDigit() {
    assertThat(Json.parse("9223372036854775807")).isEqualTo(Long.MAX_VALUE);
    assertThat(Json.parse("-9223372036854775808")).isEqualTo(Long.MIN_VALUE);
    assertThat(Json.parse("9223372036854775808")).isEqualTo(BigInteger.TWO.pow(63));
  }

  @Test
  void escapesAreCharacters() {
    assertThat(Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0141\\uD83D\\ude42🙂\""))
        .isEqualTo("\"\\/\b\f\n\r\tŁ🙂🙂");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{a:1}",
        "{\"a\":1,}",
        "{1:2}",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12\"",
        "\"\n\"",
        "01",
        "-",
        "-a",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "True",
        "1 1",
        "]",
        "}",
        "'a'",
        "[1]]",
        "\u00a01",
        "\"\\u００１２\""
      })
  void whatIsNoJsonIsRefusedWithItsPlace(String text) {
    assertThatThrownBy(() -> Json.parse(text))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("JSON, offset ");
  }

  @Test
  void nestingIsBounded() {
    int depth = Json.MAX_DEPTH;
    assertThat(Json.parse("[".repeat(depth) + "]".repeat(depth))).isNotNull();
    for (String open : List.of("[", "{\"a\":")) {
      assertThatThrownBy(() -> Json.parse(open.repeat(1_000_000)))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("nested deeper than");
    }
  }

  @Test
  void numbersOfAnyLengthAreReadOrRefusedSoon() {
    assertThatThrownBy(() -> Json.parse("9".repeat(5_000_000))).isInstanceOf(FormatException.class);
    assertThat(Json.parse("1e999")).isEqualTo(Double.POSITIVE_INFINITY);
  }

  @Test
  void changedTextsAreReadOrRefused() {
    String seed = "{\"a\": [1, -2.5e3, true, null], \"b\\u0041\": {\"c\": \"d\\n\"}, \"\": []}";
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200_000; i++) {
      StringBuilder text = new StringBuilder(seed);
      for (int j = random.nextInt(1, 4); j > 0; j--) {
        int at = random.nextInt(text.length());
        if (random.nextBoolean()) {
          text.setCharAt(at, (char) random.nextInt(128));
        } else {
          text.deleteCharAt(at);
        }
      }
      try {
        Json.parse(text.toString());
      } catch (FormatException expected) {
        // The one way to fail.
      }
    }
  }
}
