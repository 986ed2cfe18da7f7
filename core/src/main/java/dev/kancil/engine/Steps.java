package dev.kancil.engine;

import dev.kancil.DeviceException;
import dev.kancil.InvalidRequestException;
import dev.kancil.KancilException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who generates, and the steps that are formed of it: the one that is enqueued and, where nothing
 * else can come between, the one after it. All of it belongs to the engine's thread.
 */
final class Steps {
  private static final Logger LOGGER = LoggerFactory.getLogger(Steps.class);
  private static final String CACHE_FULL =
      "the KV cache is full; close other sessions or raise the context size";
  private static final String NO_LOGIT = "the model computed no finite logit";

  private final Program program;
  private final Optional<Program> choosing;
  private final SequenceState state;
  private final int context;
  private final BooleanSupplier isAwaited;
  private final Batch batch;
  private final List<Run> runs = new ArrayList<>();
  // The step that is enqueued, and room for the one after it.
  private Flight current;
  private Flight next;

  /**
   * Steps of nobody yet. What is given stays its owner's to close.
   *
   * @param choosing of steps in which some row has an adapter
   * @param isAwaited whether somebody waits for the thread, so that no step may go ahead
   */
  Steps(
      Program program,
      Optional<Program> choosing,
      SequenceState state,
      Engine.Limits limits,
      BooleanSupplier isAwaited) {
    this.program = program;
    this.choosing = choosing;
    this.state = state;
    this.isAwaited = isAwaited;
    context = limits.context();
    batch = new Batch(program.limits());
    current = new Flight(limits.sequences());
    next = new Flight(limits.sequences());
  }

  /** Whether nobody generates. */
  boolean isIdle() {
    return runs.isEmpty();
  }

  void add(Run run) {
    runs.add(run);
  }

  /** Ends what a sequence generates. */
  void cancel(Sequence sequence) {
    for (Run run : List.copyOf(runs)) {
      if (run.sequence == sequence) {
        end(run, RunEnd.CANCELLED, null);
      }
    }
  }

  /** Ends all, and waits for the step at work. */
  void cancelAll() {
    endAll(RunEnd.CANCELLED, null);
    current.land();
  }

  /** Ends what was cancelled meanwhile. */
  void settle() {
    for (int i = runs.size() - 1; i >= 0; i--) {
      if (runs.get(i).isCancelled()) {
        end(runs.get(i), RunEnd.CANCELLED, null);
      }
    }
    landUnwanted();
  }

  /** Takes a step, if somebody generates, and hands its tokens out. */
  void step() {
    if (runs.isEmpty()) {
      return;
    }
    advance();
    landUnwanted();
  }

  /** Tokens of a sequence whose keys and values are in the state. */
  int computed(Sequence sequence) {
    return state.length(sequence.id());
  }

  /**
   * Waits for a step that went ahead of runs that have all ended; what becomes of it is all one.
   */
  private void landUnwanted() {
    if (current.isOpen() && Collections.disjoint(current.runs(), runs)) {
      current.land();
      current.clear();
    }
  }

  private void advance() {
    try {
      if (!current.isOpen()) {
        fill();
        if (batch.rows() == 0) {
          // Nobody can go on: the first that came keeps its turn, the last gives up its memory. Its
          // tokens stay, and are computed again if it is run again.
          Run last = runs.getLast();
          truncate(last.sequence, 0);
          end(last, RunEnd.FAILED, new InvalidRequestException(CACHE_FULL));
          return;
        }
        current.start(programOfBatch(), batch, state);
      }
      if (canGoAhead() && fillAhead()) {
        // The same program, which has the tokens.
        next.start(current.program(), batch, state);
      }
      int[] tokens = current.tokens();
      current.land();
      Flight landed = current;
      current = next;
      next = landed;
      for (int i = 0; i < tokens.length; i++) {
        // Not if it ended when the token before came.
        if (runs.contains(landed.sampled().get(i))) {
          accept(landed.sampled().get(i), tokens[i]);
        }
      }
      landed.clear();
    } catch (RuntimeException | Error e) {
      fail(
          e instanceof KancilException known
              ? known
              : new DeviceException("a step failed: " + e, e));
    }
  }

  /** Ends all runs, and forgets what failed steps were to compute, which the state counts. */
  private void fail(RuntimeException failure) {
    for (Flight flight : List.of(current, next)) {
      flight.land();
      for (int i = 0; i < flight.runs().size(); i++) {
        Run run = flight.runs().get(i);
        Sequence sequence = run.sequence;
        if (runs.contains(run) && computed(sequence) > flight.start(i)) {
          truncate(sequence, flight.start(i));
        }
      }
      flight.clear();
    }
    endAll(RunEnd.FAILED, failure);
  }

