package dev.kancil.backend.cpu;

import dev.kancil.backend.Batch;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.host.HostStep;
import dev.kancil.graph.op.Attention;

/**
 * How a step's attention becomes chunks of work: rows of sequences in tiles, of each the KV heads
 * and runs of its context that one chunk takes.
 *
 * <p>Few queries wait for memory, so one chunk walks over all KV heads of a page, which lie beside
 * each other; of many each head is a chunk. Contexts are divided where there would be too few
 * chunks for all threads. Neither changes a result, see {@link AttentionPart#RUN_PAGES}.
 */
final class AttentionPlan {
  /** Queries, that is rows × query heads of a KV head, that share the keys which are read. */
  private static final int TILE_QUERIES = 32;

  private static final int FEW_QUERIES = 8;
  private static final int PARTS_PER_THREAD = 4;
  // 64 heads of 128 values and 200,000 tokens. Memory that nobody uses is not committed.
  private static final long MOST_STATES_BYTES = 32L << 20;

  private final Attention op;
  private final PagedAttention attention;
  private final int threads;
  private final int group;
  private final int rowsPerTile;
  private final AttentionPart tile = new AttentionPart();
  private int tiles;
  private int divided;
  private final int[] sequence;
  private final int[] row;
  private final int[] runs;
  // What a chunk takes at most.
  private final int[] chunkHeads;
  private final int[] chunkRuns;
  private final int[] firstChunk;
  private final long[] states;
  private final int[] dividedTile;

  AttentionPlan(Attention op, PagedAttention attention, StepLimits limits, int threads) {
    this.op = op;
    this.attention = attention;
    this.threads = threads;
    group = op.heads() / op.kvHeads();
    rowsPerTile = rowsPerTile(op);
    int most = limits.tokens();
    sequence = new int[most];
    row = new int[most];
    runs = new int[most];
    chunkHeads = new int[most];
    chunkRuns = new int[most];
    firstChunk = new int[most + 1];
    states = new long[most];
    dividedTile = new int[most];
  }

  static int rowsPerTile(Attention op) {
    return Math.max(1, TILE_QUERIES / (op.heads() / op.kvHeads()));
  }

  /** Bytes of the states of all divided contexts of a step. */
  static long mostStatesBytes() {
    return MOST_STATES_BYTES;
  }

  /** The most queries of one chunk, all its KV heads together. */
  static int mostQueries(Attention op) {
    int ofHead = op.heads() / op.kvHeads();
    return Math.max(rowsPerTile(op) * ofHead, op.kvHeads() * Math.max(ofHead, FEW_QUERIES));
  }

  void fill(HostStep step) {
    Batch batch = step.batch();
    tiles = 0;
    long work = 0;
    // Late tiles see most keys, so they go first and the short ones fill the gaps at the end.
    for (int i = batch.sequenceCount() - 1; i >= 0; i--) {
      int rows = batch.endRow(i) - batch.firstRow(i);
      for (int at = (rows - 1) / rowsPerTile * rowsPerTile; at >= 0; at -= rowsPerTile) {
        sequence[tiles] = i;
        row[tiles] = batch.firstRow(i) + at;
        setTile(step, tiles);
        runs[tiles] = tile.runs();
        work += (long) Math.max(1, tile.runs()) * op.kvHeads();
        tiles++;
      }
    }
    divide(step, work);
  }

  private void divide(HostStep step, long work) {
    boolean all = threads == 1 || !attention.divides();
    long most = all ? Integer.MAX_VALUE : Math.ceilDiv(work, (long) threads * PARTS_PER_THREAD);
    long bytes = 0;
    divided = 0;
    for (int i = 0; i < tiles; i++) {
      int rows = rows(step, i);
      boolean isFew = rows == 1 || rows * group <= FEW_QUERIES;
      chunkHeads[i] = isFew && attention.divides() ? Math.clamp(most, 1, op.kvHeads()) : 1;
      chunkRuns[i] = Math.clamp(most / chunkHeads[i], 1, Math.max(1, runs[i]));
      states[i] = -1;
      if (chunkRuns[i] < runs[i]) {
        long needed = attention.stateBytes(rows) * op.kvHeads() * runs[i];
        if (needed <= MOST_STATES_BYTES - bytes) {
          states[i] = bytes;
          bytes += needed;
          dividedTile[divided++] = i;
        } else {
          chunkRuns[i] = runs[i];
        }
      }
      firstChunk[i + 1] = Math.addExact(firstChunk[i], runParts(i) * headParts(i));
    }
  }

  private int rows(HostStep step, int number) {
    return Math.min(rowsPerTile, step.batch().endRow(sequence[number]) - row[number]);
  }

  private int headParts(int number) {
    return Math.ceilDiv(op.kvHeads(), chunkHeads[number]);
  }

  private int runParts(int number) {
    return Math.ceilDiv(Math.max(1, runs[number]), chunkRuns[number]);
  }

  private void setTile(HostStep step, int number) {
    tile.set(step, op, sequence[number], row[number], rows(step, number));
  }

  int chunks() {
    return firstChunk[tiles];
  }

  /** Sets what a chunk attends. */
  void setPart(HostStep step, int chunk, AttentionPart part) {
    int number = 0;
    while (firstChunk[number + 1] <= chunk) {
      number++;
    }
    part.set(step, op, sequence[number], row[number], rows(step, number));
    part.states = states[number];
    part.stateOfRun = part.firstRun;
    int index = chunk - firstChunk[number];
    part.kvHead = index % headParts(number) * chunkHeads[number];
    part.heads = Math.min(chunkHeads[number], op.kvHeads() - part.kvHead);
    part.firstRun += index / headParts(number) * chunkRuns[number];
    part.endRun = Math.min(part.endRun, part.firstRun + chunkRuns[number]);
  }

  /** Tiles whose contexts are divided. */
  int divided() {
    return divided;
  }

  /** Sets one KV head of a divided tile. */
  void setDivided(HostStep step, int index, int kvHead, AttentionPart part) {
    int number = dividedTile[index];
    part.set(step, op, sequence[number], row[number], rows(step, number));
    part.states = states[number];
    part.stateOfRun = part.firstRun;
    part.kvHead = kvHead;
    part.heads = 1;
  }
}
