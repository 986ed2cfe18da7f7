package dev.kancil.backend;

import dev.kancil.InvalidRequestException;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.MemoryPlan;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The rows of a step: some tokens of some sequences. A sequence's rows lie together and continue
 * where it ends, so that prefill, decode and mixtures of both are one thing. Reused from step to
 * step without allocating.
 */
public final class Batch {
  private final int[] tokens;
  private final int[] positions;
  private final int[] adapters;
  private final int[] sequences;
  private final int[] sources;
  private final int[] sequenceStarts;
  private final int[] outputRows;
  private final int[] parameters;
  private final int mostChanges;
  // Grows to what the largest step so far has brought.
  private int[] changes;
  private int changeCount;
  private int rows;
  private int sequenceCount;
  private int outputs;
  private int nextPosition;
  private int mostFed;
  private int adapter;
  private boolean hasAdapters;

  /** A batch that can hold as much as {@code limits} say. */
  public Batch(StepLimits limits) {
    tokens = new int[limits.tokens()];
    positions = new int[limits.tokens()];
    adapters = new int[limits.tokens()];
    sequences = new int[limits.sequences()];
    sources = new int[limits.sequences()];
    sequenceStarts = new int[limits.sequences() + 1];
    outputRows = new int[limits.outputs()];
    parameters = new int[Math.multiplyExact(limits.outputs(), SampleParameters.COLUMNS)];
    mostChanges = limits.changes();
    changes = new int[Sample.CHANGE_COLUMNS * Math.min(mostChanges, 64)];
  }

  /** Empties the batch. */
  public void clear() {
    rows = 0;
    sequenceCount = 0;
    outputs = 0;
    changeCount = 0;
    mostFed = 0;
    hasAdapters = false;
    Arrays.fill(sequenceStarts, 0);
  }

  /** Begins the rows of a sequence, whose first has this position. */
  public void sequence(int sequence, int firstPosition) {
    if (sequenceCount == sequences.length) {
      throw new IllegalStateException("no room for another sequence");
    }
    sources[sequenceCount] = sequence;
    sequences[sequenceCount++] = sequence;
    sequenceStarts[sequenceCount] = rows;
    nextPosition = firstPosition;
    adapter = 0;
  }

