package dev.kancil.family;

/**
 * An encoder of images: its rows are one that stands for the image, with token id 0, and then
 * patches, with token id 1, whose pixels are its features.
 */
public record ImageEncoder(Encoder encoder, ImageGrid grid) implements Transformer {}
