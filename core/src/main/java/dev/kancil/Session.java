package dev.kancil;

import dev.kancil.engine.Sequence;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One sequence of tokens and what the model keeps of it. It takes one caller at a time, and one
 * generation at a time. Closing ends its generation and gives its memory back.
 */
public final class Session implements AutoCloseable {
  private final Model model;
  private final Sequence sequence;
  private @Nullable Generation generation;
  private boolean closed;

  Session(Model model, Sequence sequence) {
    this.model = model;
    this.sequence = sequence;
  }

  /**
   * Appends a text as it is, without a chat template, and generates what follows. Special tokens
   * that the text spells are taken for those tokens. What the model begins every text with is added
   * to the first. A model that has an encoder reads the text and begins anew.
   *
   * @throws InvalidRequestException if it is empty or does not fit the context
   * @throws IllegalStateException if the session is closed or generates already
   */
  public synchronized Generation generate(String text, GenerationOptions options) {
    requireIdle();
    if (model.hasEncoder()) {
      int[] read = model.tokenizer().encode(text, true, true);
      sequence.read(read);
      return generate(read, new int[] {model.decoderStart().getAsInt()}, options);
    }
    return generate(model.tokenizer().encode(text, sequence.length() == 0, true), options);
  }

  /**
   * Appends tokens and generates what follows.
   *
   * @throws InvalidRequestException if there is nothing to go on from, an id is not in the
   *     vocabulary, or the tokens don't fit the context
   * @throws IllegalStateException if the session is closed or generates already
   */
  public synchronized Generation generate(int[] tokens, GenerationOptions options) {
    requireIdle();
    return generate(tokens, tokens, options);
  }

  private Generation generate(int[] prompt, int[] tokens, GenerationOptions options) {
    Generation started = new Generation();
    GenerationListener listener =
        new GenerationListener(started, model.tokenizer(), prompt, sequence.pending(), options);
    started.start(sequence.run(tokens, options.sampling(), options.maxTokens(), listener));
    generation = started;
    return started;
  }

  /**
   * Generates the answer to a conversation, in the form that the model's chat template gives it.
   * What the session holds already of that form is kept and the rest forgotten, so that a
   * conversation that grows is computed once.
   *
   * @throws UnsupportedException if the model has no chat template
   * @throws TemplateException if the template rejects the conversation
   * @throws InvalidRequestException if it does not fit the context
   * @throws IllegalStateException if the session is closed or generates already
   */
  public synchronized Generation chat(List<ChatMessage> conversation, GenerationOptions options) {
    requireIdle();
    int[] wanted = model.promptTokens(conversation);
    if (wanted.length > model.contextLength()) {
      throw new InvalidRequestException(
          "the conversation has %d tokens, but the context holds %d; shorten it or raise the context size"
              .formatted(wanted.length, model.contextLength()));
    }
    int[] held = sequence.tokens();
    int mismatch = Arrays.mismatch(held, wanted);
    int common = mismatch < 0 ? wanted.length : mismatch;
    // The last token is computed again if need be, since its logits are what is asked for.
    int kept = Math.min(common, wanted.length - 1);
    if (kept < held.length) {
      sequence.truncate(kept);
    }
    return generate(Arrays.copyOfRange(wanted, kept, wanted.length), options);
  }

  /** The name of its adapter; empty: it has none. */
  public Optional<String> adapter() {
    return sequence.adapter() == 0
        ? Optional.empty()
        : Optional.of(model.adapters().get(sequence.adapter() - 1));
  }

  /** The ids that it holds. */
  public synchronized int[] tokens() {
    requireIdle();
    return sequence.tokens();
  }

  /**
   * Forgets all tokens from {@code length} on.
   *
   * @throws InvalidRequestException if there are not so many
   */
  public synchronized void truncate(int length) {
    requireIdle();
    sequence.truncate(length);
  }

  /**
   * Another session with the same tokens and the same adapter, sharing memory until either goes on.
   * The caller closes it.
   *
   * @throws InvalidRequestException if the model's sessions are all in use
   */
  public synchronized Session fork() {
    requireIdle();
    return model.adopt(sequence.fork());
  }

  private void requireIdle() {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
    if (generation != null && !generation.isDone()) {
      throw new IllegalStateException("the session generates; await or close its generation first");
    }
  }

  @Override
  public void close() {
    Generation running;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      running = generation;
    }
    if (running != null) {
      running.close();
    }
    sequence.close();
    model.forget(this);
  }
}
