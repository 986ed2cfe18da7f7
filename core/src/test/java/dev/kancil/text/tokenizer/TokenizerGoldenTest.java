package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenizerGoldenTest {
  static List<TokenizerGoldens> vocabularies() {
    List<TokenizerGoldens> all = TokenizerGoldens.all();
    assertThat(all).hasSizeGreaterThanOrEqualTo(10);
    return all;
  }

  @ParameterizedTest
  @MethodSource("vocabularies")
  void shortTextsHaveTheIdsOfLlamaCpp(TokenizerGoldens goldens) {
    List<String> texts = goldens.texts();
    List<int[]> ids = goldens.ids();
    assertThat(ids).hasSameSizeAs(texts);
    for (int i = 0; i < texts.size(); i++) {
      assertThat(goldens.tokenizer().encode(texts.get(i), false, false))
          .as("text %d: '%s'", i, texts.get(i))
          .containsExactly(ids.get(i));
    }
  }

  @ParameterizedTest
  @MethodSource("vocabularies")
  void trickyTextHasTheIdsOfLlamaCpp(TokenizerGoldens goldens) {
    assertThat(goldens.tokenizer().encode(TokenizerGoldens.trickyText(), false, false))
        .containsExactly(goldens.trickyIds(false));
  }

  @ParameterizedTest
  @MethodSource("vocabularies")
  void trickyTextWithSpecialTokensHasTheIdsOfLlamaCpp(TokenizerGoldens goldens) {
    assertThat(goldens.tokenizer().encode(TokenizerGoldens.trickyText(), false, true))
        .containsExactly(goldens.trickyIds(true));
  }
}
