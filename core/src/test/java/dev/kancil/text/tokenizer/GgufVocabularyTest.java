package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufVocabularyTest {
  private static final String BYTE_LEVEL =
      """
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}
      """;

  @TempDir private Path folder;

  /**
   * A byte-level vocabulary of all bytes and a few pairs, two of which span words of some patterns.
   */
  private void byteLevel(String pattern) throws IOException {
    StringBuilder vocabulary = new StringBuilder("\"<s>\": 0, \"</s>\": 1");
    int id = 2;
    for (int value = 0; value < 256; value++) {
      boolean isShown = (value >= '!' && value <= '~') || (value >= 0xa1 && value != 0xad);
      int letter = isShown ? value : 256 + hidden(value);
      vocabulary.append(", \"\\u%04x\": %d".formatted(letter, id++));
    }
    vocabulary.append(
        ", \"12\": 258, \"123\": 259, \"ll\": 260, \"'l\": 261, \"[i\": 262, \"o,\": 263");
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"added_tokens": [{"id": 0, "content": "<s>", "special": true},
          {"id": 1, "content": "</s>", "special": true}],
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split",
           "pattern": {"Regex": "%s"}, "behavior": "Isolated", "invert": false}, %s]},
         "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {%s}, "merges": ["1 2", "12 3", ["l", "l"], "' l", "[ i", "o ,"]}}
        """
            .formatted(pattern.replace("\\", "\\\\"), BYTE_LEVEL.strip(), vocabulary));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": "<s>", "eos_token": "</s>", "chat_template": "{{ messages }}"}
        """);
  }

  /** How many bytes below this one have no letter of their own. */
  private static int hidden(int value) {
    int hidden = 0;
    for (int i = 0; i < value; i++) {
      hidden += (i >= '!' && i <= '~') || (i >= 0xa1 && i != 0xad) ? 0 : 1;
    }
    return hidden;
  }

  @Test
  void preTokenizerIsFoundByWhatItDoes() throws IOException {
    byteLevel(KnownPatterns.QWEN2);
    assertThat(written(264).string("tokenizer.ggml.pre")).contains("qwen2");
    byteLevel(KnownPatterns.GPT2);
    assertThat(written(264).string("tokenizer.ggml.pre")).contains("gpt-2");
  }

  @Test
  void writtenVocabularyIsThatOfTheFolder() throws IOException {
    byteLevel(KnownPatterns.QWEN2);
    GgufMetadata metadata = written(266);
    assertThat(metadata.strings("tokenizer.ggml.tokens"))
        .hasSize(266)
        .startsWith("<s>", "</s>")
        .endsWith("o,", "[PAD264]", "[PAD265]");
    assertThat(metadata.strings("tokenizer.ggml.merges"))
        .containsExactly("1 2", "12 3", "l l", "' l", "[ i", "o ,");
    assertThat(metadata.integers("tokenizer.ggml.token_type"))
        .startsWith(3, 3, 1)
        .endsWith(1, 5, 5);
    assertThat(metadata.integer("tokenizer.ggml.bos_token_id")).contains(0L);
    assertThat(metadata.integer("tokenizer.ggml.eos_token_id")).contains(1L);
    assertThat(metadata.bool("tokenizer.ggml.add_bos_token")).contains(false);
    assertThat(metadata.string("tokenizer.chat_template")).contains("{{ messages }}");
  }

  /** ModernBERT has no beginning and no end by name. */
  @Test
  void tokensAroundTheTextsOfAnEncoderAreWritten() throws IOException {
    byteLevel(KnownPatterns.GPT2);
    Path json = folder.resolve("tokenizer.json");
    Files.writeString(
        json,
        Files.readString(json)
            .replaceFirst(
                "\\{",
                """
                {"post_processor": {"type": "TemplateProcessing",
                  "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                  "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                    {"Sequence": {"id": "B", "type_id": 0}}],
                  "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                    "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
                """));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"cls_token\": \"<s>\", \"sep_token\": \"</s>\"}");
    GgufMetadata metadata = written(264);
    assertThat(metadata.integer("tokenizer.ggml.bos_token_id")).contains(0L);
    assertThat(metadata.integer("tokenizer.ggml.eos_token_id")).contains(1L);
    assertThat(metadata.integer("tokenizer.ggml.cls_token_id")).contains(0L);
    assertThat(metadata.integer("tokenizer.ggml.seperator_token_id")).contains(1L);
    assertThat(metadata.bool("tokenizer.ggml.add_bos_token")).contains(true);
    assertThat(metadata.bool("tokenizer.ggml.add_eos_token")).contains(true);
    assertThat(Tokenizer.of(metadata).encode("12", true, false)).containsExactly(0, 258, 1);
  }

  @Test
  void whatNoNameOfGgufDoesIsAnErrorUnlessItIsNamed() throws IOException {
    byteLevel("[^1]+|1");
    assertThatThrownBy(() -> written(264))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("--pre");
    assertThat(GgufVocabulary.of(folder, 264, Optional.of("qwen2"))).isNotEmpty();
    assertThatThrownBy(() -> written(263))
        .hasMessageContaining("264 tokens, and the model knows 263");
  }

  private void unpack(String name, String file) throws IOException {
    try (ZipFile zip = new ZipFile(TestData.path("tokenizers-hf", "goldens.zip").toFile());
        InputStream in = zip.getInputStream(zip.getEntry(name))) {
      Files.write(folder.resolve(file), in.readAllBytes());
    }
  }

  /** Word pieces and unigrams, whose readers of GGUF know less of rare scripts and of spaces. */
  @ParameterizedTest
  @ValueSource(strings = {"bert-like.json", "bert-cased-like.json", "t5-json.json", "t5.model"})
  void idsOfPlainTextsAreThoseOfTheLibrary(String name) throws IOException {
    unpack(name, name.endsWith(".json") ? "tokenizer.json" : "tokenizer.model");
    unpack(name + ".ids", "expected.ids");
    Tokenizer read = TokenizerFiles.read(folder).tokenizer();
    Tokenizer written = Tokenizer.of(written(read.vocabularySize()));
    int compared = 0;
    for (ExpectedIds.Expected expected : ExpectedIds.read(folder.resolve("expected.ids")).texts()) {
      String text = expected.text();
      boolean isPlain =
          text.length() < 100
              && text.matches("[!-\u024f]+( [!-\u024f]+)*")
              && !text.contains("\u0085");
      if (isPlain) {
        compared++;
        assertThat(written.encode(text, false, false)).as(text).containsExactly(expected.plain());
      }
    }
    assertThat(compared).isGreaterThan(5);
  }

  @Test
  void wordsOfBertAreWrittenAsTheOtherConverterDoes() throws IOException {
    try (GgufFile file = GgufFile.open(unpackedBge())) {
      List<String> tokens = file.metadata().strings("tokenizer.ggml.tokens");
      long[] types = file.metadata().integers("tokenizer.ggml.token_type");
      List<String> lines = new ArrayList<>();
      for (int id = 0; id < tokens.size(); id++) {
        String token = tokens.get(id);
        boolean begins = token.startsWith("\u2581");
        lines.add(types[id] == 3 ? token : begins ? token.substring(1) : "##" + token);
      }
      Files.write(folder.resolve("vocab.txt"), lines);
      Files.writeString(
          folder.resolve("tokenizer_config.json"),
          """
          {"tokenizer_class": "BertTokenizer", "cls_token": "[CLS]", "unk_token": "[UNK]",
           "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
          """);
      GgufMetadata written = written(tokens.size());
      assertThat(written.strings("tokenizer.ggml.tokens")).isEqualTo(tokens);
      assertThat(written.integers("tokenizer.ggml.token_type")).isEqualTo(types);
      for (String key : List.of("unknown", "seperator", "padding", "cls", "mask")) {
        String id = "tokenizer.ggml." + key + "_token_id";
        assertThat(written.integer(id)).isEqualTo(file.metadata().integer(id));
      }
    }
  }

  private Path unpackedBge() throws IOException {
    Path file = folder.resolve("bge.gguf");
    Path packed = TestData.path("tokenizers", "ggml-vocab-bert-bge.gguf.gz");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      Files.copy(in, file);
    }
    return file;
  }

  @Test
  void theEndOfAT5TextIsWritten() throws IOException {
    unpack("t5.model", "tokenizer.model");
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"T5Tokenizer\"}");
    Tokenizer read = TokenizerFiles.read(folder).tokenizer();
    Tokenizer written = Tokenizer.of(written(read.vocabularySize()));
    assertThat(written.encode("The deer", true, false))
        .containsExactly(read.encode("The deer", true, false))
        .endsWith(1);
    assertThat(written.endOfGeneration()).contains(1);
  }

  @Test
  void whatUnigramsOfGgufDoNotIsAnError() throws IOException {
    unpack("unigram-bytes.model", "tokenizer.model");
    assertThatThrownBy(() -> written(503))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("SentencePiece's unigrams");
  }

  private GgufMetadata written(long rows) {
    return new GgufMetadata("test", GgufVocabulary.of(folder, rows, Optional.empty()));
  }
}
