package dev.kancil.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What every device must hold: a row's logits depend on its own sequence alone, not on what else is
 * in the step, how the prompt is cut, or where pages lie.
 */
public abstract class BatchingContract {
  private static final int LENGTH = 110;

  @TempDir Path folder;

  /** The device; the test closes it. */
  protected abstract Device device();

  /** The device for a model, where it depends on that. */
  protected Device device(Graph model) {
    return device();
  }

  /** The largest difference of a logit. */
  protected abstract float tolerance();

  /** A test with a model on a device. */
  @FunctionalInterface
  private interface Body {
    void run(Device device, LoadedModel.OfDecoder model);
  }

  private void with(TinyModels tiny, Body body) {
    try (GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.open(tiny.write(folder)))) {
      LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F32, DataType.F32);
      try (Device device = device(model.graph())) {
        body.run(device, model);
      }
    }
  }

  private static int[] tokens(long seed, int count) {
    return new SplittableRandom(seed).ints(count, 0, TinyModels.VOCABULARY).toArray();
  }

  private static List<float[]> alone(Device device, LoadedModel.OfDecoder model, int[] tokens) {
    try (LogitsRunner runner = new LogitsRunner(device, model, true, LENGTH, LENGTH)) {
      int sequence = runner.open();
      runner.step(sequence, tokens);
      return runner.rows(sequence);
    }
  }

  private void same(List<float[]> actual, List<float[]> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int row = 0; row < actual.size(); row++) {
      for (int i = 0; i < actual.get(row).length; i++) {
        assertThat(actual.get(row)[i])
            .as("row %s, logit %s", row, i)
            .isCloseTo(expected.get(row)[i], org.assertj.core.api.Assertions.within(tolerance()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void anyChunksOfThePromptEqualTheWhole(TinyModels tiny) {
    with(
        tiny,
        (device, model) -> {
          int[] tokens = tokens(1, LENGTH);
          List<float[]> whole = alone(device, model, tokens);
          for (int chunk : new int[] {1, 3, 32, 33, 64, 109}) {
            try (LogitsRunner runner = new LogitsRunner(device, model, true, chunk, LENGTH)) {
              int sequence = runner.open();
              for (int start = 0; start < LENGTH; start += chunk) {
                int end = Math.min(LENGTH, start + chunk);
                runner.step(sequence, Arrays.copyOfRange(tokens, start, end));
              }
              same(runner.rows(sequence), whole);
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void aRaggedBatchEqualsItsSequencesAlone(TinyModels tiny) {
    with(
        tiny,
        (device, model) -> {
          SplittableRandom random = new SplittableRandom(5);
          int[][] tokens = {tokens(1, 90), tokens(2, 40), tokens(3, 70), tokens(4, 1)};
          int[] done = new int[tokens.length];
          try (LogitsRunner runner = new LogitsRunner(device, model, true, 60, 400)) {
            int[] sequences = {runner.open(), runner.open(), runner.open(), runner.open()};
            while (true) {
              int[] counts = new int[tokens.length];
              for (int i = 0; i < counts.length; i++) {
                counts[i] = Math.min(tokens[i].length - done[i], random.nextInt(15));
              }
              int[] active =
                  java.util.stream.IntStream.range(0, 4).filter(i -> counts[i] > 0).toArray();
              if (active.length > 0) {
                runner.step(
                    Arrays.stream(active).map(i -> sequences[i]).toArray(),
                    Arrays.stream(active)
                        .mapToObj(i -> Arrays.copyOfRange(tokens[i], done[i], done[i] + counts[i]))
                        .toArray(int[][]::new));
                Arrays.stream(active).forEach(i -> done[i] += counts[i]);
              } else if (java.util.stream.IntStream.range(0, 4)
                  .allMatch(i -> done[i] == tokens[i].length)) {
                break;
              }
            }
            for (int i = 0; i < tokens.length; i++) {
              same(runner.rows(sequences[i]), alone(device, model, tokens[i]));
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void scatteredPagesEqualContiguousOnes(TinyModels tiny) {
    with(
        tiny,
        (device, model) -> {
          int[] tokens = tokens(6, LENGTH);
          try (LogitsRunner runner = new LogitsRunner(device, model, true, 40, 4000)) {
            int[] others = new int[6];
            for (int i = 0; i < others.length; i++) {
              others[i] = runner.open();
              runner.step(others[i], tokens(i, 40));
            }
            // Pages come free in another order than they were taken, between ones still in use.
            for (int i : new int[] {1, 4, 2}) {
              runner.state().release(others[i]);
            }
            int sequence = runner.open();
            int base = 0;
            for (int start = 0; start < LENGTH; start += 10) {
              runner.step(sequence, Arrays.copyOfRange(tokens, start, start + 10));
              runner.step(others[0], tokens(start, 7));
              base += 10;
            }
            assertThat(base).isEqualTo(LENGTH);
            List<float[]> rows = runner.rows(sequence);
            same(rows.subList(rows.size() - LENGTH, rows.size()), alone(device, model, tokens));
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void aForkEqualsAFreshSequenceAndLeavesTheOriginalAlone(TinyModels tiny) {
    with(
        tiny,
        (device, model) -> {
          int[] prompt = tokens(7, 45);
          int[] left = tokens(8, 40);
          int[] right = tokens(9, 40);
          for (int length : new int[] {45, 44, 33, 32, 31}) {
            try (LogitsRunner runner = new LogitsRunner(device, model, true, 60, 1000)) {
              int original = runner.open();
              runner.step(original, prompt);
              int fork = runner.state().fork(original, length);
              runner.step(fork, right[0]);
              runner.step(original, left[0]);
              runner.step(
                  new int[] {original, fork},
                  new int[][] {Arrays.copyOfRange(left, 1, 20), Arrays.copyOfRange(right, 1, 30)});
              same(
                  runner.rows(original),
                  alone(device, model, join(prompt, Arrays.copyOf(left, 20))));
              List<float[]> fresh =
                  alone(
                      device, model, join(Arrays.copyOf(prompt, length), Arrays.copyOf(right, 30)));
              same(runner.rows(fork), fresh.subList(length, length + 30));
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void aTruncatedSequenceEqualsAFreshOne(TinyModels tiny) {
    with(
        tiny,
        (device, model) -> {
          int[] tokens = tokens(10, 40);
          int[] other = tokens(11, 40);
          try (LogitsRunner runner = new LogitsRunner(device, model, true, 60, 1000)) {
            int sequence = runner.open();
            runner.step(sequence, tokens);
            runner.state().truncate(sequence, 33);
            runner.step(sequence, other);
            runner.state().truncate(sequence, 0);
            runner.step(sequence, other);
            List<float[]> rows = runner.rows(sequence);
            List<float[]> fresh = alone(device, model, join(Arrays.copyOf(tokens, 33), other));
            same(rows.subList(40, 80), fresh.subList(33, 73));
            same(rows.subList(80, 120), alone(device, model, other));
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void fusedEqualsUnfused(TinyModels tiny) {
    with(
        tiny,
        (device, model) -> {
          int[] tokens = tokens(12, LENGTH);
          try (LogitsRunner runner = new LogitsRunner(device, model, false, LENGTH, LENGTH)) {
            int sequence = runner.open();
            runner.step(sequence, tokens);
            same(runner.rows(sequence), alone(device, model, tokens));
          }
        });
  }

  private static int[] join(int[] first, int[] second) {
    int[] joined = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, joined, first.length, second.length);
    return joined;
  }
}
