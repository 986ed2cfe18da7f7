package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.ModelInputs;
import dev.kancil.engine.ModelPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.family.Pooling;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.ReferenceModel;
import dev.kancil.text.tokenizer.TextPair;
import dev.kancil.text.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vectors and scores of texts, as transformers' arrays give them. */
class TextEncoderTest {
  private static final ModelOptions OPTIONS = ModelOptions.builder().device("reference").build();
  private static final Offset<Float> NOISE = Offset.offset(1e-5f);
  private static final int WORDS = 10;
  private static final int VOCABULARY = 320;

  @TempDir private Path temporary;
  private Path folder;

  /** A small model, whose words are w10 to w319. */
  @BeforeEach
  void write() throws IOException {
    ReferenceModel.unpack("bert_rerank", temporary);
    folder = temporary.resolve("bert_rerank");
    List<String> pieces = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
    for (int i = pieces.size(); i < VOCABULARY; i++) {
      pieces.add(i < WORDS ? "[unused" + i + "]" : "w" + i);
    }
    Files.write(folder.resolve("vocab.txt"), pieces);
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"BertTokenizer\"}");
  }

  private static Tensor tensor(int[] ids) {
    return new Tensor(
        DataType.I32,
        Shape.of(1, ids.length),
        MemorySegment.ofArray(MemorySegment.ofArray(ids).toArray(ValueLayout.JAVA_BYTE)));
  }

  private Map<String, FloatArray> pass(int[] ids, int[] types) {
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put(ModelInputs.TOKENS, tensor(ids));
    inputs.put(ModelInputs.TOKEN_TYPES, tensor(types));
    try (ModelFiles files = ModelFiles.open(folder);
        Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      LoadedModel model =
          Families.open(files.checkpoint(), DataType.F32, DataType.F32, length -> length);
      try (DeviceWeights weights = device.weights(model.weights())) {
        return new ModelPass(device, weights, List.of()).run(model, new ModelInputs(inputs));
      }
    }
  }

  private static Embedding.Choice choice(Pooling pooling, boolean isNormalized) {
    return new Embedding.Choice(Optional.of(pooling), Optional.of(isNormalized));
  }

  private List<float[]> embed(Embedding.Choice choice, String... texts) {
    try (TextEncoder encoder = TextEncoder.open(folder, OPTIONS, choice)) {
      return encoder.embed(List.of(texts));
    }
  }

  @Test
  void theMeanOfRowsIsOfLengthOneOrAsItIs() {
    FloatArray rows =
        Objects.requireNonNull(
            pass(new int[] {2, 20, 21, 22, 3}, new int[5]).get("last_hidden_state"));
    int columns = (int) rows.shape().columns();
    float[] mean = new float[columns];
    for (int i = 0; i < rows.values().length; i++) {
      mean[i % columns] += rows.values()[i] / 5;
    }
    float[] plain = embed(choice(Pooling.MEAN, false), "w20 w21 w22").getFirst();
    assertThat(plain).containsExactly(mean, NOISE);
    float[] normalized = embed(choice(Pooling.MEAN, true), "w20 w21 w22").getFirst();
    double length = 0;
    for (float value : normalized) {
      length += value * value;
    }
    assertThat(length).isCloseTo(1, Offset.offset(1e-6));
    float[] first = embed(choice(Pooling.FIRST, false), "w20 w21 w22").getFirst();
    assertThat(first).containsExactly(Arrays.copyOf(rows.values(), columns), NOISE);
  }

  @Test
  void textsAreTheSameAloneAndWithManyOthers() {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 70; i++) {
      texts.add("w%d ".formatted(WORDS + i).repeat(1 + i % 30));
    }
    List<float[]> together = embed(Embedding.Choice.OF_MODEL, texts.toArray(String[]::new));
    assertThat(together).hasSize(70);
    for (int i : new int[] {0, 31, 32, 69}) {
      assertThat(embed(Embedding.Choice.OF_MODEL, texts.get(i)).getFirst())
          .containsExactly(together.get(i), NOISE);
    }
  }

  @Test
  void sentenceTransformersFilesSayHow() throws IOException {
    Files.writeString(
        folder.resolve("modules.json"),
        """
        [{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        """);
    Files.createDirectories(folder.resolve("1_Pooling"));
    Path pooling = folder.resolve("1_Pooling/config.json");
    Files.writeString(pooling, "{\"pooling_mode_cls_token\": true}");
    Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 6}");
    try (TextEncoder encoder = TextEncoder.open(folder, OPTIONS, Embedding.Choice.OF_MODEL)) {
      assertThat(encoder.embedding().pooling()).isEqualTo(Pooling.FIRST);
      assertThat(encoder.embedding().isNormalized()).isFalse();
      assertThat(encoder.contextLength()).isEqualTo(6);
      List<float[]> vectors = encoder.embed(List.of("w20 w21 w22 w23 w24", "w20 w21 w22 w23"));
      assertThat(vectors.getFirst()).containsExactly(vectors.getLast(), NOISE);
      assertThat(encoder.tokens("w20 w21 w22 w23 w24")).isEqualTo(7);
    }
    Files.writeString(pooling, "{\"pooling_mode_weightedmean_tokens\": true}");
    assertThatThrownBy(() -> embed(Embedding.Choice.OF_MODEL, "w20"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("pooling is none, or more than one");
    Files.writeString(
        folder.resolve("modules.json"),
        "[{\"path\": \"../..\", \"type\": \"sentence_transformers.models.Pooling\"}]");
    assertThatThrownBy(() -> embed(Embedding.Choice.OF_MODEL, "w20"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("outside of the folder");
  }

  @Test
  void scoresOfTextsAreThoseOfTheirPairsWithTheQuestion() {
    float expected =
        Objects.requireNonNull(
                pass(new int[] {2, 30, 31, 3, 40, 3}, new int[] {0, 0, 0, 0, 1, 1}).get("logits"))
            .values()[0];
    try (Reranker reranker = Reranker.open(folder, OPTIONS)) {
      List<Float> scores = reranker.scores("w30 w31", List.of("w50 w51", "w40"));
      assertThat(scores.get(1)).isCloseTo(expected, NOISE);
      assertThat(scores.get(0)).isNotCloseTo(expected, Offset.offset(1e-3f));
    }
  }

  /** As transformers' tokenizer does it with truncation. */
  @ParameterizedTest
  @CsvSource({
    "2, 9, 8, 2, 3",
    "9, 2, 8, 3, 2",
    "9, 9, 8, 2, 3",
    "9, 9, 9, 3, 3",
    "5, 4, 10, 4, 3",
    "4, 5, 10, 3, 4",
    "3, 3, 12, 3, 3",
    "9, 3, 8, 3, 2",
    "3, 9, 8, 2, 3",
    "6, 5, 13, 5, 5",
    "1, 20, 4, 0, 1",
    "20, 1, 4, 1, 0",
  })
  void theLongerOfTwoTextsIsCutFirst(
      int first, int second, int most, int firstLeft, int secondLeft) {
    try (ModelFiles files = ModelFiles.open(folder)) {
      Tokenizer tokenizer = files.text().tokenizer();
      TextPair cut = tokenizer.encodePairWithin(most, words(20, first), words(50, second));
      TextPair expected = tokenizer.encodePair(words(20, firstLeft), words(50, secondLeft), false);
      assertThat(cut.ids()).containsExactly(expected.ids());
      assertThat(cut.second()).isEqualTo(expected.second());
    }
  }

  private static String words(int from, int count) {
    return IntStream.range(from, from + count)
        .mapToObj(i -> "w" + i)
        .collect(Collectors.joining(" "));
  }

  @Test
  void aRerankerReadsWhatTheTokenizerAllows() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\": \"BertTokenizer\", \"model_max_length\": 8}");
    try (Reranker reranker = Reranker.open(folder, OPTIONS)) {
      assertThat(reranker.contextLength()).isEqualTo(8);
      assertThat(reranker.tokens("w30 w31", "w50 w51 w52 w53")).isEqualTo(9);
      List<Float> scores =
          reranker.scores("w30 w31", List.of("w50 w51 w52 w53", "w50 w51 w52", "w50 w51"));
      assertThat(scores.get(0)).isCloseTo(scores.get(1), NOISE);
      assertThat(scores.get(0)).isNotCloseTo(scores.get(2), Offset.offset(1e-3f));
    }
  }

  @Test
  void theTokensAroundATextMustFit() throws IOException {
    Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 1}");
    assertThatThrownBy(() -> embed(Embedding.Choice.OF_MODEL, "w20"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("the 2 tokens around a text don't fit in a context of 1; make it longer");
  }

  @Test
  void modelsWithoutOneClassAreNoRerankers() {
    ReferenceModel.unpack("roberta_classes", temporary);
    assertThatThrownBy(() -> Reranker.open(temporary.resolve("roberta_classes"), OPTIONS))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("no head that gives a text one number");
  }

  @Test
  void encodersGenerateNothing() {
    assertThatThrownBy(() -> Model.open(folder, OPTIONS))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("bert generates no text; use kancil embed");
  }
}
