package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.TinyAdapter;
import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions of one model that have different adapters. */
@Timeout(60)
class NamedAdaptersTest {
  private static final List<String> TEXTS = List.of("one", "another text", "x", "hello");

  @TempDir private Path folder;

  private static GenerationOptions greedy(int tokens) {
    return GenerationOptions.builder().greedy().maxTokens(tokens).stopAtEndOfTurn(false).build();
  }

  private static ModelOptions.Builder options() {
    return ModelOptions.builder().device("reference").sessions(6).contextLength(100);
  }

  private LoraAdapter attention(TinyModels tiny) {
    Path file = folder.resolve("attention.gguf");
    return new LoraAdapter(
        TinyAdapter.write(tiny, file, 1, 3, name -> name.matches(".*attn_(q|v|output).weight")), 1);
  }

  private LoraAdapter everything(TinyModels tiny) {
    Path file = folder.resolve("everything.gguf");
    return new LoraAdapter(
        TinyAdapter.write(
            tiny, file, 2, 2, name -> !name.contains("norm") && !name.startsWith("token")),
        0.5f);
  }

  private ModelOptions named(TinyModels tiny) {
    return options()
        .adapter("attention", attention(tiny))
        .adapter("everything", everything(tiny))
        .adapter("both", attention(tiny), everything(tiny))
        .build();
  }

  private static List<Integer> merged(Path path, String text, int tokens, LoraAdapter... adapters) {
    try (Model model = Model.open(path, options().adapters(List.of(adapters)).build())) {
      return model.complete(text, greedy(tokens)).tokens();
    }
  }

  @ParameterizedTest
  @EnumSource
  void sessionsSideBySideGenerateWhatModelsWithMergedAdaptersDo(TinyModels tiny) {
    Path path = TinyVocabulary.write(tiny, folder);
    List<List<Integer>> expected =
        List.of(
            merged(path, TEXTS.get(0), 30),
            merged(path, TEXTS.get(1), 30, attention(tiny)),
            merged(path, TEXTS.get(2), 30, everything(tiny)),
            merged(path, TEXTS.get(3), 30, attention(tiny), everything(tiny)));
    assertThat(expected).doesNotHaveDuplicates();
    try (Model model = Model.open(path, named(tiny))) {
      assertThat(model.adapters()).containsExactly("attention", "everything", "both");
      List<Session> sessions =
          List.of(
              model.session(),
              model.session("attention"),
              model.session("everything"),
              model.session("both"));
      List<Generation> generations = new ArrayList<>();
      for (int i = 0; i < TEXTS.size(); i++) {
        generations.add(sessions.get(i).generate(TEXTS.get(i), greedy(30)));
      }
      for (int i = 0; i < TEXTS.size(); i++) {
        assertThat(generations.get(i).await().tokens()).isEqualTo(expected.get(i));
      }
    }
  }

  /** Steps have rows with adapters, or none, as sessions come and go. */
  @Test
  void aSessionWithoutAdapterGoesOnWhileOthersComeAndGo() {
    Path path = TinyVocabulary.write(TinyModels.LLAMA, folder);
    List<Integer> plain = merged(path, "one", 90);
    List<Integer> adapted = merged(path, "x", 3, attention(TinyModels.LLAMA));
    try (Model model = Model.open(path, named(TinyModels.LLAMA));
        Session session = model.session()) {
      Generation generation = session.generate("one", greedy(90));
      int others = 0;
      while (!generation.isDone()) {
        try (Session other = model.session("attention")) {
          assertThat(other.generate("x", greedy(3)).await().tokens()).isEqualTo(adapted);
          others++;
        }
      }
      assertThat(generation.await().tokens()).isEqualTo(plain);
      assertThat(others).isPositive();
    }
  }

  @Test
  void forksHaveTheAdapterOfTheirOriginal() {
    Path path = TinyVocabulary.write(TinyModels.LLAMA, folder);
    try (Model model = Model.open(path, named(TinyModels.LLAMA));
        Session plain = model.session();
        Session session = model.session("everything")) {
      session.generate("some text", greedy(5)).await();
      plain.generate(session.tokens(), greedy(1)).await();
      try (Session fork = session.fork();
          Session again = model.session("everything")) {
        assertThat(plain.adapter()).isEmpty();
        assertThat(fork.adapter()).contains("everything");
        int[] held = fork.tokens();
        List<Integer> next = fork.generate("abc", greedy(20)).await().tokens();
        assertThat(session.generate("abc", greedy(20)).await().tokens()).isEqualTo(next);
        // The same from nothing, with nobody's pages.
        again.generate(held, greedy(1)).await();
        again.truncate(held.length);
        assertThat(again.generate("abc", greedy(20)).await().tokens()).isEqualTo(next);
      }
    }
  }

  @Test
  void whatCannotBeIsOneLine() {
    Path path = TinyVocabulary.write(TinyModels.LLAMA, folder);
    try (Model model = Model.open(path, named(TinyModels.LLAMA))) {
      assertThatThrownBy(() -> model.session("another"))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessage("there is no adapter another, but [attention, everything, both]");
    }
    assertThatThrownBy(() -> options().adapter("a", attention(TinyModels.LLAMA)).adapter("a"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the adapter a has no parts");
    Path embeddings = folder.resolve("embeddings.gguf");
    TinyAdapter.write(TinyModels.GEMMA3, embeddings, 1, 2, name -> name.contains("ffn_up"));
    ModelOptions wrong = options().adapter("a", new LoraAdapter(embeddings, 1)).build();
    assertThatThrownBy(() -> Model.open(path, wrong))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("embeddings.gguf: it changes blk.2.ffn_up.weight: beside the base")
        .hasMessageNotContaining("\n");
  }

  @Test
  void anEncoderHasNoneBeside() {
    ReferenceModel.unpack("bert", folder);
    ModelOptions options = options().adapter("a", attention(TinyModels.LLAMA)).build();
    assertThatThrownBy(() -> Model.open(folder.resolve("bert"), options))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("adapters beside the base are for decoders");
  }
}
