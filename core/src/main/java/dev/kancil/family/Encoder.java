package dev.kancil.family;

import java.util.List;
import java.util.OptionalInt;

/**
 * A transformer that turns each row into one that knows of all rows of its sequence, as its family
 * declares it.
 *
 * @param embeddings from ids to rows
 * @param blocks in order
 * @param finalNorm of the last block's rows
 * @param padding the id that has no position: where there is one, positions count the other tokens,
 *     from the number behind it on
 * @param rowHeads what is computed of each row
 * @param pooling which row, or what of all rows, stands for the sequence
 * @param pooledHeads what is computed of that
 */
public record Encoder(
    Embeddings embeddings,
    List<Block> blocks,
    Norm finalNorm,
    OptionalInt padding,
    List<Head> rowHeads,
    Pooling pooling,
    List<Head> pooledHeads)
    implements Transformer {
  /** The output of the rows themselves. */
  public static final String ROWS = "last_hidden_state";

  /** The output that says how well an answer begins at a row: a number for each. */
  public static final String START_LOGITS = "start_logits";

  /** The output that says how well an answer ends at a row: a number for each. */
  public static final String END_LOGITS = "end_logits";

  public Encoder {
    blocks = List.copyOf(blocks);
    rowHeads = List.copyOf(rowHeads);
    pooledHeads = List.copyOf(pooledHeads);
  }

  /** How many tokens a sequence can have, of a model that was made for so many positions. */
  int positions(int contextLength) {
    return padding.isPresent() ? contextLength - padding.getAsInt() - 1 : contextLength;
  }

  /** Rows alone. */
  public static Encoder of(Embeddings embeddings, List<Block> blocks, Norm finalNorm) {
    return new Encoder(
        embeddings, blocks, finalNorm, OptionalInt.empty(), List.of(), Pooling.MEAN, List.of());
  }

  /** The same where an id has no position. */
  public Encoder withPadding(int id) {
    return new Encoder(
        embeddings, blocks, finalNorm, OptionalInt.of(id), rowHeads, pooling, pooledHeads);
  }

  /** The same with heads of each row. */
  public Encoder withRowHeads(List<Head> heads) {
    return new Encoder(embeddings, blocks, finalNorm, padding, heads, pooling, pooledHeads);
  }

  /** The same with heads of what stands for the sequence. */
  public Encoder withPooledHeads(Pooling newPooling, List<Head> heads) {
    return new Encoder(embeddings, blocks, finalNorm, padding, rowHeads, newPooling, heads);
  }
}
