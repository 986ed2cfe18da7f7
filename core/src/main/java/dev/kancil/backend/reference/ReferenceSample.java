package dev.kancil.backend.reference;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What {@link Sample} says, sorted and added up by plain loops. */
final class ReferenceSample implements Kernel {
  private final HostValue logits;
  private final HostValue parameters;
  private final HostValue changes;
  private final HostValue y;

  ReferenceSample(Node node, Lowering.Operands operands) {
    logits = operands.value(node.value(0));
    parameters = operands.value(node.value(1));
    changes = operands.value(node.value(2));
    y = operands.value(node.output());
  }

  /** A token that may be chosen. */
  private record Candidate(int id, float logit, long weight) {}

  @Override
  public void run(HostStep step) {
    int firstChange = 0;
    for (int row = 0; row < y.rows(step); row++) {
      Settings settings = new Settings(parameters.data(step), row);
      float[] x = Rows.read(logits, step, row);
      int end = settings.integer(SampleParameters.CHANGES_END);
      for (int i = firstChange; i < end; i++) {
        change(x, settings, changes.data(step), i);
      }
      firstChange = end;
      y.data(step).setAtIndex(ValueLayout.JAVA_INT, row, choose(x, settings));
    }
  }

  /** A row's parameters. */
  private record Settings(MemorySegment data, int row) {
    int integer(int column) {
      return Rows.index(data, (long) row * SampleParameters.COLUMNS + column);
    }

    float real(int column) {
      return Float.intBitsToFloat(integer(column));
    }

    long pair(int column) {
      return Integer.toUnsignedLong(integer(column)) | (long) integer(column + 1) << 32;
    }
  }

  private static void change(float[] x, Settings settings, MemorySegment data, long index) {
    long at = index * Sample.CHANGE_COLUMNS;
    int id = Rows.index(data, at + Sample.CHANGED_ID);
    float logit = x[id] + Rows.get(data, at + Sample.CHANGED_BIAS);
    if (Rows.index(data, at + Sample.CHANGED_SEEN) != 0) {
      int factor = logit > 0 ? SampleParameters.INVERSE : SampleParameters.REPETITION;
      logit = logit * settings.real(factor) - Rows.get(data, at + Sample.CHANGED_PENALTY);
    }
    x[id] = logit;
  }

  private static int choose(float[] x, Settings settings) {
    float scale = settings.real(SampleParameters.SCALE);
    List<Candidate> candidates = candidates(x, scale);
    if (candidates.isEmpty()) {
      return -1;
    }
    if (scale == 0) {
      return candidates.getFirst().id();
    }
    int topK = settings.integer(SampleParameters.TOP_K);
    if (topK > 0 && topK < candidates.size()) {
      candidates = candidates.subList(0, topK);
    }
    int topP = settings.integer(SampleParameters.TOP_P);
    if (topP != 0) {
      candidates = candidates.subList(0, reaching(candidates, topP));
    }
    long minWeight = settings.pair(SampleParameters.MIN_WEIGHT);
    List<Candidate> kept =
        candidates.stream()
            .filter(candidate -> candidate.weight() >= minWeight)
            .sorted(Comparator.comparingInt(Candidate::id))
            .toList();
    return draw(kept, settings.pair(SampleParameters.RANDOM));
  }

  /** All that have a chance, by falling logit, then rising id. */
  private static List<Candidate> candidates(float[] x, float scale) {
    float most = Float.NEGATIVE_INFINITY;
    for (float logit : x) {
      most = logit > most ? logit : most;
    }
    List<Candidate> candidates = new ArrayList<>();
    for (int id = 0; id < x.length; id++) {
      if (x[id] > Float.NEGATIVE_INFINITY) {
        // Adding 0 makes both zeros equal for the comparison, too.
        candidates.add(new Candidate(id, x[id] + 0f, weight(x[id], most, scale)));
      }
    }
    candidates.sort(
        Comparator.comparingDouble(Candidate::logit).reversed().thenComparingInt(Candidate::id));
    return candidates;
  }

  private static long weight(float logit, float most, float scale) {
    float y = logit == most ? 0 : (logit - most) * scale;
    if (y < -42) {
      return 0;
    }
    float n = (float) Math.rint(y);
    float f = y - n;
    float p = Sample.EXP2.getFirst();
    for (int i = 1; i < Sample.EXP2.size(); i++) {
      p = p * f + Sample.EXP2.get(i);
    }
    return (long) (p * 0x1p30f) << 10 >> (int) -n;
  }

  /** How many of the first reach the share {@code topP · 2⁻³²} of all. */
  private static int reaching(List<Candidate> candidates, int topP) {
    long total = sum(candidates);
    long target = Math.unsignedMultiplyHigh(total, (long) topP << 32);
    long sum = candidates.getFirst().weight();
    int count = 1;
    while (sum < target) {
      sum += candidates.get(count++).weight();
    }
    return count;
  }

  private static int draw(List<Candidate> candidates, long random) {
    long target = Math.unsignedMultiplyHigh(sum(candidates), random);
    int index = 0;
    while (target >= candidates.get(index).weight()) {
      target -= candidates.get(index++).weight();
    }
    return candidates.get(index).id();
  }

  private static long sum(List<Candidate> candidates) {
    return candidates.stream().mapToLong(Candidate::weight).sum();
  }
}
