package dev.kancil.family;

import java.util.List;

/**
 * A decoder-only transformer, as its family declares it.
 *
 * @param embeddings from ids to rows
 * @param blocks in order
 * @param finalNorm before the output head
 * @param head from rows to logits
 */
public record Decoder(Embeddings embeddings, List<Block> blocks, Norm finalNorm, Head head)
    implements Transformer {
  public Decoder {
    blocks = List.copyOf(blocks);
  }

  /**
   * From rows to logits.
   *
   * @param isTied whether its matrix is the token embedding, whatever else there is; otherwise that
   *     is so only where the checkpoint brings none
   * @param hasBias whether logits have a bias
   * @param scale what logits are multiplied by
   * @param cap bound of the logits ({@link dev.kancil.graph.op.SoftCap}); 0: none
   */
  public record Head(boolean isTied, boolean hasBias, float scale, float cap) {
    /** A product alone. */
    public static Head of(boolean isTied) {
      return new Head(isTied, false, 1, 0);
    }
  }
}