  /**
   * Forgets a sequence's keys and values behind its first {@code length} tokens, or all of them
   * where those have left the window.
   */
  void truncate(Sequence sequence, int length) {
    try {
      state.truncate(sequence.id(), length);
    } catch (InvalidRequestException leftTheWindow) {
      state.release(sequence.id());
      sequence.id(state.open());
    }
  }

  /** Forms the batch: the sequences with one token to go first, so that no prompt delays them. */
  private void fill() {
    batch.clear();
    current.clear();
    for (int round = 0; round < 2; round++) {
      for (Run run : runs) {
        Sequence sequence = run.sequence;
        int from = computed(sequence);
        int pending = sequence.length() - from;
        if ((pending == 1) != (round == 0)) {
          continue;
        }
        int free = Math.min(batch.freeRows(), state.room(batch, sequence.id()));
        int rows = Math.min(pending, free);
        if (rows < 1) {
          continue;
        }
        begin(sequence, from);
        for (int i = 0; i < rows; i++) {
          batch.token(sequence.token(from + i), i == pending - 1);
        }
        current.add(run, from, rows == pending);
        if (rows == pending) {
          run.sampler.describe(batch, sequence.length());
        }
      }
    }
  }

  private Program programOfBatch() {
    return batch.hasAdapters() ? choosing.orElseThrow() : program;
  }

  private void begin(Sequence sequence, int from) {
    batch.sequence(sequence.id(), from);
    batch.usesAdapter(sequence.adapter());
    if (sequence.hasSource()) {
      batch.readsFrom(sequence.source());
    }
  }

  /**
   * Whether the step after the current one can be formed before the current one's tokens are known:
   * every run gets one of them, and nobody else wants anything.
   */
  private boolean canGoAhead() {
    if (!program.feedsTokens()
        || isAwaited.getAsBoolean()
        || current.sampled().size() != runs.size()) {
      return false;
    }
    for (Run run : current.sampled()) {
      if (!runs.contains(run) || !run.sampler.isIndependent()) {
        return false;
      }
    }
    return true;
  }

  /** Forms the batch of the step after the current one; false if there is none to form. */
  private boolean fillAhead() {
    batch.clear();
    next.clear();
    for (int i = 0; i < current.sampled().size(); i++) {
      Run run = current.sampled().get(i);
      Sequence sequence = run.sequence;
      int from = sequence.length();
      if (run.remaining == 1 || from + 1 >= context) {
        continue;
      }
      if (state.room(batch, sequence.id()) < 1) {
        return false;
      }
      begin(sequence, from);
      batch.chosenToken(i, true);
      next.add(run, from, true);
      run.sampler.describe(batch, from + 1);
    }
    return batch.rows() > 0;
  }

  /** Takes the token that the device chose for a run; -1 if there was none to choose. */
  private void accept(Run run, int token) {
    Sequence sequence = run.sequence;
    try {
      if (token < 0) {
        throw new DeviceException(NO_LOGIT);
      }
      run.sampler.accept(token);
      sequence.append(token);
      run.remaining--;
      if (!run.listener.token(token)) {
        end(run, RunEnd.STOPPED, null);
      } else if (run.remaining == 0 || sequence.length() >= context) {
        end(run, RunEnd.LENGTH, null);
      }
    } catch (RuntimeException e) {
      end(run, RunEnd.FAILED, e);
    } catch (Error e) {
      // The listener's, as an assertion that fails: no reason to end anybody else's run.
      end(run, RunEnd.FAILED, new IllegalStateException("a token listener failed: " + e, e));
    }
  }

  private void endAll(RunEnd end, @Nullable RuntimeException failure) {
    for (Run run : List.copyOf(runs)) {
      end(run, end, failure);
    }
  }

  private void end(Run run, RunEnd end, @Nullable RuntimeException failure) {
    if (!runs.remove(run)) {
      return;
    }
    // A step that went ahead counts the last token already, and may yet fail.
    if (computed(run.sequence) >= run.sequence.length() && run.sequence.length() > 0) {
      truncate(run.sequence, run.sequence.length() - 1);
    }
    try {
      run.listener.ended(end, failure);
    } catch (RuntimeException | Error e) {
      LOGGER.warn("a listener failed when its run ended", e);
    }
  }
}
