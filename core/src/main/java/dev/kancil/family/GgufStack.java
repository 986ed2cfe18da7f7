package dev.kancil.family;

import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Optional;

/**
 * A stack of blocks as one format's settings declare it, to be compared with what the other's do.
 *
 * @param name what errors call it
 * @param names where its weights are
 * @param head from rows to logits, of decoders
 */
record GgufStack(
    String name,
    WeightNames names,
    Embeddings embeddings,
    List<Block> blocks,
    Norm finalNorm,
    Optional<Decoder.Head> head) {
  /**
   * What a transformer is made of; nothing where GGUF has no such.
   *
   * @param names where its weights are, or those of its decoder
   */
  static List<GgufStack> of(Transformer declared, WeightNames names) {
    return switch (declared) {
      case Decoder decoder -> List.of(of(decoder, "", names));
      case Encoder encoder -> List.of(of(encoder, "", names));
      case EncoderDecoder both ->
          List.of(
              of(both.encoder(), "encoder's ", both.encoderNames()),
              of(both.decoder(), "decoder's ", names));
      default -> List.of();
    };
  }

  private static GgufStack of(Decoder decoder, String name, WeightNames names) {
    return new GgufStack(
        name,
        names,
        decoder.embeddings(),
        decoder.blocks(),
        decoder.finalNorm(),
        Optional.of(decoder.head()));
  }

  private static GgufStack of(Encoder encoder, String name, WeightNames names) {
    return new GgufStack(
        name, names, encoder.embeddings(), encoder.blocks(), encoder.finalNorm(), Optional.empty());
  }

  /** What of it another does not say; empty if it says all. */
  Optional<String> missingIn(GgufStack other) {
    if (!embeddings.equals(other.embeddings)) {
      return Optional.of("how it embeds tokens");
    }
    for (int layer = 0; layer < blocks.size(); layer++) {
      Block from = blocks.get(layer);
      Block to = other.blocks.get(layer);
      if (!comparable(from, to).equals(comparable(to, from))) {
        return Optional.of("all of its " + name + "layer " + layer);
      }
    }
    // Whether its matrix is the embedding, tensors tell.
    boolean isOfOneHead =
        head.map(from -> new Decoder.Head(false, from.hasBias(), from.scale(), from.cap()))
            .equals(
                other.head.map(to -> new Decoder.Head(false, to.hasBias(), to.scale(), to.cap())));
    return finalNorm.equals(other.finalNorm) && isOfOneHead
        ? Optional.empty()
        : Optional.of("how it comes to logits");
  }

  /** A block without what differs although the model is the same. */
  private static Block comparable(Block block, Block other) {
    if (block.attention() instanceof LatentAttention latent) {
      Rotation rotation = latent.rotation();
      return block.withAttention(
          latent.with(
              new Rotation(rounded(rotation.embedding()), rotation.factors()),
              // A product of logarithms in one of the formats.
              (float) (Math.rint(latent.scale() * 1e6) / 1e6)));
    }
    if (!(block.attention() instanceof AttentionLayer attention)
        || !(other.attention() instanceof AttentionLayer otherAttention)
        || attention.rotation().isEmpty()
        || otherAttention.rotation().isEmpty()) {
      return block;
    }
    Rotation rotation = attention.rotation().get();
    boolean isStored =
        rotation.factors().isEmpty() || otherAttention.rotation().get().factors().isEmpty();
    return block.withAttention(
        attention.with(
            new Rotation(
                rounded(rotation.embedding()), isStored ? List.of() : rotation.factors())));
  }

  /** In one pairing, and with numbers as exact as files have them. */
  private static RotaryEmbedding rounded(RotaryEmbedding embedding) {
    return new RotaryEmbedding(
        Pairing.HALVES,
        embedding.headWidth(),
        embedding.rotaryWidth(),
        (float) embedding.base(),
        (float) embedding.positionScale(),
        // A product of two numbers in one of the formats.
        Math.rint(embedding.magnitude() * 1e6) / 1e6);
  }
}
