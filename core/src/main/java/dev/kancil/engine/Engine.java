package dev.kancil.engine;

import dev.kancil.DeviceException;
import dev.kancil.InvalidRequestException;
import dev.kancil.KancilException;
import dev.kancil.UnsupportedException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;
import dev.kancil.graph.RowAdapters;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.graph.op.Sample;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continuous batching: one thread forms steps from the next token of every sequence that generates,
 * and fills what room is left with prompts, a chunk at a time. A sequence joins or leaves between
 * any two steps. All that touches sequence state happens on that thread; callers wait for it.
 */
public final class Engine implements AutoCloseable {
  private static final Logger LOGGER = LoggerFactory.getLogger(Engine.class);
  private static final String CACHE_FULL =
      "the KV cache is full; close other sessions or raise the context size";
  private static final String NO_LOGIT = "the model computed no finite logit";

  /** The value of the graph that is sampled, with a row for each output. */
  public static final String LOGITS = "logits";

  /**
   * How much at once.
   *
   * @param stepTokens rows of one step; long prompts are cut into such chunks
   * @param sequences sequences held at the same time
   * @param context tokens of one sequence
   * @param cacheTokens tokens of all sequences together
   */
  public record Limits(int stepTokens, int sequences, int context, int cacheTokens) {
    public Limits {
      if (sequences < 1 || stepTokens < sequences || context < 1 || cacheTokens < context) {
        throw new IllegalArgumentException(
            stepTokens + " rows, " + sequences + " sequences, " + context + " of " + cacheTokens);
      }
    }

    /** The largest step of an engine with these limits. */
    public StepLimits step(int vocabulary) {
      int changes = Sampler.mostChanges(vocabulary, context);
      return new StepLimits(
          stepTokens, sequences, sequences, Math.multiplyExact(sequences, changes));
    }
  }

  private final Limits limits;
  private final Program program;
  // Of steps in which some row has an adapter.
  private final Optional<Program> choosing;
  private final int adapters;
  private final SequenceState state;
  private final Optional<Reader> reader;
  private final Batch batch;
  private final int vocabulary;
  private final BlockingQueue<Runnable> requests = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closing;
  // What follows belongs to the thread.
  private final List<Run> runs = new ArrayList<>();
  // The step that is enqueued, and room for the one after it.
  private Flight current;
  private Flight next;
  private int held;

  /**
   * What reads texts for a decoder, and how.
   *
   * @param model whose encoder it is
   * @param pass of the encoder
   */
  private record Reader(LoadedModel.OfEncoderDecoder model, SequencePass pass) {}

  /**
   * Compiles a model that reads texts with an encoder, and goes on with tokens of its own;
   * otherwise as {@link #Engine(Device, Graph, DeviceWeights, Limits)}.
   */
  public Engine(
      Device device, LoadedModel.OfEncoderDecoder model, DeviceWeights weights, Limits limits) {
    this(device, model.decoder(), Optional.empty(), Optional.of(model), weights, limits);
  }

  /**
   * Compiles the graph and starts the thread.
   *
   * @param graph in primitives, with the value {@link #LOGITS}; the choice of tokens is added, and
   *     all fused for the device, here
   * @param weights must outlive the engine, as must the device
   * @throws UnsupportedException if the vocabulary is too large, or the device can't run the graph
   */
  public Engine(Device device, Graph graph, DeviceWeights weights, Limits limits) {
    this(device, graph, Optional.empty(), Optional.empty(), weights, limits);
  }

  /**
   * Compiles a decoder, and, if it has adapters beside, another program for steps in which some row
   * has one; otherwise as {@link #Engine(Device, Graph, DeviceWeights, Limits)}.
   */
  public Engine(Device device, LoadedModel.OfDecoder model, DeviceWeights weights, Limits limits) {
    this(device, model.graph(), model.choosing(), Optional.empty(), weights, limits);
  }

  private Engine(
      Device device,
      Graph graph,
      Optional<Graph> choosingGraph,
      Optional<LoadedModel.OfEncoderDecoder> model,
      DeviceWeights weights,
      Limits limits) {
    this.limits = limits;
    vocabulary = graph.value(LOGITS).type().columns();
    if (vocabulary > Sample.MOST_COLUMNS) {
      throw new UnsupportedException(
          "a vocabulary of " + vocabulary + " tokens; at most " + Sample.MOST_COLUMNS);
    }
    StepLimits step = limits.step(vocabulary);
    batch = new Batch(step);
    current = new Flight(limits.sequences());
    next = new Flight(limits.sequences());
    adapters = choosingGraph.map(RowAdapters::count).orElse(0);
    program = compile(device, graph, weights, step);
    try {
      choosing = choosingGraph.map(found -> compile(device, found, weights, step));
    } catch (RuntimeException e) {
      program.close();
      throw e;
    }
    // Texts that are read are sequences, too.
    int parts = model.isPresent() ? 2 : 1;
    SequenceState made = null;
    try {
      made =
          device.createState(
              graph.state(),
              Math.multiplyExact(parts, limits.sequences()),
              Math.multiplyExact(parts, limits.cacheTokens()));
      state = made;
      reader =
          model.map(
              both ->
                  new Reader(
                      both,
                      new SequencePass(device, both.encoder(), weights, limits.context(), state)));
    } catch (RuntimeException e) {
      if (made != null) {
        made.close();
      }
      choosing.ifPresent(Program::close);
      program.close();
      throw e;
    }
    thread = Thread.ofPlatform().name("kancil-engine").daemon().start(this::serve);
  }

