package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The steps of {@link TokenDecoder} that change pieces, or join a few. */
final class PieceDecoders {
  private PieceDecoders() {}

  /** Changes each piece, where the first of a text is one of its own. */
  interface PieceChange {
    String change(String piece, boolean first);
  }

  /** Changes each piece by itself. */
  record EachPiece(PieceChange change) implements TokenDecoder {
    static EachPiece of(UnaryOperator<String> change) {
      return new EachPiece((piece, _) -> change.apply(piece));
    }

    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private boolean first = atStart;

        @Override
        public void piece(String piece) {
          out.accept(change.change(piece, first));
          first = false;
        }

        @Override
        public void end() {}
      };
    }
  }

  /** Spaces between the pieces: what happens where a file names no decoder. */
  static final TokenDecoder SPACED = new EachPiece((piece, first) -> first ? piece : " " + piece);

  /** Spaces for their stand-ins, of which the first piece has none. */
  static TokenDecoder metaspace(String replacement, boolean removesFirst) {
    return new EachPiece(
        (piece, first) -> piece.replace(replacement, first && removesFirst ? "" : " "));
  }

  /** Spaces before pieces that begin words. */
  static TokenDecoder wordPiece(String prefix, boolean cleansUp) {
    return new EachPiece(
        (piece, first) -> {
          String text =
              first
                  ? piece
                  : piece.startsWith(prefix) ? piece.substring(prefix.length()) : " " + piece;
          return cleansUp ? cleanedUp(text) : text;
        });
  }

  /** English without the spaces that cutting it into words has left. */
  static String cleanedUp(String text) {
    return text.replace(" .", ".")
        .replace(" ?", "?")
        .replace(" !", "!")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" do not", " don't")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }

  /** A space for each end of a word, but not behind the last. */
  record WordEnds(String suffix) implements TokenDecoder {
    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private @Nullable String held;

        @Override
        public void piece(String piece) {
          if (held != null) {
            out.accept(held.replace(suffix, " "));
          }
          held = piece;
        }

        @Override
        public void end() {
          if (held != null) {
            out.accept(held.replace(suffix, ""));
            held = null;
          }
        }
      };
    }
  }

  /** What a CTC model says: repeated tokens and padding are nothing. */
  record Ctc(String padding, String delimiter, boolean cleansUp) implements TokenDecoder {
    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private @Nullable String last;

        @Override
        public void piece(String piece) {
          if (piece.equals(last)) {
            return;
          }
          last = piece;
          String text = piece.replace(padding, "");
          if (cleansUp) {
            text = cleanedUp(text).replace(delimiter, " ");
          }
          if (!text.isEmpty()) {
            out.accept(text);
          }
        }

        @Override
        public void end() {}
      };
    }
  }

  /** Bytes for tokens like {@code <0x0A>}; a run of them that is no text is U+FFFD for each. */
  record ByteFallback() implements TokenDecoder {
    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private final ByteRun run = new ByteRun();

        @Override
        public void piece(String piece) {
          int value = Vocabulary.byteOf(piece);
          if (value >= 0) {
            run.add((byte) value);
          } else {
            end();
            out.accept(piece);
          }
        }

        @Override
        public void end() {
          run.flush(out);
        }
      };
    }
  }

  private static final class ByteRun {
    private byte[] bytes = new byte[8];
    private int length;

    void add(byte value) {
      if (length == bytes.length) {
        bytes = Arrays.copyOf(bytes, 2 * length);
      }
      bytes[length++] = value;
    }

    void flush(Consumer<String> out) {
      if (length == 0) {
        return;
      }
      String text = new String(bytes, 0, length, StandardCharsets.UTF_8);
      byte[] back = text.getBytes(StandardCharsets.UTF_8);
      boolean valid = Arrays.equals(back, 0, back.length, bytes, 0, length);
      for (int i = valid ? 1 : length; i > 0; i--) {
        out.accept(valid ? text : "\uFFFD");
      }
      length = 0;
    }
  }

  /** Bytes for letters of the {@link ByteLevel} alphabet, all pieces as one. */
  record Bytes() implements TokenDecoder {
    @Override
    public boolean joins() {
      return true;
    }

    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private byte[] held = new byte[0];

        @Override
        public void piece(String piece) {
          byte[] more = bytes(piece);
          byte[] all = Arrays.copyOf(held, held.length + more.length);
          System.arraycopy(more, 0, all, held.length, more.length);
          int complete = Utf8.completeLength(all, all.length);
          held = Arrays.copyOfRange(all, complete, all.length);
          out.accept(new String(all, 0, complete, StandardCharsets.UTF_8));
        }

        @Override
        public void end() {
          out.accept(new String(held, StandardCharsets.UTF_8));
          held = new byte[0];
        }
      };
    }

    /** A piece with a character outside the alphabet stands for itself as a whole. */
    static byte[] bytes(String piece) {
      return ByteLevel.isOf(piece)
          ? ByteLevel.bytes(piece)
          : piece.getBytes(StandardCharsets.UTF_8);
    }
  }

  /** Removes a character at the ends of each piece. */
  record Strip(String character, int start, int stop) implements TokenDecoder {
    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return EachPiece.of(this::strip).begin(out, atStart);
    }

    private String strip(String piece) {
      int from = 0;
      for (int i = 0; i < start && piece.startsWith(character, from); i++) {
        from += character.length();
      }
      int to = piece.length();
      for (int i = 0;
          i < stop && to > from && piece.startsWith(character, to - character.length());
          i++) {
        to -= character.length();
      }
      return piece.substring(from, to);
    }

    @Override
    public TokenDecoder onWhole() {
      return stop > 0 ? new Collected(this) : new StripStart(character, start);
    }
  }

  /** Removes a character where the text begins. */
  record StripStart(String character, int most) implements TokenDecoder {
    @Override
    public boolean joins() {
      return true;
    }

    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private int left = atStart ? most : 0;

        @Override
        public void piece(String piece) {
          int from = 0;
          while (left > 0 && piece.startsWith(character, from)) {
            from += character.length();
            left--;
          }
          left = from < piece.length() ? 0 : left;
          out.accept(piece.substring(from));
        }

        @Override
        public void end() {}
      };
    }
  }
}
