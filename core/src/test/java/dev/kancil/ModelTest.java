package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The public API on the reference device. */
@Timeout(60)
final class ModelTest {
  @TempDir private static Path folder;
  private static Path llama = Path.of("");

  private static final GenerationOptions GREEDY =
      GenerationOptions.builder().greedy().maxTokens(12).stopAtEndOfTurn(false).build();
  private static final GenerationOptions ENDLESS =
      GenerationOptions.builder().greedy().maxTokens(100_000).stopAtEndOfTurn(false).build();

  @BeforeAll
  static void writeModel() {
    llama = TinyVocabulary.write(TinyModels.LLAMA, folder);
  }

  private static Model open() {
    return Model.open(llama, options().build());
  }

  private static ModelOptions.Builder options() {
    return ModelOptions.builder().device("reference").sessions(3);
  }

  @ParameterizedTest
  @EnumSource
  void chunksJoinedAreTheCompletion(TinyModels tiny) {
    try (Model model = Model.open(TinyVocabulary.write(tiny, folder), options().build());
        Session session = model.session();
        Generation generation = session.generate("hello", GREEDY)) {
      StringBuilder text = new StringBuilder();
      List<Integer> tokens = new ArrayList<>();
      for (Chunk chunk : generation) {
        text.append(chunk.text());
        tokens.add(chunk.token());
      }
      Completion completion = generation.await();
      assertThat(completion.text()).isEqualTo(text.toString());
      assertThat(completion.tokens()).isEqualTo(tokens).hasSize(12);
      assertThat(completion.finishReason()).isEqualTo(FinishReason.LENGTH);
      assertThat(completion.promptTokens().getFirst()).isEqualTo(1);
      assertThat(session.tokens()).hasSize(completion.promptTokens().size() + 12);
    }
  }

  @Test
  void sessionsSideBySideGenerateWhatEachWouldAlone() {
    try (Model model = open()) {
      List<String> texts = List.of("one", "another text", "x");
      List<String> alone = texts.stream().map(text -> model.complete(text, GREEDY).text()).toList();
      List<Session> sessions = texts.stream().map(_ -> model.session()).toList();
      List<Generation> generations = new ArrayList<>();
      for (int i = 0; i < texts.size(); i++) {
        generations.add(sessions.get(i).generate(texts.get(i), GREEDY));
      }
      assertThat(generations.stream().map(generation -> generation.await().text()).toList())
          .isEqualTo(alone);
      assertThatThrownBy(model::session)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("in use");
      sessions.forEach(Session::close);
      model.session().close();
    }
  }

  @Test
  void conversationThatGrowsIsComputedOnceAndAnswersTheSame() {
    List<ChatMessage> conversation = new ArrayList<>(List.of(ChatMessage.user("hi")));
    try (Model model = open();
        Session session = model.session()) {
      Completion first = session.chat(conversation, GREEDY).await();
      conversation.add(ChatMessage.assistant(first.text()));
      conversation.add(ChatMessage.user("more"));
      Completion second = session.chat(conversation, GREEDY).await();
      assertThat(second.text()).isEqualTo(model.chat(conversation, GREEDY).text());
      int whole = model.promptTokens(conversation).length;
      assertThat(second.timings().promptTokens()).isLessThan(whole - 3);
      // The same conversation again: nothing is left to compute but its last token.
      Completion again = session.chat(conversation, GREEDY).await();
      assertThat(again.text()).isEqualTo(second.text());
      assertThat(again.timings().promptTokens()).isEqualTo(1);
      // An earlier point of it again.
      Completion earlier = session.chat(conversation.subList(0, 1), GREEDY).await();
      assertThat(earlier.text()).isEqualTo(first.text());
    }
  }

  @Test
  void forkGoesOnFromTheSamePoint() {
    try (Model model = open();
        Session session = model.session()) {
      session.generate("some text", GREEDY).await();
      try (Session fork = session.fork()) {
        String next = fork.generate("abc", GREEDY).await().text();
        assertThat(session.generate("abc", GREEDY).await().text()).isEqualTo(next);
      }
    }
  }

  @Test
  void truncatedSessionGeneratesTheSameAgain() {
    try (Model model = open();
        Session session = model.session()) {
      String first = session.generate("some text", GREEDY).await().text();
      session.truncate(5);
      int[] rest = model.tokenizer().encode("xt", false, false);
      assertThat(rest).isNotEmpty();
      session.truncate(0);
      assertThat(session.generate("some text", GREEDY).await().text()).isEqualTo(first);
    }
  }

