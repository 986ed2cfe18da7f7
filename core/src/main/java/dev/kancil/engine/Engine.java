package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.UnsupportedException;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;

/**
 * Continuous batching: one thread forms steps from the next token of every sequence that generates,
 * and fills what room is left with prompts, a chunk at a time. A sequence joins or leaves between
 * any two steps. All that touches sequence state happens on that thread; callers wait for it.
 */
public final class Engine implements AutoCloseable {
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
  private final int vocabulary;
  private final BlockingQueue<Runnable> requests = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closing;
  // What follows belongs to the thread.
  private final Steps steps;
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
    steps = new Steps(program, choosing, state, limits, () -> !requests.isEmpty());
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
              new Sequence(
                  this, state.fork(original.id(), steps.computed(original)), original.adapter());
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
          steps.truncate(sequence, 0);
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
          if (length < steps.computed(sequence)) {
            steps.truncate(sequence, length);
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
    steps.cancel(sequence);
    state.release(sequence.id());
    releaseSource(sequence);
    return held--;
  }

  int pending(Sequence sequence) {
    return call(
        () -> {
          requireOpen(sequence);
          return sequence.length() - steps.computed(sequence);
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
          if (length == steps.computed(sequence)) {
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
          steps.add(run);
          return run;
        });
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
        Runnable request = steps.isIdle() ? requests.take() : requests.poll();
        while (request != null) {
          request.run();
          request = requests.poll();
        }
      } catch (InterruptedException e) {
        continue;
      }
      steps.settle();
      if (!closing) {
        steps.step();
      }
    }
    steps.cancelAll();
    for (Runnable request = requests.poll(); request != null; request = requests.poll()) {
      request.run();
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
