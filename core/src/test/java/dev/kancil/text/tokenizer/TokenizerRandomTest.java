package dev.kancil.text.tokenizer;

import java.time.Duration;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** {@link TokenizerChecks} on seeded random input for some seconds. */
class TokenizerRandomTest {
  private static final Duration TIME = Duration.ofMillis(2500);

  @Test
  void randomTextsComeBack() {
    Random random = new Random(23);
    repeat(
        _ -> {
          StringBuilder text = new StringBuilder();
          for (int i = random.nextInt(6); i >= 0; i--) {
            text.append(SplitterTest.randomText(random));
            text.append((char) random.nextInt(0x10000));
            text.appendCodePoint(random.nextInt(0x110000));
          }
          TokenizerChecks.checkText(text.toString(), random.nextBoolean());
        });
  }

  @Test
  void randomMetadataGivesATokenizerOrOneLine() {
    Random random = new Random(29);
    repeat(_ -> TokenizerChecks.checkMetadata(bound -> bound <= 0 ? 0 : random.nextInt(bound)));
  }

  @Test
  void randomFilesGiveATokenizerOrOneLine() {
    Random random = new Random(31);
    repeat(_ -> TokenizerChecks.checkFile(bound -> bound <= 0 ? 0 : random.nextInt(bound)));
  }

  private static void repeat(Consumer<Integer> check) {
    long end = System.nanoTime() + TIME.toNanos();
    int rounds = 0;
    while (System.nanoTime() < end) {
      check.accept(rounds++);
    }
    System.out.println("random inputs checked: " + rounds);
  }
}