  private static Program compile(
      Device device, Graph graph, DeviceWeights weights, StepLimits step) {
    return device.compile(Fusion.fuse(graph.sampled(LOGITS), device::takes), weights, step);
  }

  public Limits limits() {
    return limits;
  }

  /** Bytes of device memory for activations and for a full cache. */
  public long bytes() {
    return program.bytes() + choosing.map(Program::bytes).orElse(0L) + state.bytes();
  }

  /**
   * Starts an empty sequence.
   *
   * @throws InvalidRequestException if there are as many as the engine can hold
   */
  public Sequence open() {
    return open(0);
  }

  /**
   * Starts an empty sequence, all of whose tokens have an adapter; otherwise as {@link #open()}.
   *
   * @param adapter its number, counted from 1; 0: none
   */
  public Sequence open(int adapter) {
    if (adapter < 0 || adapter > adapters) {
      throw new IllegalArgumentException("adapter " + adapter + " of " + adapters);
    }
    return call(
        () -> {
          hold();
          return new Sequence(this, state.open(), adapter);
        });
  }

  Sequence fork(Sequence original) {
    return call(
        () -> {
          requireOpen(original);
          hold();
          // Its keys and values are the adapter's.
          Sequence fork =
              new Sequence(this, state.fork(original.id(), computed(original)), original.adapter());
          if (original.hasSource()) {
            int source = original.source();
            fork.source(state.fork(source, state.length(source)));
          }
          for (int i = 0; i < original.length(); i++) {
            fork.append(original.token(i));
          }
          return fork;
        });
  }

  /** Reads a text for a sequence, which forgets its tokens and the text before. */
  void read(Sequence sequence, int[] text) {
    Reader found = reader.orElseThrow(() -> new IllegalStateException("the model has no encoder"));
    if (text.length > limits.context()) {
      throw new InvalidRequestException(
          "the text has %d tokens, but the context holds %d; shorten it or raise the context size"
              .formatted(text.length, limits.context()));
    }
    int[] copy = text.clone();
    Map<String, MemorySegment> brought =
        TextRow.of(copy).brought(found.model, found.model.padding(), 0);
    call(
        () -> {
          requireOpen(sequence);
          truncateState(sequence, 0);
          sequence.shorten(0);
          releaseSource(sequence);
          int source = state.open();
          sequence.source(source);
          try {
            // Keys and values are all that the decoder needs of it.
            return found.pass.run(
                List.of(new SequencePass.Input(source, source, copy, brought, 0, 0)));
          } catch (RuntimeException e) {
            releaseSource(sequence);
            throw e;
          }
        });
  }

  private void releaseSource(Sequence sequence) {
    if (sequence.hasSource()) {
      state.release(sequence.source());
      sequence.source(Sequence.NO_SOURCE);
    }
  }

  void truncate(Sequence sequence, int length) {
    call(
        () -> {
          requireOpen(sequence);
          if (length < 0 || length > sequence.length()) {
            throw new InvalidRequestException(
                "a sequence of " + sequence.length() + " tokens has no first " + length);
          }
          if (length < computed(sequence)) {
            truncateState(sequence, length);
          }
          sequence.shorten(length);
          return length;
        });
  }

  void release(Sequence sequence) {
    if (Thread.currentThread() != thread) {
      try {
        call(() -> releaseHere(sequence));
      } catch (IllegalStateException e) {
        // An engine that closes has released everything.
        if (!closing) {
          throw e;
        }
      }
    } else {
      releaseHere(sequence);
    }
  }

  private int releaseHere(Sequence sequence) {
    for (Run run : List.copyOf(runs)) {
      if (run.sequence == sequence) {
        end(run, RunEnd.CANCELLED, null);
      }
    }
    state.release(sequence.id());
    releaseSource(sequence);
    return held--;
  }

  int pending(Sequence sequence) {
    return call(
        () -> {
          requireOpen(sequence);
          return sequence.length() - computed(sequence);
        });
  }

