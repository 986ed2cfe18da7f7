package dev.kancil.backend.opencl;

import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class OpenClOrderTest {
  @Test
  void casesConformFromTheLastToo() {
    // In a process beside the one that begins at the first: each finds what the other has built.
    List<Case> all = Conformance.cases();
    ShapedDevices.conform(
        UnaryOperator.identity(), all.subList(all.size() / 2, all.size()).reversed());
  }
}