  @Test
  void cancelEndsWithinAStepAndKeepsWhatThereIs() {
    try (Model model = open();
        Session session = model.session()) {
      Generation generation = session.generate("go", ENDLESS);
      assertThat(generation.iterator().next()).isNotNull();
      generation.cancel();
      assertThat(generation.await().finishReason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(generation.isDone()).isTrue();
      assertThat(session.generate("on", GREEDY).await().tokens()).hasSize(12);
    }
  }

  @Test
  void interruptedReaderCancels() throws InterruptedException {
    try (Model model = open();
        Session session = model.session()) {
      Generation generation = session.generate("go", ENDLESS);
      Thread reader =
          Thread.ofVirtual()
              .start(
                  () -> {
                    for (Chunk _ : generation) {}
                  });
      Thread.sleep(20);
      reader.interrupt();
      assertThat(reader.join(java.time.Duration.ofSeconds(20))).isTrue();
      assertThat(generation.await().finishReason())
          .isIn(FinishReason.CANCELLED, FinishReason.LENGTH);
    }
  }

  @Test
  void publisherGivesEachSubscriberAllChunksAtItsPace() throws InterruptedException {
    try (Model model = open();
        Session session = model.session()) {
      Generation generation = session.generate("go", GREEDY);
      List<Chunk> received = new ArrayList<>();
      CountDownLatch complete = new CountDownLatch(1);
      generation
          .publisher()
          .subscribe(
              new Flow.Subscriber<>() {
                private Flow.@Nullable Subscription subscription;

                @Override
                public void onSubscribe(Flow.Subscription given) {
                  subscription = given;
                  given.request(1);
                }

                @Override
                public void onNext(Chunk chunk) {
                  received.add(chunk);
                  Objects.requireNonNull(subscription).request(1);
                }

                @Override
                public void onError(Throwable failure) {}

                @Override
                public void onComplete() {
                  complete.countDown();
                }
              });
      assertThat(complete.await(20, TimeUnit.SECONDS)).isTrue();
      List<Chunk> read = new ArrayList<>();
      generation.forEach(read::add);
      assertThat(received).isEqualTo(read);
    }
  }

  @Test
  void futureMayBlockWithoutHoldingUpOthers() {
    try (Model model = open();
        Session first = model.session();
        Session second = model.session()) {
      CountDownLatch go = new CountDownLatch(1);
      // It must not end before something is chained to it, which this thread would then run.
      Generation generation = first.generate("a", ENDLESS);
      var chained =
          generation
              .completion()
              .thenApply(
                  completion -> {
                    try {
                      go.await();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                    return completion.text();
                  });
      generation.cancel();
      assertThat(second.generate("b", GREEDY).await().tokens()).hasSize(12);
      go.countDown();
      assertThat(chained.join()).isNotNull();
    }
  }

  @Test
  void closingTheModelEndsAllAndLaterCallsAreRefused() {
    Model model = open();
    Session session = model.session();
    Generation generation = session.generate("go", ENDLESS);
    model.close();
    assertThat(generation.isDone()).isTrue();
    model.close();
    session.close();
    assertThatThrownBy(model::session).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> session.generate("x", GREEDY))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void sessionTakesOneGenerationAtATime() {
    try (Model model = open();
        Session session = model.session();
        Generation _ = session.generate("go", ENDLESS)) {
      assertThatThrownBy(() -> session.generate("more", GREEDY))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("generates");
    }
  }

  @Test
  void allSessionsCanFillTheirContext() {
    int context = 37;
    try (Model model = Model.open(llama, options().contextLength(context).stepTokens(8).build())) {
      List<Generation> generations = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        generations.add(model.session().generate("x", ENDLESS));
      }
      for (Generation generation : generations) {
        Completion completion = generation.await();
        assertThat(completion.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(completion.promptTokens().size() + completion.tokens().size())
            .isEqualTo(context);
      }
    }
  }

  @Test
  void requestsThatDoNotFitAreRefusedAndHarmNothing() {
    try (Model model = Model.open(llama, options().contextLength(20).build());
        Session session = model.session()) {
      for (String text : List.of("a".repeat(30), "")) {
        session.truncate(0);
        if (!text.isEmpty()) {
          assertThatThrownBy(() -> session.generate(text, GREEDY))
              .isInstanceOf(InvalidRequestException.class);
        }
      }
      assertThatThrownBy(() -> session.generate(new int[] {-1}, GREEDY))
          .isInstanceOf(InvalidRequestException.class);
      assertThatThrownBy(() -> session.generate(new int[0], GREEDY))
          .isInstanceOf(InvalidRequestException.class);
      assertThatThrownBy(() -> session.chat(List.of(ChatMessage.user("a".repeat(30))), GREEDY))
          .isInstanceOf(InvalidRequestException.class);
      assertThat(session.generate("ok", GREEDY).await().tokens()).hasSize(12);
    }
    assertThatThrownBy(() -> Model.open(llama, options().contextLength(100_000).build()))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> Model.open(llama, options().device("abacus").build()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("reference");
  }
}
