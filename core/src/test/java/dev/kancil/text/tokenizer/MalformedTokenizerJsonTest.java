package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.KancilException;
import dev.kancil.UnsupportedException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MalformedTokenizerJsonTest {
  private static Tokenizer read(String json) {
    return TokenizerJson.read("x.json", json);
  }

  private static void assertRefused(String json, String... parts) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(KancilException.class)
        .hasMessageStartingWith("x.json")
        .hasMessageNotContaining("\n")
        .message()
        .contains(parts)
        .hasSizeLessThan(400);
  }

  @Test
  void soundFilesAreRead() {
    assertThat(read(SmallTokenizerJson.PAIRS).encode("ab\n", true, false))
        .containsExactly(8, 3, 4, 6);
    assertThat(read(SmallTokenizerJson.UNIGRAM).encode("abc", false, false)).containsExactly(4);
    assertThat(read(SmallTokenizerJson.WORD_PIECES).encode("ab!", true, false))
        .containsExactly(2, 5, 6, 1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"a\": 1|\"a\": -1|model.vocab: 'a'",
        "\"a\": 1|\"a\": 4000000000|model.vocab: 'a'",
        "\"a\": 1|\"a\": 1.5|model.vocab: 'a'",
        "\"a\": 1|\"a\": 2|model.vocab: the tokens 'a' and 'b' have the same id 2",
        "\"a\": 1|\"a\": 9000000|ids up to 9000000",
        "\"a\": 1|\"\\ud800\": 1|half a surrogate",
        "\"a b\"|\"a q\"|model.merges[0]: the merge 'a' and 'q'",
        "\"a b\"|\"a\"|model.merges[0] is not two tokens",
        "\"a b\"|\"a b c\"|model.merges[0] is not two tokens",
        "\"a b\"|[\"a\"]|model.merges[0] is not two tokens",
        "\"a b\"|7|model.merges[0] is not two tokens",
        "\"type\": \"BPE\"|\"type\": \"BPE\", \"dropout\": 0.1|model.dropout",
        "\"type\": \"BPE\"|\"type\": \"RWKV\"|the model RWKV",
        "\"type\": \"NFC\"|\"type\": \"NFX\"|normalizer.normalizers[0].type",
        "\"type\": \"Split\"|\"type\": \"Cut\"|pre_tokenizer.type",
        "\"Isolated\"|\"Sideways\"|pre_tokenizer.behavior",
        "\"type\": \"Fuse\"|\"type\": \"Defuse\"|decoder.decoders[2].type",
        "\"type\": \"TemplateProcessing\"|\"type\": \"Other\"|post_processor.type",
        "\"Regex\": \"x+\"|\"Regex\": \"x(\"|normalizer.normalizers[1].pattern.Regex",
        "\"content\": \" \"|\"content\": \"  \"|decoder.decoders[3].content is not one character",
        "\"start\": 1|\"start\": -1|decoder.decoders[3].start",
        "\"ids\": [8]|\"ids\": [80]|post_processor.special_tokens.<s>.ids",
        "\"id\": 8|\"id\": 1|have the same id 1",
        "\"content\": \"<s>\", \"special\"|\"content\": \"a\", \"special\"|'a' has the id 8",
        "\"id\": 8|\"id\": \"8\"|added_tokens[0].id",
        "\"version\": \"1.0\"|\"version\": \"2.0\"|version is 2.0",
        "\"model\": {|\"model\": [{|JSON, offset",
        "\"invert\": false|\"invert\": 0|pre_tokenizer.invert is not true or false",
      })
  void contradictionsAreNamed(String from, String to, String message) {
    assertThat(SmallTokenizerJson.PAIRS).contains(from);
    assertRefused(SmallTokenizerJson.PAIRS.replace(from, to), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"unk_id\": 0|\"unk_id\": 5|model.unk_id",
        "[\"a\", -2.0]|[\"a\", \"x\"]|model.vocab[2] is not a piece and its score",
        "[\"a\", -2.0]|[\"a\"]|model.vocab[2]",
        "[\"a\", -2.0]|[\"a\", 1e999]|model.vocab[2]",
        "[\"a\", -2.0]|[\"ab\", 1]|the tokens 2 and 3 have the same text",
        "\"first\"|\"last\"|prepend_scheme",
        "[\"<unk>\", 0], \"cls\"|[\"<unk>\", 9], \"cls\"|post_processor.sep[1]",
      })
  void contradictionsInPiecesAreNamed(String from, String to, String message) {
    assertThat(SmallTokenizerJson.UNIGRAM).contains(from);
    assertRefused(SmallTokenizerJson.UNIGRAM.replace(from, to), message);
  }

  @Test
  void anUnknownTokenThatIsNoneIsRefusedWhereWordsNeedIt() {
    assertRefused(
        SmallTokenizerJson.WORD_PIECES.replace("\"[UNK]\": 0", "\"[OTHER]\": 0"),
        "model.unk_token '[UNK]'");
  }

  @Test
  void deepJsonIsRefused() {
    assertRefused("{\"normalizer\":" + "[".repeat(100_000), "nested deeper");
    String nested = "{\"type\":\"Sequence\",\"pretokenizers\":[".repeat(60) + "]}".repeat(60);
    assertRefused(
        SmallTokenizerJson.UNIGRAM.replace(
            "\"pre_tokenizer\": {", "\"pre_tokenizer\": " + nested + ", \"other\": {"),
        "nested too deep");
  }

  @Test
  void endlessStepsAreRefused() {
    assertRefused(
        SmallTokenizerJson.PAIRS.replace(
            "{\"type\": \"NFC\"}", "{\"type\": \"NFC\"},".repeat(5000) + "{\"type\": \"NFC\"}"),
        "normalizer.normalizers has 5004 steps");
  }

  @Test
  void aTextThatRulesMakeEverLongerIsRefused() {
    String doubling =
        "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \".\"}, \"content\": \"aa\"},";
    String json =
        SmallTokenizerJson.PAIRS.replace(
            "{\"type\": \"NFC\"}", doubling.repeat(60) + "{\"type\": \"NFC\"}");
    assertRefused(json, "added_tokens", "far too much");
    Tokenizer tokenizer =
        read(
            json.replaceAll("(?s)\"added_tokens\": \\[.*?\\],", "")
                .replace("\"ids\": [8]", "\"ids\": [7]"));
    assertThatThrownBy(() -> tokenizer.encode("a", false, false))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("far too much");
  }

  @Test
  void aPatternThatTakesForeverGivesUp() {
    Tokenizer tokenizer = read(SmallTokenizerJson.PAIRS.replace("\"▁?[^▁]+|▁+\"", "\"(a|aa)+$\""));
    assertThatThrownBy(() -> tokenizer.encode("a".repeat(4000) + "b", false, false))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("x.json: pre_tokenizer.pattern.Regex: the pattern takes too long");
  }

  @Test
  void damagedMapsOfCharactersAreRefused() {
    for (String map : new String[] {"AAAA", "////////", "!", "BAAAAA=="}) {
      assertRefused(
          SmallTokenizerJson.UNIGRAM.replace(
              "{\"type\": \"Nmt\"}",
              "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"" + map + "\"}"),
          "normalizer.normalizers[0].precompiled_charsmap");
    }
  }

  @Test
  void damagedModelsOfSentencePieceAreRefused() {
    byte[][] files = {
      {}, {0x0A}, {0x0A, 0x05, 1}, {0x0A, 0}, {(byte) 0xFF, (byte) 0xFF}, {0x0B, 0x01}, {0x08, 1}
    };
    for (byte[] file : files) {
      assertThatThrownBy(() -> SentencePieceFile.read("x.model", file))
          .isInstanceOf(FormatException.class)
          .hasMessageStartingWith("x.model");
    }
  }

  @ParameterizedTest
  @CsvSource({"IQ==", "IQ== x", "?? 1", "IQ== -1", "IQ== 99999999999", "IQ== 1"})
  void damagedFilesOfTiktokenAreRefused(String line) {
    assertThatThrownBy(() -> TiktokenFile.read("x.tiktoken", line, "\\w+", Map.of()))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("x.tiktoken");
  }

  @Test
  void aModelOfAnUnknownKindIsRefused() {
    byte[] piece = "\n\u0007\n\u0001a\u0018\u0001 \u0001".getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> SentencePieceFile.read("x.model", piece))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no unknown piece");
    byte[] word =
        "\n\u0009\n\u0005<unk>\u0018\u0002\u0012\u0002\u0018\u0003"
            .getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> SentencePieceFile.read("x.model", word))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("model_type is 3");
  }
}