  /**
   * Says which adapter the rows of the sequence begun last have, before they are added; none,
   * unless this is called.
   *
   * @param number counted from 1; 0: none
   * @see dev.kancil.graph.RowAdapters
   */
  public void usesAdapter(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("adapter " + number);
    }
    adapter = number;
  }

  /**
   * Says whose keys and values attention to a source sees in the sequence begun last; its own,
   * unless this is called.
   *
   * @see dev.kancil.graph.StateGroup#isOfSource
   */
  public void readsFrom(int sequence) {
    if (sequenceCount == 0) {
      throw new IllegalStateException("no sequence begun");
    }
    sources[sequenceCount - 1] = sequence;
  }

  /**
   * Adds the next token of the sequence begun last.
   *
   * @param output whether outputs are asked for this row; the token that follows it is the
   *     likeliest, unless {@link #sample} says otherwise
   */
  public void token(int token, boolean output) {
    if (sequenceCount == 0 || rows == tokens.length) {
      throw new IllegalStateException(sequenceCount == 0 ? "no sequence begun" : "no room");
    }
    if (output) {
      outputRows[outputs++] = rows;
      sample(0, 0, 1, 0, 1, 0);
    }
    tokens[rows] = token;
    adapters[rows] = adapter;
    hasAdapters |= adapter > 0;
    positions[rows++] = nextPosition++;
    sequenceStarts[sequenceCount] = rows;
  }

  /**
   * Adds as the next token of the sequence begun last the one that the program's step before
   * chooses, which nobody needs to know yet.
   *
   * @param chosen index of an output of that step; where it finds no token to choose, any is taken
   * @param output as of {@link #token}
   * @see Program#feedsTokens
   */
  public void chosenToken(int chosen, boolean output) {
    if (chosen < 0) {
      throw new IllegalArgumentException("output " + chosen);
    }
    token(-1 - chosen, output);
    mostFed = Math.max(mostFed, chosen + 1);
  }

  /**
   * Says how the token is chosen that follows the output row added last.
   *
   * @param temperature 0 to 100; 0: always the likeliest
   * @param topK 0 or more; 0: all
   * @param topP above 0, at most 1; 1: all
   * @param minP 0 to 1; 0: all
   * @param repetitionPenalty above 0; 1: none
   * @param random bits of which each is 0 or 1 as likely as not
   * @see Sample
   */
  public void sample(
      float temperature, int topK, float topP, float minP, float repetitionPenalty, long random) {
    int at = lastOutput();
    SampleParameters.encode(
        temperature, topK, topP, minP, repetitionPenalty, random, parameters, at);
    parameters[at + SampleParameters.CHANGES_END] = changeCount;
  }

  /**
   * Changes a logit of the output row added last.
   *
   * @param id larger than that of the row's change before
   * @param isSeen whether the repetition penalty applies
   * @param bias added to the logit first; may be minus infinity
   * @param penalty subtracted from the logit at last, if {@code isSeen}
   */
  public void change(int id, boolean isSeen, float bias, float penalty) {
    int end = lastOutput() + SampleParameters.CHANGES_END;
    if (changeCount == mostChanges) {
      throw new IllegalStateException("no room for more than " + mostChanges + " changed logits");
    }
    int at = changeCount * Sample.CHANGE_COLUMNS;
    boolean isFirst = changeCount == firstChange(outputs - 1);
    if (id < 0 || (!isFirst && id <= changes[at - Sample.CHANGE_COLUMNS + Sample.CHANGED_ID])) {
      throw new IllegalArgumentException("changed ids must rise, but there comes " + id);
    }
    if (at == changes.length) {
      changes = Arrays.copyOf(changes, 2 * at);
    }
    changes[at + Sample.CHANGED_ID] = id;
    changes[at + Sample.CHANGED_SEEN] = isSeen ? 1 : 0;
    changes[at + Sample.CHANGED_BIAS] = Float.floatToRawIntBits(bias);
    changes[at + Sample.CHANGED_PENALTY] = Float.floatToRawIntBits(penalty);
    parameters[end] = ++changeCount;
  }

  private int lastOutput() {
    if (outputs == 0) {
      throw new IllegalStateException("no output row to choose a token for");
    }
    return (outputs - 1) * SampleParameters.COLUMNS;
  }

  private int firstChange(int output) {
    return output == 0
        ? 0
        : parameters[(output - 1) * SampleParameters.COLUMNS + SampleParameters.CHANGES_END];
  }

  /** Takes the rows of {@code other}, which must fit, and asks for no outputs. */
  public void copyRowsFrom(Batch other) {
    copyRows(other);
    outputs = 0;
    changeCount = 0;
  }

  private void copyRows(Batch other) {
    System.arraycopy(other.tokens, 0, tokens, 0, other.rows);
    System.arraycopy(other.positions, 0, positions, 0, other.rows);
    System.arraycopy(other.adapters, 0, adapters, 0, other.rows);
    System.arraycopy(other.sequences, 0, sequences, 0, other.sequenceCount);
    System.arraycopy(other.sources, 0, sources, 0, other.sequenceCount);
    System.arraycopy(other.sequenceStarts, 0, sequenceStarts, 0, other.sequenceCount + 1);
    rows = other.rows;
    mostFed = other.mostFed;
    hasAdapters = other.hasAdapters;
    sequenceCount = other.sequenceCount;
  }

  /** Makes this batch equal to {@code other}, which must fit. */
  public void copyFrom(Batch other) {
    copyRows(other);
    System.arraycopy(other.outputRows, 0, outputRows, 0, other.outputs);
    System.arraycopy(other.parameters, 0, parameters, 0, other.outputs * SampleParameters.COLUMNS);
    if (changes.length < other.changeCount * Sample.CHANGE_COLUMNS) {
      changes = new int[other.changes.length];
    }
    System.arraycopy(other.changes, 0, changes, 0, other.changeCount * Sample.CHANGE_COLUMNS);
    changeCount = other.changeCount;
    outputs = other.outputs;
  }

  /** Rows so far. */
  public int rows() {
    return rows;
  }

  /** Room that is left for rows. */
  public int freeRows() {
    return tokens.length - rows;
  }

  /** Rows for which outputs are asked. */
  public int outputs() {
    return outputs;
  }

  /** Changes of single logits that the output rows bring together. */
  public int changes() {
    return changeCount;
  }

  /** Rows of a value in a step of this batch. */
  public int rows(Dimension dimension) {
    return dimension == Dimension.Symbolic.CHANGES
        ? changeCount
        : MemoryPlan.rows(dimension, rows, outputs);
  }

  /** Sequences that have rows here. */
  public int sequenceCount() {
    return sequenceCount;
  }

  /** A row's token; {@code -1 - i} for the one that the step before chooses for its output i. */
  public int token(int row) {
    return tokens[row];
  }

  /** Whether some token is one that the step before chooses. */
  public boolean isFed() {
    return mostFed > 0;
  }

  public int position(int row) {
    return positions[row];
  }

  /** Which adapter a row has; 0: none. */
  public int adapter(int row) {
    return adapters[row];
  }

  /** Whether some row has an adapter. */
  public boolean hasAdapters() {
    return hasAdapters;
  }

  /** The id of the {@code index}-th sequence of this batch. */
  public int sequence(int index) {
    return sequences[index];
  }

  /** The id of the sequence that the {@code index}-th of this batch has as its source. */
  public int source(int index) {
    return sources[index];
  }

  /** The first row of the {@code index}-th sequence. */
  public int firstRow(int index) {
    return sequenceStarts[index];
  }

  /** The row after the last of the {@code index}-th sequence. */
  public int endRow(int index) {
    return sequenceStarts[index + 1];
  }

  /** The row that the {@code index}-th output row belongs to. */
  public int outputRow(int index) {
    return outputRows[index];
  }

  /** Copies the input {@link dev.kancil.graph.Graph#SAMPLING}. */
  public void copySampling(MemorySegment target, long offset) {
    MemorySegment.copy(
        parameters, 0, target, ValueLayout.JAVA_INT, offset, outputs * SampleParameters.COLUMNS);
  }

  /** Copies the input {@link dev.kancil.graph.Graph#CHANGES}. */
  public void copyChanges(MemorySegment target) {
    MemorySegment.copy(
        changes, 0, target, ValueLayout.JAVA_INT, 0, changeCount * Sample.CHANGE_COLUMNS);
  }

  /**
   * Checks the rows before a step is made of them.
   *
   * @param vocabulary how many token ids there are
   * @param sampled columns of the logits from which tokens are sampled; 0 if none are
   * @param chosen how many tokens the step before chooses that may be among these rows
   * @throws InvalidRequestException if there are none or too many, or an id is out of range
   */
  public void requireWithin(StepLimits limits, int vocabulary, int sampled, int chosen) {
    if (rows < 1
        || rows > limits.tokens()
        || outputs > limits.outputs()
        || sequenceCount > limits.sequences()
        || changeCount > limits.changes()) {
      throw new InvalidRequestException(
          "a step of "
              + rows
              + " rows, "
              + outputs
              + " outputs and "
              + changeCount
              + " changed logits, of "
              + limits);
    }
    for (int i = 0; i < changeCount; i++) {
      int id = changes[i * Sample.CHANGE_COLUMNS + Sample.CHANGED_ID];
      if (id >= sampled) {
        throw new InvalidRequestException("there is no logit of token id " + id + " to change");
      }
    }
    if (mostFed > chosen) {
      throw new InvalidRequestException(
          "token " + mostFed + " that a step chooses, where the one before chooses " + chosen);
    }
    for (int row = 0; row < rows; row++) {
      if (tokens[row] < -mostFed || tokens[row] >= vocabulary) {
        throw new InvalidRequestException(
            "token id " + tokens[row] + " is not in the vocabulary of " + vocabulary);
      }
    }
  }
}
