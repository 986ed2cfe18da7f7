package dev.kancil.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageTablesTest {
  private static final int PAGE = 4;
  private static final StepLimits LIMITS = new StepLimits(64, 8, 64);

  private static StateLayout layout(int... windows) {
    return new StateLayout(
        Arrays.stream(windows)
            .mapToObj(window -> new StateGroup(1, 1, 1, DataType.F32, DataType.F32, window))
            .toList());
  }

  /**
   * Tables beside the plainest possible model: each sequence is the list of stamps that its tokens
   * were given, and memory is an array of stamps to which tables say where they go.
   */
  private static final class Modelled {
    final StateLayout layout;
    final PageTables tables;
    final long[][] memory;
    final Map<Integer, List<Long>> sequences = new LinkedHashMap<>();
    final Batch batch = new Batch(LIMITS);
    long nextStamp = 1;

    Modelled(int pages, int... windows) {
      this.layout = layout(windows);
      this.memory = new long[windows.length][pages * PAGE];
      this.tables =
          new PageTables(
              layout,
              PAGE,
              pages,
              (group, from, to) ->
                  System.arraycopy(memory[group], from * PAGE, memory[group], to * PAGE, PAGE));
    }

    List<Long> stamps(int id) {
      return Objects.requireNonNull(sequences.get(id));
    }

    int open() {
      int id = tables.open();
      assertThat(sequences.put(id, new ArrayList<>())).isNull();
      return id;
    }

    void fill(Map<Integer, Integer> counts) {
      batch.clear();
      counts.forEach(
          (id, count) -> {
            batch.sequence(id, stamps(id).size());
            for (int i = 0; i < count; i++) {
              batch.token(0, false);
            }
          });
    }

    void append(Map<Integer, Integer> counts) {
      fill(counts);
      tables.append(batch);
      for (int i = 0; i < batch.sequenceCount(); i++) {
        int id = batch.sequence(i);
        for (int row = batch.firstRow(i); row < batch.endRow(i); row++) {
          long stamp = nextStamp++;
          for (int group = 0; group < memory.length; group++) {
            int page = table(id, group)[batch.position(row) / PAGE];
            memory[group][page * PAGE + batch.position(row) % PAGE] = stamp;
          }
          stamps(id).add(stamp);
        }
      }
      check(true);
      tables.dropBehindWindows(batch);
      check(false);
    }

    int[] table(int id, int group) {
      int[] table = new int[tables.pageCount(id)];
      assertThat(tables.copyPages(id, group, table, 0)).isEqualTo(table.length);
      return table;
    }

    /** Every token that a row to come can see is where the tables say. */
    void check(boolean withinStep) {
      sequences.forEach(
          (id, stamps) -> {
            assertThat(tables.length(id)).isEqualTo(stamps.size());
            for (int group = 0; group < memory.length; group++) {
              int window = layout.groups().get(group).window();
              int first = window == 0 ? 0 : Math.max(0, stamps.size() - window + 1);
              int[] table = table(id, group);
              assertThat(table).hasSize(Math.ceilDiv(stamps.size(), PAGE));
              for (int position = first; position < stamps.size(); position++) {
                int page = table[position / PAGE];
                assertThat(memory[group][page * PAGE + position % PAGE])
                    .as(
                        "sequence %s, group %s, position %s, in a step: %s",
                        id, group, position, withinStep)
                    .isEqualTo(stamps.get(position));
              }
            }
          });
    }

    /** All that can be seen from outside. */
    List<Object> snapshot() {
      List<Object> all = new ArrayList<>();
      for (int id : sequences.keySet()) {
        all.add(tables.length(id));
        for (int group = 0; group < memory.length; group++) {
          all.add(Arrays.stream(table(id, group)).boxed().toList());
        }
        batch.clear();
        all.add(tables.room(batch, id));
      }
      return all;
    }

    Set<Integer> usedPages(int group) {
      Set<Integer> used = new HashSet<>();
      for (int id : sequences.keySet()) {
        for (int page : table(id, group)) {
          if (page != PageTables.GONE) {
            used.add(page);
          }
        }
      }
      return used;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void anyOperationsKeepWhatCanBeSeen(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[][] layouts = {{0}, {6}, {0, 6}, {1, 0, 9}};
    Modelled model = new Modelled(24, layouts[(int) seed % layouts.length]);
    int refused = 0;
    for (int i = 0; i < 4000; i++) {
      List<Integer> ids = List.copyOf(model.sequences.keySet());
      int choice = ids.isEmpty() ? 0 : random.nextInt(12);
      int id = ids.isEmpty() ? -1 : ids.get(random.nextInt(ids.size()));
      List<Object> before = model.snapshot();
      try {
        switch (choice) {
          case 0 -> {
            if (ids.size() < 6) {
              model.open();
            }
          }
          case 1 -> {
            if (ids.size() < 6) {
              int length = random.nextInt(-1, model.stamps(id).size() + 2);
              int fork = model.tables.fork(id, length);
              model.sequences.put(fork, new ArrayList<>(model.stamps(id).subList(0, length)));
            }
          }
          case 2 -> {
            int length = random.nextInt(-1, model.stamps(id).size() + 2);
            model.tables.truncate(id, length);
            model.sequences.put(id, new ArrayList<>(model.stamps(id).subList(0, length)));
          }
          case 3 -> {
            if (random.nextInt(3) == 0) {
              model.tables.release(id);
              model.sequences.remove(id);
            }
          }
          default -> {
            Map<Integer, Integer> counts = new LinkedHashMap<>();
            for (int some : ids) {
              if (random.nextInt(3) > 0) {
                counts.put(some, random.nextInt(1, random.nextInt(4) == 0 ? 10 : 3));
              }
            }
            model.append(counts);
          }
        }
      } catch (InvalidRequestException e) {
        refused++;
        assertThat(model.snapshot()).as(e.getMessage()).isEqualTo(before);
      }
      model.check(false);
    }
    assertThat(refused).as("refusals are tried, too").isPositive();
    for (int id : List.copyOf(model.sequences.keySet())) {
      model.tables.release(id);
      model.sequences.remove(id);
    }
    int last = model.open();
    for (int i = 0; i < 24; i++) {
      model.append(Map.of(last, PAGE));
    }
    for (int group = 0; group < model.memory.length; group++) {
      if (model.layout.groups().get(group).window() == 0) {
        assertThat(model.usedPages(group)).as("every page was given back").hasSize(24);
      }
    }
  }

  @Test
  void roomIsExactlyWhatCanBeAppended() {
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < 300; i++) {
      Modelled model = new Modelled(8, 0, 6);
      int first = model.open();
      model.append(Map.of(first, random.nextInt(1, 12)));
      int second = model.tables.fork(first, model.stamps(first).size());
      model.sequences.put(second, new ArrayList<>(model.stamps(first)));
      if (random.nextBoolean()) {
        model.append(Map.of(first, random.nextInt(1, 5)));
      }
      model.batch.clear();
      int room = model.tables.room(model.batch, second);
      if (room > 0) {
        model.fill(Map.of(second, room + 1));
        assertThatThrownBy(() -> model.tables.append(model.batch))
            .hasMessageContaining("the KV cache is full");
        model.append(Map.of(second, room));
      }
      model.batch.clear();
      assertThat(model.tables.room(model.batch, second)).isZero();
    }
  }

  @Test
  void aForkSharesPagesUntilEitherWrites() {
    Modelled model = new Modelled(8, 0);
    int original = model.open();
    model.append(Map.of(original, 6));
    int fork = model.tables.fork(original, 6);
    model.sequences.put(fork, new ArrayList<>(model.stamps(original)));
    assertThat(model.table(fork, 0)).isEqualTo(model.table(original, 0));
    model.append(Map.of(fork, 1));
    assertThat(model.table(fork, 0)[0]).isEqualTo(model.table(original, 0)[0]);
    assertThat(model.table(fork, 0)[1]).isNotEqualTo(model.table(original, 0)[1]);
    assertThat(model.usedPages(0)).hasSize(3);
  }

  @Test
  void pagesBehindAWindowAreGivenBack() {
    Modelled model = new Modelled(16, 5, 0);
    int id = model.open();
    model.append(Map.of(id, 7));
    // The next row, at 7, sees positions 3 to 7: the first page is still needed.
    assertThat(model.table(id, 0)).doesNotContain(PageTables.GONE);
    model.append(Map.of(id, 1));
    // The row at 8 doesn't need it, but another one at 7 would.
    assertThat(model.table(id, 0)).doesNotContain(PageTables.GONE);
    model.append(Map.of(id, 1));
    assertThat(model.table(id, 0)[0]).isEqualTo(PageTables.GONE);
    assertThat(model.table(id, 1)).doesNotContain(PageTables.GONE);
    assertThatThrownBy(() -> model.tables.truncate(id, 7))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("have left the attention window");
    assertThatThrownBy(() -> model.tables.fork(id, 3)).isInstanceOf(InvalidRequestException.class);
    model.tables.truncate(id, 0);
  }

  @Test
  void aSequenceCanNotOutgrowItsTableBehindAWindow() {
    Modelled model = new Modelled(4, 5);
    int id = model.open();
    for (int i = 0; i < 16; i++) {
      model.append(Map.of(id, 1));
    }
    assertThatThrownBy(() -> model.append(Map.of(id, 1)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("the KV cache is full: it holds 16 tokens, not 17; raise the context size");
  }

  @Test
  void malformedBatchesAreRefused() {
    Modelled model = new Modelled(8, 0);
    int id = model.open();
    Batch batch = model.batch;
    batch.clear();
    batch.sequence(id, 1);
    batch.token(0, false);
    assertThatThrownBy(() -> model.tables.append(batch))
        .hasMessage("position 1 does not follow 0 tokens");
    batch.clear();
    batch.sequence(id, 0);
    assertThatThrownBy(() -> model.tables.append(batch))
        .hasMessage("a sequence without rows in a batch");
    batch.clear();
    for (int i = 0; i < 2; i++) {
      batch.sequence(id, 0);
      batch.token(0, false);
    }
    assertThatThrownBy(() -> model.tables.append(batch)).hasMessage("a sequence twice in a batch");
    batch.clear();
    batch.sequence(7, 0);
    batch.token(0, false);
    assertThatThrownBy(() -> model.tables.append(batch)).hasMessage("there is no sequence 7");
    model.tables.release(id);
    assertThatThrownBy(() -> model.tables.release(id)).hasMessage("there is no sequence " + id);
    assertThatThrownBy(() -> model.tables.length(-1)).isInstanceOf(InvalidRequestException.class);
  }
}
