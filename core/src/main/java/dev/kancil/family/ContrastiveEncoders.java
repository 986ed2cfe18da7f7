package dev.kancil.family;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * An encoder of texts and one of images, whose projections are compared (Radford et al. 2021); or
 * that of texts alone.
 *
 * @param text what reads texts
 * @param end the id whose first row stands for a text; empty: the first row of the largest id does
 * @param images what sees images
 */
public record ContrastiveEncoders(Encoder text, OptionalInt end, Optional<Images> images)
    implements Transformer {
  /** The output of projected texts. */
  public static final String TEXT_EMBEDDINGS = "text_embeds";

  /** The output of projected images. */
  public static final String IMAGE_EMBEDDINGS = "image_embeds";

  /**
   * The encoder of images.
   *
   * @param names where its weights are
   */
  public record Images(ImageEncoder encoder, WeightNames names) {}
}
