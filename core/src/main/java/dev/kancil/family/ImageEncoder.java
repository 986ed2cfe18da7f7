package dev.kancil.family;

/**
 * An encoder of images: its rows are one that stands for the image, with token id 0, and then
 * patches, with token id 1, whose pixels are its features. Some have a token id 2 for patches that
 * are not seen, without features.
 */
public record ImageEncoder(Encoder encoder, ImageGrid grid) implements Transformer {
  /**
   * The output of rows that guess a square of pixels for each patch: of each channel its rows, one
   * after the other. The first row, which stands for the image, means nothing.
   */
  public static final String RECONSTRUCTION = "reconstruction";

  /** The token id of patches that are not seen. */
  public static final int HIDDEN = 2;
}
