package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Tokens are bytes: joined they are UTF-8, and what is no character becomes U+FFFD. */
final class ByteDecoding implements Decoding {
  private final Tokenizer tokenizer;
  private byte[] held = new byte[0];
  private boolean removesSpace;

  /**
   * @param removesSpace whether a space that begins the text is left out
   */
  ByteDecoding(Tokenizer tokenizer, boolean removesSpace) {
    this.tokenizer = tokenizer;
    this.removesSpace = removesSpace;
  }

  @Override
  public void next(int id, StringBuilder text) {
    byte[] more = tokenizer.visibleBytes(id);
    int skipped = removesSpace && more.length > 0 && more[0] == ' ' ? 1 : 0;
    removesSpace = removesSpace && more.length == 0;
    byte[] bytes = Arrays.copyOf(held, held.length + more.length - skipped);
    System.arraycopy(more, skipped, bytes, held.length, more.length - skipped);
    int complete = Utf8.completeLength(bytes, bytes.length);
    held = Arrays.copyOfRange(bytes, complete, bytes.length);
    text.append(new String(bytes, 0, complete, StandardCharsets.UTF_8));
  }

  @Override
  public void end(StringBuilder text) {
    text.append(new String(held, StandardCharsets.UTF_8));
    held = new byte[0];
  }
}
