package dev.kancil.family;

import java.util.List;

/**
 * A decoder-only transformer, as its family declares it. The output head is the token embedding
 * unless the checkpoint brings one.
 *
 * @param width columns of the residual stream
 * @param embeddingScale what token embeddings are multiplied by
 * @param blocks in order
 * @param finalNorm before the output head
 * @param logitCap bound of the logits ({@link dev.kancil.graph.op.SoftCap}); 0: none
 */
public record Decoder(
    int width, float embeddingScale, List<Block> blocks, Norm finalNorm, float logitCap) {
  public Decoder {
    blocks = List.copyOf(blocks);
  }
}
