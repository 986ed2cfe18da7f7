package dev.kancil.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.TinyModels;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class EngineTest {
  private static final Engine.Limits LIMITS = new Engine.Limits(48, 8, 200, 1600);

  @TempDir Path folder;
  private GgufCheckpoint checkpoint;
  private Device device;
  private DeviceWeights weights;
  private Graph graph;

  @BeforeEach
  void load() {
    load(TinyModels.LLAMA);
  }

  private void load(TinyModels tiny) {
    checkpoint = new GgufCheckpoint(GgufFile.open(tiny.write(folder)));
    device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
    LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F32, DataType.F32);
    graph = model.graph();
    weights = device.weights(model.weights());
  }

  @AfterEach
  void close() {
    weights.close();
    device.close();
    checkpoint.close();
  }

  private Engine engine() {
    return engine(LIMITS);
  }

  private Engine engine(Engine.Limits limits) {
    return new Engine(device, graph, weights, limits);
  }

  private static int[] tokens(long seed, int count) {
    return new SplittableRandom(seed).ints(count, 0, TinyModels.VOCABULARY).toArray();
  }

  private static Sampling seeded(long seed) {
    return new Sampling(1, 0, 0.95f, 0, 1.1f, 0, 0, Map.of(), seed);
  }

  /** Likeliest and drawn, with and without changed logits. */
  private static Sampling various(int i) {
    return switch (i) {
      case 0 -> Sampling.GREEDY;
      case 1 -> new Sampling(0, 0, 1, 0, 1.3f, 0.5f, 0.1f, Map.of(), 0);
      case 2 -> new Sampling(0.9f, 20, 0.9f, 0.01f, 1, 0, 0, Map.of(5, 4f, 9, -4f), i);
      case 3 -> new Sampling(1, 0, 1, 0, 1, 0.4f, 0.4f, Map.of(90, 2f), i);
      default -> seeded(i);
    };
  }

  private static List<Integer> generate(
      Sequence sequence, int[] prompt, Sampling sampling, int count) {
    Collected heard = new Collected();
    sequence.run(prompt, sampling, count, heard);
    assertThat(heard.end()).isEqualTo(RunEnd.LENGTH);
    assertThat(heard.failure()).isNull();
    return heard.tokens();
  }

  private List<Integer> alone(int[] prompt, Sampling sampling, int count) {
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      return generate(sequence, prompt, sampling, count);
    }
  }

  /** The likeliest tokens by whole passes over what there is so far. */
  private List<Integer> byForwardPasses(int[] prompt, int count) {
    int[] tokens = prompt;
    List<Integer> chosen = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      float[][] logits =
          Objects.requireNonNull(ForwardPass.run(device, graph, weights, tokens, 64).get("logits"));
      float[] last = logits[logits.length - 1];
      int best = 0;
      for (int id = 1; id < last.length; id++) {
        best = last[id] > last[best] ? id : best;
      }
      chosen.add(best);
      tokens = Arrays.copyOf(tokens, tokens.length + 1);
      tokens[tokens.length - 1] = best;
    }
    return chosen;
  }

  @Test
  void greedyGenerationEqualsWholePasses() {
    int[] prompt = tokens(1, 60);
    assertThat(alone(prompt, Sampling.GREEDY, 12)).isEqualTo(byForwardPasses(prompt, 12));
  }

  @Test
  void resultsDoNotDependOnWhatRunsBeside() {
    try (Engine engine = engine()) {
      List<Sequence> sequences = new ArrayList<>();
      List<Collected> heard = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        sequences.add(engine.open());
        heard.add(new Collected());
      }
      for (int i = 0; i < 6; i++) {
        sequences.get(i).run(tokens(i, 1 + 17 * i), various(i), 20, heard.get(i));
      }
      for (int i = 0; i < 6; i++) {
        assertThat(heard.get(i).end()).isEqualTo(RunEnd.LENGTH);
        assertThat(heard.get(i).tokens()).isEqualTo(alone(tokens(i, 1 + 17 * i), various(i), 20));
        sequences.get(i).close();
      }
    }
  }

  @Test
  void resultsDoNotDependOnTheSizeOfSteps() {
    int[] prompt = tokens(3, 90);
    List<Integer> expected = alone(prompt, seeded(3), 20);
    for (int rows : new int[] {1, 7, 200}) {
      try (Engine engine = engine(new Engine.Limits(rows, 1, 200, 200));
          Sequence sequence = engine.open()) {
        assertThat(generate(sequence, prompt, seeded(3), 20)).isEqualTo(expected);
      }
    }
  }

  @Test
  void aSecondRunContinuesTheFirst() {
    int[] prompt = tokens(4, 20);
    List<Integer> whole = alone(prompt, Sampling.GREEDY, 16);
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      List<Integer> parts = new ArrayList<>(generate(sequence, prompt, Sampling.GREEDY, 10));
      assertThat(sequence.pending()).isEqualTo(1);
      assertThat(sequence.length()).isEqualTo(30);
      parts.addAll(generate(sequence, new int[0], Sampling.GREEDY, 6));
      assertThat(parts).isEqualTo(whole);
      assertThat(Arrays.copyOf(sequence.tokens(), 20)).isEqualTo(prompt);
    }
  }

  @ParameterizedTest
  @EnumSource(TinyModels.class)
  void aRunThatIsStoppedAnywhereCanGoOn(TinyModels tiny) {
    close();
    load(tiny);
    int[] prompt = tokens(14, 11);
    List<Integer> whole = alone(prompt, Sampling.GREEDY, 48);
    try (Engine engine = engine()) {
      for (int stopped = 1; stopped < 40; stopped++) {
        try (Sequence sequence = engine.open()) {
          List<Integer> parts = new ArrayList<>(stop(sequence, prompt, Sampling.GREEDY, stopped));
          assertThat(sequence.pending()).isEqualTo(1);
          parts.addAll(generate(sequence, new int[0], Sampling.GREEDY, 48 - stopped));
          assertThat(parts).isEqualTo(whole);
        }
      }
    }
  }

  /** Generates without an end in sight, and stops after so many tokens. */
  private static List<Integer> stop(
      Sequence sequence, int[] prompt, Sampling sampling, int stopped) {
    Collected heard =
        new Collected() {
          @Override
          public synchronized boolean token(int token) {
            super.token(token);
            return tokens().size() < stopped;
          }
        };
    sequence.run(prompt, sampling, 100, heard);
    assertThat(heard.end()).isEqualTo(RunEnd.STOPPED);
    assertThat(heard.tokens()).hasSize(stopped);
    return heard.tokens();
  }

  @Test
  void stepsGoAheadWhereTheyNeedNotKnowTheToken() {
    AtomicInteger steps = new AtomicInteger();
    graph = Taps.call(graph, "blocks.0.attention.key", (_, _, _) -> steps.incrementAndGet());
    try (Engine engine = engine()) {
      for (Sampling sampling : List.of(Sampling.GREEDY, various(1), various(2))) {
        steps.set(0);
        try (Sequence sequence = engine.open()) {
          stop(sequence, tokens(1, 4), sampling, 4);
        }
        // Four steps chose tokens. A fifth was on its way, unless penalties needed to know them.
        assertThat(steps.get()).isEqualTo(sampling.hasPenalties() ? 4 : 5);
        steps.set(0);
        try (Sequence sequence = engine.open()) {
          generate(sequence, tokens(1, 4), sampling, 4);
        }
        assertThat(steps.get()).isEqualTo(4);
      }
    }
  }

  @Test
  void aForkEqualsAFreshSequence() {
    int[] prompt = tokens(5, 50);
    int[] more = tokens(6, 5);
    int[] both = Arrays.copyOf(prompt, 55);
    System.arraycopy(more, 0, both, 50, 5);
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      generate(sequence, prompt, Sampling.GREEDY, 1);
      sequence.truncate(50);
      try (Sequence fork = sequence.fork()) {
        assertThat(generate(fork, more, seeded(1), 10)).isEqualTo(alone(both, seeded(1), 10));
      }
      assertThat(generate(sequence, more, seeded(1), 10)).isEqualTo(alone(both, seeded(1), 10));
    }
  }

  @Test
  void aSequenceCutBackBehindItsWindowIsComputedAgain() {
    close();
    load(TinyModels.GEMMA3);
    int[] prompt = tokens(7, 150);
    int[] kept = Arrays.copyOf(prompt, 30);
    int[] more = tokens(8, 3);
    int[] both = Arrays.copyOf(kept, 33);
    System.arraycopy(more, 0, both, 30, 3);
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      generate(sequence, prompt, Sampling.GREEDY, 5);
      sequence.truncate(30);
      assertThat(sequence.pending()).isEqualTo(30);
      assertThat(generate(sequence, more, seeded(2), 10)).isEqualTo(alone(both, seeded(2), 10));
    }
  }

  @Test
  void cancellingEndsARunWithinOneStep() {
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      CountDownLatch started = new CountDownLatch(3);
      Collected heard =
          new Collected() {
            @Override
            public synchronized boolean token(int token) {
              started.countDown();
              return super.token(token);
            }
          };
      Run run = sequence.run(tokens(1, 4), Sampling.GREEDY, 190, heard);
      await(started);
      run.cancel();
      int before = heard.tokens().size();
      assertThat(heard.end()).isEqualTo(RunEnd.CANCELLED);
      assertThat(heard.tokens().size()).isBetween(3, before + 1);
      // And it can go on.
      assertThat(generate(sequence, new int[0], Sampling.GREEDY, 2)).hasSize(2);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aListenerThatWantsNoMoreStopsItsRun() {
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      assertThat(stop(sequence, tokens(1, 4), Sampling.GREEDY, 4)).hasSize(4);
    }
  }

  @Test
  void aListenerThatThrowsEndsItsOwnRunOnly() {
    try (Engine engine = engine();
        Sequence good = engine.open();
        Sequence bad = engine.open();
        Sequence worse = engine.open()) {
      Collected thrown =
          new Collected() {
            @Override
            public synchronized boolean token(int token) {
              throw new IllegalArgumentException("no such token");
            }
          };
      Collected asserted =
          new Collected() {
            @Override
            public synchronized boolean token(int token) {
              throw new AssertionError("never");
            }

            @Override
            public synchronized void ended(
                RunEnd reason, @org.jspecify.annotations.Nullable RuntimeException failure) {
              super.ended(reason, failure);
              throw new IllegalStateException("at the end, too");
            }
          };
      Collected heard = new Collected();
      good.run(tokens(1, 4), seeded(1), 30, heard);
      bad.run(tokens(2, 4), seeded(1), 30, thrown);
      worse.run(tokens(3, 4), seeded(1), 30, asserted);
      assertThat(thrown.end()).isEqualTo(RunEnd.FAILED);
      assertThat(thrown.failure()).hasMessage("no such token");
      assertThat(asserted.end()).isEqualTo(RunEnd.FAILED);
      assertThat(asserted.failure()).hasMessageContaining("never");
      assertThat(heard.end()).isEqualTo(RunEnd.LENGTH);
      assertThat(heard.tokens()).isEqualTo(alone(tokens(1, 4), seeded(1), 30));
      assertThat(generate(bad, new int[0], Sampling.GREEDY, 1)).hasSize(1);
    }
  }

  @Test
  void aListenerCanNotWaitForTheEngineItself() {
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      for (Runnable call : List.<Runnable>of(engine::open, engine::close, sequence::pending)) {
        Collected heard =
            new Collected() {
              @Override
              public synchronized boolean token(int token) {
                call.run();
                return true;
              }
            };
        sequence.run(tokens(1, 4), Sampling.GREEDY, 5, heard);
        assertThat(heard.end()).isEqualTo(RunEnd.FAILED);
        assertThat(heard.failure()).hasMessageContaining("a token listener must not");
      }
    }
  }

  @Test
  void aFailedStepLeavesTheSequenceAsItWas() {
    int[] prompt = tokens(9, 40);
    List<Integer> expected = alone(prompt, Sampling.GREEDY, 8);
    AtomicInteger calls = new AtomicInteger();
    Graph plain = graph;
    graph =
        Taps.call(
            plain,
            "blocks.0.attention.key",
            (data, rows, columns) -> {
              if (calls.incrementAndGet() == 5) {
                throw new IllegalStateException("the device stumbled");
              }
            });
    try (Engine engine = engine(new Engine.Limits(16, 2, 100, 200));
        Sequence sequence = engine.open()) {
      Collected heard = new Collected();
      sequence.run(prompt, Sampling.GREEDY, 8, heard);
      assertThat(heard.end()).isEqualTo(RunEnd.FAILED);
      assertThat(heard.failure())
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("the device stumbled");
      List<Integer> tokens = new ArrayList<>(heard.tokens());
      assertThat(sequence.pending()).isEqualTo(1);
      tokens.addAll(generate(sequence, new int[0], Sampling.GREEDY, 8 - tokens.size()));
      assertThat(tokens).isEqualTo(expected);
    }
  }

  @Test
  void logitsThatAreNoNumbersEndTheRunAndChooseNothing() {
    graph =
        Taps.call(
            graph,
            Engine.LOGITS,
            (data, rows, columns) -> {
              for (long i = 0; i < (long) rows * columns; i++) {
                data.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NaN);
              }
            });
    try (Engine engine = engine();
        Sequence sequence = engine.open()) {
      for (Sampling sampling : List.of(Sampling.GREEDY, seeded(1))) {
        Collected heard = new Collected();
        sequence.run(tokens(1, 4), sampling, 10, heard);
        assertThat(heard.end()).isEqualTo(RunEnd.FAILED);
        assertThat(heard.failure())
            .isInstanceOf(DeviceException.class)
            .hasMessage("the model computed no finite logit");
        assertThat(heard.tokens()).isEmpty();
      }
    }
  }

  @Test
  void theFirstGoesOnWhereTheCacheIsFull() {
    try (Engine engine = engine(new Engine.Limits(32, 2, 96, 96))) {
      Sequence first = engine.open();
      Sequence second = engine.open();
      Collected one = new Collected();
      Collected two = new Collected();
      first.run(tokens(1, 30), Sampling.GREEDY, 60, one);
      second.run(tokens(2, 30), Sampling.GREEDY, 60, two);
      assertThat(two.end()).isEqualTo(RunEnd.FAILED);
      assertThat(two.failure())
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the KV cache is full");
      assertThat(one.end()).isEqualTo(RunEnd.LENGTH);
      assertThat(one.tokens()).isEqualTo(alone(tokens(1, 30), Sampling.GREEDY, 60));
      first.close();
      // What it had is still its text, and is computed again.
      List<Integer> whole = new ArrayList<>(two.tokens());
      whole.addAll(generate(second, new int[0], Sampling.GREEDY, 60 - whole.size()));
      assertThat(whole).isEqualTo(alone(tokens(2, 30), Sampling.GREEDY, 60));
      second.close();
    }
  }

  @Test
  void generationEndsWithTheContext() {
    try (Engine engine = engine(new Engine.Limits(32, 1, 50, 64));
        Sequence sequence = engine.open()) {
      assertThat(generate(sequence, tokens(1, 40), Sampling.GREEDY, 1000)).hasSize(10);
      assertThat(sequence.length()).isEqualTo(50);
      refused(() -> run(sequence, tokens(1, 1), 1), "51 tokens, but the context holds 50");
    }
  }

  private static void run(Sequence sequence, int[] tokens, int count) {
    sequence.run(tokens, Sampling.GREEDY, count, new Collected());
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(message);
  }

  @Test
  void impossibleRequestsAreRefusedAndChangeNothing() {
    try (Engine engine = engine(new Engine.Limits(32, 1, 50, 64));
        Sequence sequence = engine.open()) {
      refused(() -> run(sequence, new int[0], 1), "there are no tokens to continue from");
      refused(() -> run(sequence, new int[] {1, 96}, 1), "token id 96 is not in the vocabulary");
      refused(() -> run(sequence, new int[] {-1}, 1), "token id -1 is not in the vocabulary");
      refused(() -> run(sequence, new int[] {1}, 0), "max tokens is 0");
      refused(() -> run(sequence, tokens(1, 51), 1), "the context holds 50");
      refused(engine::open, "all 1 sequences are in use");
      refused(sequence::fork, "all 1 sequences are in use");
      refused(() -> sequence.truncate(1), "a sequence of 0 tokens has no first 1");
      refused(() -> sequence.truncate(-1), "has no first -1");
      assertThat(sequence.length()).isZero();
      assertThat(generate(sequence, tokens(1, 10), Sampling.GREEDY, 3)).hasSize(3);
    }
  }

  @Test
  void aClosedSequenceMakesRoomForAnother() {
    try (Engine engine = engine(new Engine.Limits(32, 1, 50, 64))) {
      for (int i = 0; i < 10; i++) {
        Sequence sequence = engine.open();
        assertThat(generate(sequence, tokens(i, 30), Sampling.GREEDY, 5)).hasSize(5);
        sequence.close();
        sequence.close();
        assertThatThrownBy(() -> run(sequence, new int[] {1}, 1))
            .isInstanceOf(IllegalStateException.class);
      }
    }
  }

  @Test
  void closingASequenceEndsItsRun() {
    try (Engine engine = engine();
        Sequence other = engine.open()) {
      Sequence sequence = engine.open();
      Collected heard = new Collected();
      sequence.run(tokens(1, 150), Sampling.GREEDY, 50, heard);
      sequence.close();
      assertThat(heard.end()).isIn(RunEnd.CANCELLED, RunEnd.LENGTH);
      assertThat(generate(other, tokens(2, 4), Sampling.GREEDY, 3)).hasSize(3);
    }
  }

  @Test
  void closingTheEngineEndsAllRunsInAnyOrderAndTwice() {
    Engine engine = engine();
    Sequence first = engine.open();
    Sequence second = engine.open();
    Collected one = new Collected();
    Collected two = new Collected();
    first.run(tokens(1, 190), Sampling.GREEDY, 5, one);
    second.run(tokens(2, 190), Sampling.GREEDY, 5, two);
    engine.close();
    assertThat(one.end()).isIn(RunEnd.CANCELLED, RunEnd.LENGTH);
    assertThat(two.end()).isIn(RunEnd.CANCELLED, RunEnd.LENGTH);
    first.close();
    engine.close();
    first.close();
    assertThatThrownBy(engine::open).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(second::pending).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> run(second, new int[] {1}, 1))
        .isInstanceOf(IllegalStateException.class);
    second.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("kancil-engine"));
  }

  @Test
  void manyThreadsMayOpenRunAndCloseAtOnce() throws InterruptedException {
    List<Integer> expected = alone(tokens(1, 20), seeded(1), 5);
    List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
    try (Engine engine = engine()) {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        threads.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      try {
                        for (int j = 0; j < 3; j++) {
                          try (Sequence sequence = engine.open()) {
                            assertThat(generate(sequence, tokens(1, 20), seeded(1), 5))
                                .isEqualTo(expected);
                          }
                        }
                      } catch (Throwable e) {
                        failures.add(e);
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(failures).isEmpty();
  }
}
