package dev.kancil.text.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A step from the texts of tokens to a text, as Hugging Face's library defines them. Steps change
 * pieces one by one where that is all they need; what they need more of they hold back, so that
 * pieces may come one at a time.
 */
interface TokenDecoder {
  /**
   * Begins a text.
   *
   * @param out takes what comes of the pieces
   * @param atStart whether the first piece begins a text, or else goes on from others
   */
  Step begin(Consumer<String> out, boolean atStart);

  /** Whether all pieces become one, so that what follows this step sees the text as a whole. */
  default boolean joins() {
    return false;
  }

  /** What does this where all pieces are one. */
  default TokenDecoder onWhole() {
    return new Collected(this);
  }

  /** One text on its way through a step. */
  interface Step {
    void piece(String piece);

    /** No more pieces come. */
    void end();
  }

  /** Several steps, one after the other. */
  record Sequence(List<TokenDecoder> steps) implements TokenDecoder {
    static Sequence of(List<TokenDecoder> steps) {
      List<TokenDecoder> all = new ArrayList<>();
      boolean joined = false;
      for (TokenDecoder step : steps) {
        all.add(joined ? step.onWhole() : step);
        joined |= step.joins();
      }
      return new Sequence(List.copyOf(all));
    }

    @Override
    public boolean joins() {
      return steps.stream().anyMatch(TokenDecoder::joins);
    }

    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      Step next = new Last(out);
      for (TokenDecoder step : steps.reversed()) {
        Step following = next;
        Step current = step.begin(following::piece, atStart);
        next =
            new Step() {
              @Override
              public void piece(String piece) {
                current.piece(piece);
              }

              @Override
              public void end() {
                current.end();
                following.end();
              }
            };
      }
      return next;
    }
  }

  /** Hands pieces on. */
  record Last(Consumer<String> out) implements Step {
    @Override
    public void piece(String piece) {
      out.accept(piece);
    }

    @Override
    public void end() {}
  }

  /** Joins all pieces. */
  record Fuse() implements TokenDecoder {
    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Last(out);
    }

    @Override
    public boolean joins() {
      return true;
    }

    @Override
    public TokenDecoder onWhole() {
      return this;
    }
  }

  /** A step that needs its one piece whole: it waits for the end. */
  record Collected(TokenDecoder step) implements TokenDecoder {
    @Override
    public boolean joins() {
      return true;
    }

    @Override
    public Step begin(Consumer<String> out, boolean atStart) {
      return new Step() {
        private final StringBuilder whole = new StringBuilder();

        @Override
        public void piece(String piece) {
          whole.append(piece);
        }

        @Override
        public void end() {
          Step inner = step.begin(out, atStart);
          inner.piece(whole.toString());
          inner.end();
          whole.setLength(0);
        }
      };
    }
  }
}
