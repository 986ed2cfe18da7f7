package dev.kancil.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CoresTest {
  /** Two sockets of two cores, each of which two processors share, as Linux numbers them. */
  private static final List<String> PROCESSORS = processors(2, 2, 2);

  private static List<String> processors(int sockets, int cores, int threads) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < sockets * cores * threads; i++) {
      lines.addAll(
          List.of(
              "processor\t: " + i,
              "model name\t: one",
              "physical id\t: " + i / cores % sockets,
              "core id\t\t: " + 8 * (i % cores),
              ""));
    }
    return lines;
  }

  private static int count(String allowed) {
    return Cores.count(PROCESSORS, List.of("Name:\tjava", "Cpus_allowed_list:\t" + allowed));
  }

  @Test
  void processorsThatShareACoreCountOnce() {
    assertThat(count("0-7")).isEqualTo(4);
    assertThat(count("0,4")).isEqualTo(1);
    assertThat(count("0-1,6-7")).isEqualTo(4);
    assertThat(count("3")).isEqualTo(1);
  }

  @Test
  void whatIsNotToldIsNoCore() {
    assertThat(Cores.count(List.of("processor\t: 0", "BogoMIPS\t: 50"), List.of())).isZero();
    assertThat(Cores.count(PROCESSORS, List.of())).isEqualTo(4);
    assertThat(count("none")).isZero();
    assertThat(count("0-99999999999")).isZero();
  }

  @Test
  void thereIsOneAtLeastAndNoMoreThanJavaMayUse() {
    assertThat(Cores.available()).isBetween(1, Runtime.getRuntime().availableProcessors());
  }
}
