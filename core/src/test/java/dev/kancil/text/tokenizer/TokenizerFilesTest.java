package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFilesTest {
  @TempDir Path folder;

  private TokenizerFilesTest with(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    return this;
  }

  private TokenizerFiles read() {
    return TokenizerFiles.read(folder);
  }

  @Test
  void rolesAndTemplatesComeFromTheFilesBeside() throws IOException {
    with("tokenizer.json", SmallTokenizerJson.PAIRS)
        .with(
            "tokenizer_config.json",
            "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"ab c\","
                + " \"chat_template\": \"{{ x }}\"}")
        .with("generation_config.json", "{\"eos_token_id\": [7, 9]}");
    TokenizerFiles files = read();
    assertThat(files.tokenizer().beginningOfSequence()).contains(8);
    assertThat(files.tokenizer().endOfSequence()).contains(9);
    assertThat(files.tokenizer().addsBeginningOfSequence()).isTrue();
    assertThat(files.endOfGeneration()).containsExactlyInAnyOrder(7, 9);
    assertThat(files.chatTemplate()).contains("{{ x }}");
  }

  @Test
  void oneEndMayBeANumber() throws IOException {
    with("tokenizer.json", SmallTokenizerJson.PAIRS)
        .with("special_tokens_map.json", "{\"eos_token\": \"<s>\"}")
        .with("generation_config.json", "{\"eos_token_id\": 2}");
    assertThat(read().endOfGeneration()).containsExactlyInAnyOrder(2, 8);
    assertThat(read().tokenizer().beginningOfSequence()).isEmpty();
  }

  @Test
  void whatIsPutAroundATextFollowsTheConfiguration() throws IOException {
    with("tokenizer.json", SmallTokenizerJson.PAIRS)
        .with(
            "tokenizer_config.json",
            "{\"bos_token\": \"<s>\", \"eos_token\": \"<s>\", \"add_bos_token\": false,"
                + " \"add_eos_token\": true}");
    assertThat(read().tokenizer().encode("c", true, false)).containsExactly(3, 7, 8);
    with(
        "tokenizer_config.json",
        "{\"bos_token\": \"<s>\", \"eos_token\": \"<s>\", \"add_bos_token\": true}");
    assertThat(read().tokenizer().encode("c", true, false)).containsExactly(8, 3, 7);
  }

  /** T5 v1.1 and mT5 have nothing else; the first has tokens that stand for hidden parts. */
  @Test
  void modelOfT5HasItsTokensBehindTheOthers() throws IOException {
    unpack("t5.model", "spiece.model");
    assertThatThrownBy(this::read)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there is no tokenizer.json");
    with("tokenizer_config.json", "{\"extra_ids\": 0}");
    Tokenizer plain = read().tokenizer();
    int size = plain.vocabularySize();
    assertThat(plain.encode("deer", true, false)).endsWith(1);
    with("tokenizer_config.json", "{\"tokenizer_class\": \"T5Tokenizer\"}");
    Tokenizer extra = read().tokenizer();
    assertThat(extra.vocabularySize()).isEqualTo(size + 100);
    assertThat(extra.encode("<extra_id_0>", false, true)).containsExactly(size + 99);
    assertThat(extra.encode("<extra_id_99>", false, true)).containsExactly(size);
  }

  @Test
  void mostClassesLeaveItToThePipeline() throws IOException {
    String config =
        "{\"bos_token\": \"<s>\", \"add_bos_token\": false, \"tokenizer_class\": \"%s\"}";
    with("tokenizer.json", SmallTokenizerJson.PAIRS)
        .with("tokenizer_config.json", config.formatted("PreTrainedTokenizerFast"));
    assertThat(read().tokenizer().encode("c", true, false)).containsExactly(8, 3, 7);
    with("tokenizer_config.json", config.formatted("LlamaTokenizerFast"));
    assertThat(read().tokenizer().encode("c", true, false)).containsExactly(3, 7);
  }

  @Test
  void templatesMayHaveNamesAndFiles() throws IOException {
    with("tokenizer.json", SmallTokenizerJson.PAIRS)
        .with(
            "tokenizer_config.json",
            "{\"chat_template\": [{\"name\": \"default\", \"template\": \"a\"},"
                + " {\"name\": \"tool_use\", \"template\": \"b\"}]}");
    assertThat(read().chatTemplates()).containsEntry("default", "a").containsEntry("tool_use", "b");
    with("chat_template.jinja", "c").with("additional_chat_templates/rag.jinja", "d");
    assertThat(read().chatTemplates())
        .containsEntry("default", "c")
        .containsEntry("tool_use", "b")
        .containsEntry("rag", "d");
  }

  @Test
  void idsOutsideTheVocabularyAreRefused() throws IOException {
    with("tokenizer.json", SmallTokenizerJson.PAIRS)
        .with("generation_config.json", "{\"eos_token_id\": [7, 10]}");
    assertThatThrownBy(this::read)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("generation_config.json: eos_token_id")
        .hasMessageContaining("0 to 9");
  }

  @Test
  void aFolderWithoutATokenizerIsRefused() {
    assertThatThrownBy(this::read)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there is no tokenizer.json");
  }

  @Test
  void sentencePiecesModelBeginsWithTheBeginning() throws IOException {
    unpack("llama.model", "tokenizer.model");
    Tokenizer tokenizer = read().tokenizer();
    assertThat(tokenizer.addsBeginningOfSequence()).isTrue();
    int[] plain = tokenizer.encode("hello world", false, false);
    int[] special = tokenizer.encode("hello world", true, false);
    assertThat(special).startsWith(1).endsWith(plain).hasSize(plain.length + 1);
    with("tokenizer_config.json", "{\"add_bos_token\": false, \"add_eos_token\": true}");
    assertThat(read().tokenizer().encode("hello world", true, false))
        .startsWith(plain)
        .endsWith(2)
        .hasSize(plain.length + 1);
  }

  @Test
  void aConfigurationMayAddTokensToSentencePieces() throws IOException {
    unpack("llama.model", "tokenizer.model");
    int size = read().tokenizer().vocabularySize();
    with(
        "tokenizer_config.json",
        "{\"added_tokens_decoder\": {\"1\": {\"content\": \"<s>\", \"special\": true}, \""
            + size
            + "\": {\"content\": \"<|im_end|>\", \"special\": true}}}");
    Tokenizer tokenizer = read().tokenizer();
    assertThat(tokenizer.encode("<|im_end|>", false, true)).containsExactly(size);
    assertThat(tokenizer.endOfGeneration()).containsExactlyInAnyOrder(2, size);
    assertThat(tokenizer.decode(new int[] {size})).isEmpty();
  }

  @Test
  void gpt2sOwnFilesGiveTheSameIds() throws IOException {
    Path json = unpack("gpt2-like.json", "whole.json");
    Tokenizer whole = Tokenizer.ofJson(json);
    JsonFields model =
        JsonFields.parse("whole.json", Files.readString(json)).requiredObject("model");
    StringBuilder vocabulary = new StringBuilder("{");
    model
        .requiredObject("vocab")
        .fields()
        .forEach(
            (token, id) ->
                vocabulary
                    .append(vocabulary.length() > 1 ? "," : "")
                    .append('"')
                    .append(token.replace("\\", "\\\\").replace("\"", "\\\""))
                    .append("\":")
                    .append(id));
    StringBuilder merges = new StringBuilder("#version: 0.2\n");
    for (Object merge : model.list("merges")) {
      java.util.List<?> pair = (java.util.List<?>) merge;
      if (pair != null) {
        merges.append(pair.get(0)).append(' ').append(pair.get(1)).append('\n');
      }
    }
    with("vocab.json", vocabulary + "}")
        .with("merges.txt", merges.toString())
        .with(
            "tokenizer_config.json",
            "{\"tokenizer_class\": \"GPT2Tokenizer\", \"eos_token\": \"<|endoftext|>\"}");
    Tokenizer tokenizer = read().tokenizer();
    String text = TokenizerGoldens.trickyText();
    assertThat(tokenizer.encode(text, true, true)).containsExactly(whole.encode(text, true, true));
    with("tokenizer_config.json", "{\"tokenizer_class\": \"CTRLTokenizer\"}");
    assertThatThrownBy(this::read)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("CTRLTokenizer");
  }

  @Test
  void bertsOwnFileGivesTheSameIds() throws IOException {
    Path json = unpack("bert-like.json", "whole.json");
    Tokenizer whole = Tokenizer.ofJson(json);
    StringBuilder lines = new StringBuilder();
    for (int id = 0; id < whole.vocabularySize(); id++) {
      lines.append(whole.piece(id)).append('\n');
    }
    with("vocab.txt", lines.toString())
        .with("tokenizer_config.json", "{\"mask_token\": \"[MASK]\", \"pad_token\": \"[PAD]\"}");
    String text = TokenizerGoldens.trickyText();
    assertThat(read().tokenizer().encode(text, true, true))
        .containsExactly(whole.encode(text, true, true));
  }

  private Path unpack(String name, String as) throws IOException {
    Path file = folder.resolve(as);
    try (ZipFile zip = new ZipFile(TestData.path("tokenizers-hf", "goldens.zip").toFile());
        InputStream in = zip.getInputStream(zip.getEntry(name))) {
      Files.write(file, in.readAllBytes());
    }
    return file;
  }
}
