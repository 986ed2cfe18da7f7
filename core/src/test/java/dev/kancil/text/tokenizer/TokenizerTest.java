package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  private static Tokenizer tokenizer(String name) {
    return TokenizerGoldens.of(name).tokenizer();
  }

  static List<TokenizerGoldens> vocabularies() {
    return TokenizerGoldens.all();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-bpe", "llama-spm", "qwen2", "deepseek-coder"})
  void decodingGivesTheEncodedTextBack(String name) {
    for (String text : TokenizerGoldens.of(name).texts()) {
      assertThat(tokenizer(name).decode(tokenizer(name).encode(text, true, false))).isEqualTo(text);
    }
    String tricky = TokenizerGoldens.trickyText();
    // SentencePiece can not tell its stand-in for a space from a space.
    String expected = name.equals("llama-spm") ? tricky.replace('▁', ' ') : tricky;
    assertThat(tokenizer(name).decode(tokenizer(name).encode(tricky, true, false)))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("vocabularies")
  void whatStreamsIsWhatDecodingAtOnceGivesAndNeverHalfACharacter(TokenizerGoldens goldens) {
    Tokenizer tokenizer = goldens.tokenizer();
    int[] ids = tokenizer.encode(TokenizerGoldens.trickyText(), true, true);
    StringBuilder streamed = new StringBuilder();
    StreamingDecoder decoder = tokenizer.decoder();
    for (int id : ids) {
      String shown = decoder.next(id);
      assertThat(shown).doesNotContain("\uFFFD");
      streamed.append(shown);
    }
    assertThat(decoder.flush()).isEmpty();
    assertThat(streamed.toString()).isEqualTo(tokenizer.decode(ids));
  }

  @Test
  void anIncompleteCharacterAppearsAsReplacementOnlyOnFlush() {
    Tokenizer tokenizer = tokenizer("gpt-2");
    int[] ids = tokenizer.encode("🦌", false, false);
    assertThat(ids).hasSizeGreaterThan(1);
    StreamingDecoder decoder = tokenizer.decoder();
    assertThat(decoder.next(ids[0])).isEmpty();
    assertThat(decoder.flush()).isEqualTo("\uFFFD");
    assertThat(decoder.flush()).isEmpty();
  }

  @Test
  void aByteThatCanNotContinueACharacterEndsTheWait() {
    Tokenizer tokenizer = SmallVocabulary.sentencePiece().tokenizer();
    StreamingDecoder decoder = tokenizer.decoder();
    assertThat(decoder.next(3 + 0xF0)).isEmpty();
    assertThat(decoder.next(3 + 0x9F)).isEmpty();
    assertThat(decoder.next(3 + 'x')).isEqualTo("\uFFFDx");
    assertThat(decoder.next(3 + 0xFF)).isEqualTo("\uFFFD");
  }

  @Test
  void theFirstSpaceIsTheTokenizersOwnAtTheStartAndTheTextsInAContinuation() {
    Tokenizer tokenizer = tokenizer("llama-spm");
    int[] ids = tokenizer.encode("Paris is", true, false);
    assertThat(tokenizer.decode(ids)).isEqualTo("Paris is");
    StreamingDecoder start = tokenizer.decoder();
    StreamingDecoder continuation = tokenizer.continuationDecoder();
    assertThat(start.next(ids[0])).isEmpty();
    assertThat(start.next(ids[1])).isEqualTo("Paris");
    assertThat(start.next(ids[2])).isEqualTo(" is");
    assertThat(continuation.next(ids[1])).isEqualTo(" Paris");
  }

  @Test
  void specialTokensAreAddedAsTheModelSays() {
    assertThat(tokenizer("llama-spm").encode("", true, false)).containsExactly(1);
    assertThat(tokenizer("llama-bpe").encode("", true, false)).containsExactly(128000);
    assertThat(tokenizer("qwen2").encode("", true, false)).isEmpty();
    assertThat(tokenizer("bert-bge").encode("", true, false)).containsExactly(101, 102);
    assertThat(tokenizer("llama-spm").encode("", false, false)).isEmpty();
    assertThat(
            SmallVocabulary.byteLevel()
                .bool("add_bos_token", true)
                .bool("add_eos_token", true)
                .tokenizer()
                .encode("hello", true, false))
        .containsExactly(262, 259, 263);
  }

  @Test
  void namesOfControlTokensAreTextUnlessAskedFor() {
    Tokenizer tokenizer = tokenizer("smollm2");
    int end = tokenizer.find("<|im_end|>").orElseThrow();
    assertThat(tokenizer.encode("hi<|im_end|>", false, true)).hasSize(2).endsWith(end);
    assertThat(tokenizer.encode("hi<|im_end|>", false, false)).hasSizeGreaterThan(3);
    assertThat(tokenizer.isSpecial(end)).isTrue();
    assertThat(tokenizer.decode(new int[] {end})).isEmpty();
    assertThat(new String(tokenizer.bytes(end), java.nio.charset.StandardCharsets.UTF_8))
        .isEqualTo("<|im_end|>");
  }

  @Test
  void generationEndsWhereLlamaCppEndsIt() {
    assertThat(tokenizer("smollm2").endOfGeneration()).containsExactlyInAnyOrder(0, 2, 4);
    assertThat(tokenizer("phi-3").endOfGeneration()).containsExactlyInAnyOrder(2, 32000, 32007);
    assertThat(tokenizer("llama-bpe").endOfGeneration()).containsExactlyInAnyOrder(128001, 128009);
    assertThat(tokenizer("qwen2").endOfGeneration())
        .containsExactlyInAnyOrder(128247, 151643, 151645);
    assertThat(tokenizer("llama-spm").endOfGeneration()).containsExactly(2);
  }

  @Test
  void aVocabularyTellsAboutItself() {
    Tokenizer tokenizer = tokenizer("smollm2");
    assertThat(tokenizer.vocabularySize()).isEqualTo(49152);
    assertThat(tokenizer.beginningOfSequence()).contains(1);
    assertThat(tokenizer.endOfSequence()).contains(2);
    assertThat(tokenizer.addsBeginningOfSequence()).isFalse();
    assertThat(tokenizer.addsEndOfSequence()).isFalse();
    int[] ids = tokenizer.encode(" the", false, false);
    assertThat(ids).hasSize(1);
    assertThat(tokenizer.piece(ids[0])).isEqualTo("Ġthe");
    assertThat(tokenizer.bytes(ids[0])).containsExactly(' ', 't', 'h', 'e');
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 50257, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void idsOutsideTheVocabularyAreRefused(int id) {
    Tokenizer tokenizer = tokenizer("gpt-2");
    assertThatThrownBy(() -> tokenizer.decode(new int[] {5, id}))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("" + id);
    assertThatThrownBy(() -> tokenizer.piece(id)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> tokenizer.bytes(id)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> tokenizer.isSpecial(id)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> tokenizer.decoder().next(id))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void aSurrogateWithoutItsPartnerCountsAsAReplacementCharacter() {
    Tokenizer tokenizer = tokenizer("gpt-2");
    assertThat(tokenizer.decode(tokenizer.encode("a\uD83Db\uDE00", false, false)))
        .isEqualTo("a\uFFFDb\uFFFD");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-bpe", "llama-spm", "bert-bge", "deepseek-coder"})
  void aWordOfAMillionLettersTakesNoQuadraticTime(String name) {
    String text = "ab".repeat(500_000);
    long start = System.nanoTime();
    int[] ids = tokenizer(name).encode(text, false, false);
    assertThat(ids).isNotEmpty();
    assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(20_000);
  }

  @Test
  void threadsShareATokenizer() throws InterruptedException, ExecutionException {
    Tokenizer tokenizer = SmallVocabulary.byteLevel().tokenizer();
    List<String> texts = TokenizerGoldens.of("gpt-2").texts();
    List<int[]> expected = texts.stream().map(text -> tokenizer.encode(text, true, true)).toList();
    Tokenizer shared = SmallVocabulary.byteLevel().tokenizer();
    Callable<Boolean> task =
        () -> {
          for (int round = 0; round < 200; round++) {
            for (int i = 0; i < texts.size(); i++) {
              assertThat(shared.encode(texts.get(i), true, true)).containsExactly(expected.get(i));
            }
          }
          return true;
        };
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (Future<Boolean> done : threads.invokeAll(List.of(task, task, task, task))) {
        assertThat(done.get()).isTrue();
      }
    }
  }
}
