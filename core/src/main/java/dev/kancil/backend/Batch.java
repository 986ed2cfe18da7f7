package dev.kancil.backend;

import dev.kancil.InvalidRequestException;
import java.util.Arrays;

/**
 * The rows of a step: some tokens of some sequences. A sequence's rows lie together and continue
 * where it ends, so that prefill, decode and mixtures of both are one thing. Reused from step to
 * step without allocating.
 */
public final class Batch {
  private final int[] tokens;
  private final int[] positions;
  private final int[] sequences;
  private final int[] sequenceStarts;
  private final int[] outputRows;
  private int rows;
  private int sequenceCount;
  private int outputs;
  private int nextPosition;

  /** A batch that can hold as much as {@code limits} say. */
  public Batch(StepLimits limits) {
    tokens = new int[limits.tokens()];
    positions = new int[limits.tokens()];
    sequences = new int[limits.sequences()];
    sequenceStarts = new int[limits.sequences() + 1];
    outputRows = new int[limits.outputs()];
  }

  /** Empties the batch. */
  public void clear() {
    rows = 0;
    sequenceCount = 0;
    outputs = 0;
    Arrays.fill(sequenceStarts, 0);
  }

  /** Begins the rows of a sequence, whose first has this position. */
  public void sequence(int sequence, int firstPosition) {
    if (sequenceCount == sequences.length) {
      throw new IllegalStateException("no room for another sequence");
    }
    sequences[sequenceCount++] = sequence;
    sequenceStarts[sequenceCount] = rows;
    nextPosition = firstPosition;
  }

  /**
   * Adds the next token of the sequence begun last.
   *
   * @param output whether outputs are asked for this row
   */
  public void token(int token, boolean output) {
    if (sequenceCount == 0 || rows == tokens.length) {
      throw new IllegalStateException(sequenceCount == 0 ? "no sequence begun" : "no room");
    }
    if (output) {
      outputRows[outputs++] = rows;
    }
    tokens[rows] = token;
    positions[rows++] = nextPosition++;
    sequenceStarts[sequenceCount] = rows;
  }

  /** Makes this batch equal to {@code other}, which must fit. */
  public void copyFrom(Batch other) {
    System.arraycopy(other.tokens, 0, tokens, 0, other.rows);
    System.arraycopy(other.positions, 0, positions, 0, other.rows);
    System.arraycopy(other.sequences, 0, sequences, 0, other.sequenceCount);
    System.arraycopy(other.sequenceStarts, 0, sequenceStarts, 0, other.sequenceCount + 1);
    System.arraycopy(other.outputRows, 0, outputRows, 0, other.outputs);
    rows = other.rows;
    sequenceCount = other.sequenceCount;
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

  /** Sequences that have rows here. */
  public int sequenceCount() {
    return sequenceCount;
  }

  public int token(int row) {
    return tokens[row];
  }

  public int position(int row) {
    return positions[row];
  }

  /** The id of the {@code index}-th sequence of this batch. */
  public int sequence(int index) {
    return sequences[index];
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

  /**
   * Checks the rows before a step is made of them.
   *
   * @param vocabulary how many token ids there are
   * @throws InvalidRequestException if there are none or too many, or an id is out of range
   */
  public void requireWithin(StepLimits limits, int vocabulary) {
    if (rows < 1
        || rows > limits.tokens()
        || outputs > limits.outputs()
        || sequenceCount > limits.sequences()) {
      throw new InvalidRequestException(
          "a step of " + rows + " rows and " + outputs + " outputs, of " + limits);
    }
    for (int row = 0; row < rows; row++) {
      if (tokens[row] < 0 || tokens[row] >= vocabulary) {
        throw new InvalidRequestException(
            "token id " + tokens[row] + " is not in the vocabulary of " + vocabulary);
      }
    }
  }
}
