package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Joins pieces as SentencePiece does: {@code ▁} is a space, but not where the text begins; byte
 * pieces are characters where they form some, and U+FFFD for each byte that is of none.
 *
 * @param removesOne whether a space at the beginning is left out
 * @param removesAll whether each piece before there is text loses one
 */
record SentencePieceDecoder(boolean removesOne, boolean removesAll) implements TokenDecoder {
  @Override
  public boolean joins() {
    return true;
  }

  @Override
  public Step begin(Consumer<String> out, boolean atStart) {
    return new Joining(out, atStart && (removesOne || removesAll));
  }

  private final class Joining implements Step {
    private final Consumer<String> out;
    private boolean removes;
    private byte[] held = new byte[0];

    Joining(Consumer<String> out, boolean removes) {
      this.out = out;
      this.removes = removes;
    }

    @Override
    public void piece(String piece) {
      int value = Vocabulary.byteOf(piece);
      if (value >= 0) {
        held = Arrays.copyOf(held, held.length + 1);
        held[held.length - 1] = (byte) value;
        flush(Utf8.completeLength(held, held.length));
        return;
      }
      end();
      String text = piece;
      if (removes && piece.startsWith("▁")) {
        text = piece.substring(1);
        removes = removesAll;
      }
      text = text.replace('▁', ' ');
      show(text);
    }

    private void show(String text) {
      removes = removes && text.isEmpty();
      if (!text.isEmpty()) {
        out.accept(text);
      }
    }

    @Override
    public void end() {
      flush(held.length);
    }

    /** Shows the first of the bytes that are held back. */
    private void flush(int length) {
      StringBuilder text = new StringBuilder();
      for (int at = 0; at < length; ) {
        int size = Math.min(Utf8.length(held[at]), length - at);
        String character = new String(held, at, size, StandardCharsets.UTF_8);
        boolean valid =
            Arrays.equals(
                character.getBytes(StandardCharsets.UTF_8),
                Arrays.copyOfRange(held, at, at + size));
        text.append(valid ? character : "\uFFFD");
        at += valid ? size : 1;
      }
      held = Arrays.copyOfRange(held, length, held.length);
      show(text.toString());
    }
  }
}
