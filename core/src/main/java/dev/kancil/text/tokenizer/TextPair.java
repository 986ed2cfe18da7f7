package dev.kancil.text.tokenizer;

/**
 * Two texts that belong together.
 *
 * @param ids all of them, with the tokens that the model wants before, between and after
 * @param second where the second text begins
 */
public record TextPair(int[] ids, int second) {}
