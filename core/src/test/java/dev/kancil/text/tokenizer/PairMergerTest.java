package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PairMergerTest {
  /** Merging as its definition says: rescan everything after each merge. */
  private static List<Integer> mergePlainly(List<Integer> symbols, PairMerger.Pairs pairs) {
    List<Integer> merged = new ArrayList<>(symbols);
    while (true) {
      int best = -1;
      long bestRank = PairMerger.NONE;
      for (int i = 0; i + 1 < merged.size(); i++) {
        long rank = pairs.find(merged.get(i), merged.get(i + 1), 0, 0);
        if (rank != PairMerger.NONE && (best < 0 || rank >> 32 < bestRank >> 32)) {
          best = i;
          bestRank = rank;
        }
      }
      if (best < 0) {
        return merged;
      }
      merged.set(best, (int) bestRank);
      merged.remove(/* index */ best + 1);
    }
  }

  private static List<Integer> merge(List<Integer> symbols, PairMerger merger) {
    merger.clear();
    for (int i = 0; i < symbols.size(); i++) {
      merger.add(symbols.get(i), i + 1);
    }
    merger.merge();
    List<Integer> merged = new ArrayList<>();
    for (int i = 0; i < merger.count(); i++) {
      merged.add(merger.symbol(i));
      assertThat(merger.start(i + 1)).isGreaterThan(merger.start(i));
    }
    assertThat(merger.start(0)).isZero();
    assertThat(merger.start(merger.count())).isEqualTo(symbols.size());
    return merged;
  }

  @Test
  void shortAndLongWordsMergeAsThePlainDefinition() {
    Random random = new Random(11);
    for (int round = 0; round < 400; round++) {
      Map<Long, Long> table = new HashMap<>();
      int next = 4;
      for (int i = 0; i < 40; i++) {
        long pair = (long) random.nextInt(next) << 32 | random.nextInt(next);
        // Ranks repeat, as equal scores do, and may be negative.
        long rank = random.nextInt(12) - 6L;
        table.putIfAbsent(pair, rank << 32 | next++);
      }
      PairMerger.Pairs pairs =
          (left, right, from, to) -> table.getOrDefault((long) left << 32 | right, PairMerger.NONE);
      PairMerger merger = new PairMerger(pairs);
      for (int length : new int[] {0, 1, 2, 3, 39, 40, 41, 42, 100, 333}) {
        List<Integer> symbols = new ArrayList<>();
        for (int i = 0; i < length; i++) {
          symbols.add(random.nextInt(4));
        }
        assertThat(merge(symbols, merger)).isEqualTo(mergePlainly(symbols, pairs));
      }
    }
  }
}
