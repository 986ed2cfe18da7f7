package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExpertSlotsTest {
  private static List<List<Integer>> sort(int experts, int... ids) {
    ExpertSlots slots = new ExpertSlots();
    slots.reserve(1, 1);
    slots.reserve(experts, ids.length);
    List<List<Integer>> sorted = new ArrayList<>();
    // Twice, since nothing of the step before may be left.
    for (int run = 0; run < 2; run++) {
      slots.sort(MemorySegment.ofArray(ids), ids.length, experts);
      sorted.clear();
      for (int expert = 0; expert < experts; expert++) {
        List<Integer> own = new ArrayList<>();
        for (int i = 0; i < slots.count(expert); i++) {
          own.add(slots.slot(expert, i));
        }
        sorted.add(own);
      }
    }
    return sorted;
  }

  @Test
  void slotsOfAnExpertKeepTheirOrder() {
    assertThat(sort(4, 2, 0, 2, 3, 0, 2))
        .containsExactly(List.of(1, 4), List.of(), List.of(0, 2, 5), List.of(3));
  }

  @Test
  void anIdThatIsNoExpertsStandsForTheNearest() {
    assertThat(sort(3, -1, 7, 1, Integer.MIN_VALUE, Integer.MAX_VALUE))
        .containsExactly(List.of(0, 3), List.of(2), List.of(1, 4));
  }

  @Test
  void aStepWithoutRowsHasNoSlots() {
    assertThat(sort(2)).containsExactly(List.of(), List.of());
  }
}
