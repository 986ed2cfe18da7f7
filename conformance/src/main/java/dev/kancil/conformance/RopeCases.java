package dev.kancil.conformance;

import dev.kancil.graph.Operand;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** Rotary embeddings alone. */
final class RopeCases {
  private final List<Case> cases = new ArrayList<>();

  private RopeCases() {}

  static List<Case> all() {
    RopeCases cases = new RopeCases();
    for (Pairing pairing : Pairing.values()) {
      for (int width : new int[] {2, 4, 6, 30, 32, 64, 80, 128, 256}) {
        cases.rope(pairing, width, width, 1, 3, 10_000, 1, false, Event.rows(1), Event.rows(6));
      }
      cases.rope(pairing, 64, 32, 9, 1, 10_000, 1, false, Event.rows(5));
      cases.rope(pairing, 80, 20, 2, 1, 10_000, 1, false, Event.rows(7));
      cases.rope(pairing, 7, 2, 3, 1, 10_000, 1, false, Event.rows(3));
      cases.rope(pairing, 64, 64, 4, 1, 500_000, 1, true, Event.rows(40));
      cases.rope(pairing, 256, 256, 4, 1, 1_000_000, 0.125, false, Event.rows(40));
      cases.rope(
          pairing, 64, 64, 2, 1, 10_000, 1, false, Event.rows(3, 40, 1), Event.rows(0, 2, 9));
      // Angles of float32 positions times float32 frequencies are no longer exact here.
      cases.rope(pairing, 8, 8, 1, 1, 10_000, 1, false, Collections.nCopies(5, Event.rows(8192)));
    }
    for (Pairing pairing : Pairing.values()) {
      // Positions of one base-256 digit and of two.
      cases.magnified(pairing, 64, 64, 1.2079, List.of(Event.rows(5)));
      cases.magnified(pairing, 80, 20, 0.83, List.of(Event.rows(3, 290), Event.rows(2, 7)));
    }
    return cases.cases;
  }

  private void magnified(
      Pairing pairing, int headWidth, int rotaryWidth, double magnitude, List<Event> events) {
    RotaryEmbedding rotary =
        new RotaryEmbedding(pairing, headWidth, rotaryWidth, 10_000, 1, magnitude);
    cases.add(
        new Case(
            "Rope",
            List.of(DataType.F32),
            pairing
                + " 3 heads of "
                + headWidth
                + ", "
                + rotaryWidth
                + " turned, magnitude "
                + magnitude,
            events,
            s -> s.check(new Rope(rotary), s.x(3 * headWidth), s.positions())));
  }

  private void rope(
      Pairing pairing,
      int headWidth,
      int rotaryWidth,
      int heads,
      int moreHeads,
      double base,
      double scale,
      boolean factors,
      Event... events) {
    rope(pairing, headWidth, rotaryWidth, heads, moreHeads, base, scale, factors, List.of(events));
  }

  private void rope(
      Pairing pairing,
      int headWidth,
      int rotaryWidth,
      int heads,
      int moreHeads,
      double base,
      double scale,
      boolean factors,
      List<Event> events) {
    Rope rope = new Rope(new RotaryEmbedding(pairing, headWidth, rotaryWidth, base, scale));
    for (int count : heads == moreHeads ? new int[] {heads} : new int[] {heads, moreHeads}) {
      String shape =
          pairing
              + " "
              + count
              + " heads of "
              + headWidth
              + ", "
              + rotaryWidth
              + " turned"
              + (factors ? " by factors" : "")
              + (scale == 1 ? "" : " by " + scale)
              + ", "
              + events.stream().map(Event::describe).collect(Collectors.joining(" then "));
      cases.add(
          new Case(
              "Rope",
              List.of(DataType.F32),
              shape,
              events,
              s -> {
                List<Operand> inputs = new ArrayList<>();
                inputs.add(s.x(count * headWidth));
                inputs.add(s.positions());
                if (factors) {
                  inputs.add(s.between(1, 32, rotaryWidth / 2));
                }
                s.check(rope, inputs.toArray(Operand[]::new));
              }));
    }
  }
}
