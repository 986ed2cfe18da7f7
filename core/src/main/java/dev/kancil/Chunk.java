package dev.kancil;

/**
 * A piece of a generation.
 *
 * @param token the id that was chosen
 * @param text what it adds to the text, never half a character; may be empty, since characters and
 *     possible stop strings are held back until they are whole
 */
public record Chunk(int token, String text) {}