  Run start(
      Sequence sequence, int[] appended, Sampling sampling, int maxTokens, TokenListener listener) {
    int[] copy = appended.clone();
    for (int token : copy) {
      if (token < 0 || token >= vocabulary) {
        throw new InvalidRequestException(
            "token id " + token + " is not in the vocabulary of " + vocabulary);
      }
    }
    if (maxTokens < 1) {
      throw new InvalidRequestException("max tokens is " + maxTokens + ", but must be 1 or more");
    }
    Sampler sampler = new Sampler(sampling, vocabulary);
    return call(
        () -> {
          requireOpen(sequence);
          int length = Math.addExact(sequence.length(), copy.length);
          if (length > limits.context()) {
            throw new InvalidRequestException(
                "the prompt makes "
                    + length
                    + " tokens, but the context holds "
                    + limits.context()
                    + "; shorten it or raise the context size");
          }
          if (reader.isPresent() && !sequence.hasSource()) {
            throw new InvalidRequestException("no text was read that tokens could be about");
          }
          if (length == computed(sequence)) {
            throw new InvalidRequestException("there are no tokens to continue from");
          }
          for (int i = 0; i < sequence.length(); i++) {
            sampler.acceptPrompt(sequence.token(i));
          }
          for (int token : copy) {
            sequence.append(token);
            sampler.acceptPrompt(token);
          }
          Run run = new Run(sequence, sampler, maxTokens, listener);
          runs.add(run);
          return run;
        });
  }

  /** Tokens of a sequence whose keys and values are in the state. */
  private int computed(Sequence sequence) {
    return state.length(sequence.id());
  }

  private void hold() {
    if (held == limits.sequences()) {
      throw new InvalidRequestException(
          "all " + held + " sequences are in use; close a session or raise their number");
    }
    held++;
  }

  private void requireOpen(Sequence sequence) {
    if (sequence.isClosed() || sequence.engine() != this) {
      throw new IllegalStateException("the sequence is closed");
    }
  }

  /** Runs something on the engine's thread and waits for its result. */
  private <T> T call(Supplier<T> task) {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("a token listener must not wait for the engine");
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    // Under the lock that closing takes: what is in the queue by then is still answered.
    synchronized (requests) {
      if (closing) {
        throw closed();
      }
      requests.add(
          () -> {
            if (closing) {
              result.completeExceptionally(closed());
              return;
            }
            try {
              result.complete(task.get());
            } catch (RuntimeException | Error e) {
              result.completeExceptionally(e);
            }
          });
    }
    try {
      return result.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static IllegalStateException closed() {
    return new IllegalStateException("the engine is closed");
  }

  private void serve() {
    while (!closing) {
      try {
        Runnable request = runs.isEmpty() ? requests.take() : requests.poll();
        while (request != null) {
          request.run();
          request = requests.poll();
        }
      } catch (InterruptedException e) {
        continue;
      }
      endCancelled();
      landUnwanted();
      if (!runs.isEmpty() && !closing) {
        step();
        landUnwanted();
      }
    }
    for (Run run : List.copyOf(runs)) {
      end(run, RunEnd.CANCELLED, null);
    }
    current.land();
    for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
      request.run();
    }
  }

  private void endCancelled() {
    for (int i = runs.size() - 1; i >= 0; i--) {
      if (runs.get(i).isCancelled()) {
        end(runs.get(i), RunEnd.CANCELLED, null);
      }
    }
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

  private void step() {
    try {
      if (!current.isOpen()) {
        fill();
        if (batch.rows() == 0) {
          // Nobody can go on: the first that came keeps its turn, the last gives up its memory. Its
          // tokens stay, and are computed again if it is run again.
          Run last = runs.getLast();
          truncateState(last.sequence, 0);
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
          truncateState(sequence, flight.start(i));
        }
      }
      flight.clear();
    }
    for (Run run : List.copyOf(runs)) {
      end(run, RunEnd.FAILED, failure);
    }
  }

  private void truncateState(Sequence sequence, int length) {
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
    if (!program.feedsTokens() || !requests.isEmpty() || current.sampled().size() != runs.size()) {
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
      if (run.remaining == 1 || from + 1 >= limits.context()) {
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
      } else if (run.remaining == 0 || sequence.length() >= limits.context()) {
        end(run, RunEnd.LENGTH, null);
      }
    } catch (RuntimeException e) {
      end(run, RunEnd.FAILED, e);
    } catch (Error e) {
      // The listener's, as an assertion that fails: no reason to end anybody else's run.
      end(run, RunEnd.FAILED, new IllegalStateException("a token listener failed: " + e, e));
    }
  }

  private void end(Run run, RunEnd end, @Nullable RuntimeException failure) {
    if (!runs.remove(run)) {
      return;
    }
    // A step that went ahead counts the last token already, and may yet fail.
    if (computed(run.sequence) >= run.sequence.length() && run.sequence.length() > 0) {
      truncateState(run.sequence, run.sequence.length() - 1);
    }
    try {
      run.listener.ended(end, failure);
    } catch (RuntimeException | Error e) {
      LOGGER.warn("a listener failed when its run ended", e);
    }
  }

  /** Ends all runs, waits for the step at work, and frees what the engine holds. */
  @Override
  public void close() {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("a token listener must not close the engine");
    }
    synchronized (requests) {
      if (closing) {
        return;
      }
      closing = true;
      requests.add(() -> {});
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    reader.ifPresent(found -> found.pass.close());
    state.close();
    choosing.ifPresent(Program::close);
    program.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
