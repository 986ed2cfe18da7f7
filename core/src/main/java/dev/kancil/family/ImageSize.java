package dev.kancil.family;

/**
 * How large images are.
 *
 * @param height in pixels
 * @param width in pixels
 */
public record ImageSize(int height, int width) {}
