package dev.kancil;

import dev.kancil.engine.RunEnd;
import dev.kancil.engine.TokenListener;
import dev.kancil.text.tokenizer.StreamingDecoder;
import dev.kancil.text.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns the tokens of a run into the text of a generation, on the engine's thread. */
final class GenerationListener implements TokenListener {
  private final Generation generation;
  private final Tokenizer tokenizer;
  private final boolean stopsAtEndOfTurn;
  private final StreamingDecoder decoder;
  private final StopStrings stopStrings;
  private final List<Integer> promptTokens;
  private final int computedTokens;
  private final List<Integer> tokens = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private final long begin = System.nanoTime();
  private long firstToken;
  private FinishReason finishReason = FinishReason.LENGTH;

  /**
   * @param pending tokens that the session computes beside {@code promptTokens}
   */
  GenerationListener(
      Generation generation,
      Tokenizer tokenizer,
      int[] promptTokens,
      int pending,
      GenerationOptions options) {
    this.generation = generation;
    this.tokenizer = tokenizer;
    this.stopsAtEndOfTurn = options.stopAtEndOfTurn();
    this.decoder = tokenizer.continuationDecoder();
    this.stopStrings = new StopStrings(options.stop());
    this.promptTokens = Arrays.stream(promptTokens).boxed().toList();
    this.computedTokens = promptTokens.length + pending;
  }

  @Override
  public boolean token(int token) {
    if (tokens.isEmpty()) {
      firstToken = System.nanoTime();
    }
    tokens.add(token);
    if (stopsAtEndOfTurn && tokenizer.endOfGeneration().contains(token)) {
      finishReason = FinishReason.END_OF_TURN;
      return false;
    }
    show(token, stopStrings.accept(decoder.next(token)));
    if (stopStrings.found()) {
      finishReason = FinishReason.STOP_STRING;
      return false;
    }
    return true;
  }

  private void show(int token, String piece) {
    text.append(piece);
    generation.add(new Chunk(token, piece));
  }

  @Override
  public void ended(RunEnd end, @Nullable RuntimeException failure) {
    if (failure != null) {
      generation.fail(failure);
      return;
    }
    if (end == RunEnd.CANCELLED) {
      finishReason = FinishReason.CANCELLED;
    }
    String rest = stopStrings.accept(decoder.flush()) + stopStrings.finish();
    if (!rest.isEmpty() && !tokens.isEmpty()) {
      show(tokens.getLast(), rest);
    }
    long now = System.nanoTime();
    generation.end(
        new Completion(
            promptTokens,
            tokens,
            text.toString(),
            finishReason,
            new Completion.Timings(
                computedTokens,
                Duration.ofNanos((tokens.isEmpty() ? now : firstToken) - begin),
                tokens.size(),
                Duration.ofNanos(now - begin))));
  }
}
