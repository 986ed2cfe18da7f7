package dev.kancil.backend.cpu;

import dev.kancil.backend.Batch;
import dev.kancil.backend.host.HostStep;
import dev.kancil.graph.op.Attention;

/**
 * Some rows of a sequence, some KV heads, and the part of the context that one chunk of work
 * attends them to. Filled anew for each chunk, since a step allocates nothing.
 */
final class AttentionPart {
  /**
   * Pages of a run. Sums of values are added up run by run, wherever a row's context begins and
   * whoever attends it, so that results do not depend on how a context is divided.
   */
  static final int RUN_PAGES = 8;

  static final int RUN = RUN_PAGES * Pages.TOKENS;

  int sequence;
  int row;
  int rows;
  int kvHead;
  int heads;

  /** Positions of the first and last key that any row of the tile sees. */
  int first;

  int last;

  /** Runs of the context that are attended, those of the whole context unless it is divided. */
  int firstRun;

  int endRun;

  /**
   * Where the tile's states lie among those of divided contexts: of each run, from {@link
   * #stateOfRun} on, those of all KV heads. Negative if the context isn't divided.
   */
  long states;

  int stateOfRun;

  /** Takes rows of a sequence, all KV heads and the whole context. */
  void set(HostStep step, Attention op, int newSequence, int newRow, int newRows) {
    Batch batch = step.batch();
    sequence = newSequence;
    row = newRow;
    rows = newRows;
    kvHead = 0;
    heads = op.kvHeads();
    int from = batch.position(row);
    int to = batch.position(row + rows - 1);
    int length = step.length(op.slot(), sequence);
    first = Math.clamp(op.mask().firstKey(from, to), 0, length);
    last = Math.clamp(op.mask().lastKey(from, to), -1, length - 1);
    firstRun = first / RUN;
    endRun = first <= last ? last / RUN + 1 : firstRun;
    states = -1;
  }

  int runs() {
    return endRun - firstRun;
  }

  boolean isDivided() {
    return states >= 0;
  }
}
