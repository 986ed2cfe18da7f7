package dev.kancil.engine;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.graph.Graph;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A step from its forming to its landing: which runs have rows in it, and which get a token. Reused
 * from step to step.
 */
final class Flight {
  private final List<Run> runs = new ArrayList<>();
  private final List<Run> sampled = new ArrayList<>();
  private final int[] starts;
  private @Nullable Step step;
  private @Nullable Program program;

  /** Room for a step of so many sequences. */
  Flight(int sequences) {
    starts = new int[sequences];
  }

  /** Empties it; its step must have landed. */
  void clear() {
    runs.clear();
    sampled.clear();
  }

  /**
   * Adds a run.
   *
   * @param start position of its first row
   * @param isSampled whether it gets a token
   */
  void add(Run run, int start, boolean isSampled) {
    starts[runs.size()] = start;
    runs.add(run);
    if (isSampled) {
      sampled.add(run);
    }
  }

  /** Those that have rows. */
  List<Run> runs() {
    return runs;
  }

  /** Position of the first row of {@code runs().get(index)}. */
  int start(int index) {
    return starts[index];
  }

  /** Those that get a token, in the order of the step's outputs. */
  List<Run> sampled() {
    return sampled;
  }

  /** Enqueues it. */
  void start(Program newProgram, Batch batch, SequenceState state) {
    step = newProgram.enqueue(batch, state);
    program = newProgram;
  }

  /** What it was enqueued on last. */
  Program program() {
    return Objects.requireNonNull(program);
  }

  boolean isOpen() {
    return step != null;
  }

  /** Waits for the tokens of the sampled runs; -1 where there was none to choose. */
  int[] tokens() {
    if (step == null) {
      throw new IllegalStateException("no step was enqueued");
    }
    MemorySegment tokens = step.output(Graph.SAMPLED);
    return tokens.asSlice(0, 4L * sampled.size()).toArray(ValueLayout.JAVA_INT);
  }

  /** Waits for the step, if there is one, whatever becomes of it. */
  void land() {
    if (step != null) {
      step.close();
      step = null;
    }
  }
}
