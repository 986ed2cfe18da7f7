package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Decodes ids as they come. A character whose bytes are spread over several tokens is held back
 * until it is whole; all that was returned, joined, is what decoding the ids at once gives. Used by
 * one thread at a time.
 */
public final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private byte[] held = new byte[0];
  private boolean atStart;

  StreamingDecoder(Tokenizer tokenizer, boolean removeFirstSpace) {
    this.tokenizer = tokenizer;
    this.atStart = removeFirstSpace;
  }

  /**
   * The text that can be shown now that one more token is there; often empty.
   *
   * @throws dev.kancil.InvalidRequestException if the id is not in the vocabulary
   */
  public String next(int id) {
    byte[] more = tokenizer.visibleBytes(id);
    int skipped = atStart && more.length > 0 && more[0] == ' ' ? 1 : 0;
    atStart = atStart && more.length == 0;
    byte[] bytes = Arrays.copyOf(held, held.length + more.length - skipped);
    System.arraycopy(more, skipped, bytes, held.length, more.length - skipped);
    int complete = Utf8.completeLength(bytes, bytes.length);
    held = Arrays.copyOfRange(bytes, complete, bytes.length);
    return new String(bytes, 0, complete, StandardCharsets.UTF_8);
  }

  /** What is held back when no more tokens come: U+FFFD for a character that stays incomplete. */
  public String flush() {
    String rest = new String(held, StandardCharsets.UTF_8);
    held = new byte[0];
    return rest;
  }
}
