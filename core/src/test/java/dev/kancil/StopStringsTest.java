package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class StopStringsTest {
  @Test
  void textBeforeTheStopIsShownAndNothingAfterIt() {
    StopStrings stops = new StopStrings(List.of("END"));
    assertThat(stops.accept("one ENDtwo")).isEqualTo("one ");
    assertThat(stops.found()).isTrue();
    assertThat(stops.accept("three")).isEmpty();
    assertThat(stops.finish()).isEmpty();
  }

  @Test
  void possibleBeginningIsHeldBackUntilItIsClear() {
    StopStrings stops = new StopStrings(List.of("<|end|>"));
    assertThat(stops.accept("a<|e")).isEqualTo("a");
    assertThat(stops.accept("at")).isEqualTo("<|eat");
    assertThat(stops.accept("<|end|")).isEmpty();
    assertThat(stops.finish()).isEqualTo("<|end|");
    assertThat(stops.found()).isFalse();
  }

  @Test
  void theStopThatComesFirstInTheTextCounts() {
    StopStrings stops = new StopStrings(List.of("long stop", "ng"));
    assertThat(stops.accept("a long stop")).isEqualTo("a ");
  }

  @Test
  void textIsCutAtTheStopWhateverPiecesItComesIn() {
    SplittableRandom random = new SplittableRandom(7);
    for (int trial = 0; trial < 2000; trial++) {
      String stop = letters(random, 1 + random.nextInt(4));
      String text = letters(random, random.nextInt(20));
      StopStrings streaming = new StopStrings(List.of(stop));
      StringBuilder shown = new StringBuilder();
      for (int at = 0; at < text.length() && !streaming.found(); ) {
        int end = Math.min(text.length(), at + 1 + random.nextInt(3));
        shown.append(streaming.accept(text.substring(at, end)));
        at = end;
      }
      shown.append(streaming.finish());
      int cut = text.contains(stop) ? text.indexOf(stop) : text.length();
      assertThat(shown).as("%s until %s", text, stop).hasToString(text.substring(0, cut));
      assertThat(streaming.found()).isEqualTo(text.contains(stop));
    }
  }

  private static String letters(SplittableRandom random, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('a' + random.nextInt(2)));
    }
    return text.toString();
  }
}
