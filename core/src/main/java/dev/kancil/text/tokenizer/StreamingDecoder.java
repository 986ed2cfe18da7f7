package dev.kancil.text.tokenizer;

/**
 * Decodes ids as they come. A character whose bytes are spread over several tokens is held back
 * until it is whole; all that was returned, joined, is what decoding the ids at once gives. Used by
 * one thread at a time.
 */
public final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private final Decoding decoding;
  private final StringBuilder text = new StringBuilder();

  StreamingDecoder(Tokenizer tokenizer, Decoding decoding) {
    this.tokenizer = tokenizer;
    this.decoding = decoding;
  }

  /**
   * The text that can be shown now that one more token is there; often empty.
   *
   * @throws dev.kancil.InvalidRequestException if the id is not in the vocabulary
   */
  public String next(int id) {
    tokenizer.check(id);
    text.setLength(0);
    decoding.next(id, text);
    return text.toString();
  }

  /**
   * What is held back when no more tokens come, with U+FFFD for a character that stays incomplete.
   */
  public String flush() {
    text.setLength(0);
    decoding.end(text);
    return text.toString();
  }
}
