package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.engine.Engine;
import dev.kancil.engine.Sequence;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Adapter;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.text.template.ChatTemplate;
import dev.kancil.text.template.Conversation;
import dev.kancil.text.tokenizer.Tokenizer;
import dev.kancil.text.tokenizer.TokenizerFiles;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A model that is ready to generate. Thread-safe: any number of sessions run side by side, and
 * their tokens are computed in common steps. Closing ends all generations, waits for them, and
 * frees all that the model holds; what is called later throws {@link IllegalStateException}.
 *
 * <pre>{@code
 * try (Model model = Model.open(Path.of("model.gguf"));
 *     Session session = model.session()) {
 *   for (Chunk chunk : session.chat(List.of(ChatMessage.user("Why is the sky blue?")), GenerationOptions.DEFAULT)) {
 *     System.out.print(chunk.text());
 *   }
 * }
 * }</pre>
 */
public final class Model implements AutoCloseable {
  private final Resources resources;
  private final Engine engine;
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> chatTemplate;
  private final ModelDescription description;
  private final OptionalInt decoderStart;
  private final List<String> adapters;
  private final Set<Session> sessions = new HashSet<>();
  private boolean closed;

  private Model(
      Resources resources,
      Engine engine,
      Tokenizer tokenizer,
      Optional<ChatTemplate> chatTemplate,
      ModelDescription description,
      OptionalInt decoderStart,
      List<String> adapters) {
    this.resources = resources;
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.chatTemplate = chatTemplate;
    this.description = description;
    this.decoderStart = decoderStart;
    this.adapters = adapters;
  }

  /** Opens a GGUF file or a folder with {@link ModelOptions#DEFAULT}. */
  public static Model open(Path path) {
    return open(path, ModelOptions.DEFAULT);
  }

  /**
   * Opens a GGUF file, any part of a split one, or a folder of Hugging Face transformers, and makes
   * it ready on a device.
   *
   * @throws FormatException if the file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if its architecture, or a type on the device, is not supported
   * @throws InvalidRequestException if an option doesn't fit the model or the machine
   * @throws DeviceException if the device is not available or has too little memory
   */
  public static Model open(Path path, ModelOptions options) {
    return open(() -> ModelFiles.open(path), options);
  }

  /**
   * Makes an open file ready on a device, and closes it with the model, or at once if that fails;
   * otherwise as {@link #open(Path, ModelOptions)}.
   */
  public static Model open(GgufFile file, ModelOptions options) {
    return open(() -> ModelFiles.of(file), options);
  }

  private static Model open(Supplier<ModelFiles> opened, ModelOptions options) {
    Resources resources = new Resources();
    try {
      // Beside reading the file: a device takes time to open, and may get ready while it waits.
      DeviceOptions deviceOptions =
          new DeviceOptions(options.threads()).withProgress(options.progress());
      String id = options.gpuLayers() == 0 ? Backends.CPU : options.device();
      FutureTask<Device> opening =
          start("kancil-device-open", () -> Backends.open(id, deviceOptions));
      resources.add(opening, task -> closeIfOpen(task));
      ModelFiles files = resources.add(opened.get(), ModelFiles::close);
      Path path = files.path();
      // A vocabulary takes as long to index as all else that comes before the first token.
      FutureTask<TokenizerFiles> reading = start("kancil-tokenizer", files::text);
      List<Adapter> adapters = files.adapters(options.adapters());
      List<String> names = List.copyOf(options.namedAdapters().keySet());
      List<List<Adapter>> choices =
          options.namedAdapters().values().stream().map(files::adapters).toList();
      LoadedModel loaded =
          Families.open(
              files.checkpoint(),
              options.cacheKeyType(),
              options.cacheValueType(),
              options::contextLengthFor,
              adapters,
              choices,
              Optional.empty());
      Graph graph = generating(loaded, files.checkpoint());
      int context = options.contextLengthFor(loaded.contextLength());
      Backends.Choice<ReadyModel> choice =
          Backends.choose(
              options.leavesDeviceOpen(),
              () -> await(opening),
              deviceOptions,
              device -> ReadyModel.of(device, loaded, graph, context, options, deviceOptions));
      ReadyModel ready = choice.made();
      resources.add(ready.resources(), Resources::close);
      TokenizerFiles text = await(reading);
      Tokenizer tokenizer = text.tokenizer();
      if (tokenizer.vocabularySize() > loaded.vocabulary()) {
        throw new FormatException(
            path
                + ": the tokenizer has "
                + tokenizer.vocabularySize()
                + " tokens, but the model only "
                + loaded.vocabulary());
      }
      Optional<ChatTemplate> template =
          text.chatTemplate().map(source -> ChatTemplate.parse(path.toString(), source));
      ModelDescription description =
          new ModelDescription(
              path,
              files.checkpoint().architecture(),
              files.modelName(),
              files.parameters(),
              tokenizer.vocabularySize(),
              context,
              loaded.contextLength(),
              files.bytes(),
              graph.weightBytesPerToken(),
              graph.multiplicationsPerToken(),
              ready.engine().bytes() + ready.weights().bytes(),
              ready.chosen().description(),
              ready.placement().layers(),
              ready.placement().chosenLayers(),
              ready.placement().other(),
              choice.passedOver());
      OptionalInt start =
          loaded instanceof LoadedModel.OfEncoderDecoder both
              ? OptionalInt.of(both.start())
              : OptionalInt.empty();
      return new Model(resources, ready.engine(), tokenizer, template, description, start, names);
    } catch (Throwable e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** The graph that chooses tokens. */
  private static Graph generating(LoadedModel loaded, Checkpoint checkpoint) {
    return switch (loaded) {
      case LoadedModel.OfDecoder decoder -> decoder.graph();
      case LoadedModel.OfEncoderDecoder both -> both.decoder();
      case LoadedModel.OfEncoder _, LoadedModel.OfEncoders _ ->
          throw Families.generatesNothing(checkpoint);
    };
  }

  private static <T> FutureTask<T> start(String name, Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().name(name).daemon().start(task);
    return task;
  }

  private static void closeIfOpen(FutureTask<Device> opening) {
    Device device;
    try {
      device = await(opening);
    } catch (RuntimeException e) {
      // Whoever waited for the device was told.
      return;
    }
    device.close();
  }

  private static <T> T await(FutureTask<T> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw e.getCause() instanceof RuntimeException cause
              ? cause
              : new IllegalStateException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Starts an empty session. The caller closes it; closing the model does, too.
   *
   * @throws InvalidRequestException if as many are open as {@link ModelOptions#sessions} allows
   */
  public Session session() {
    return adopt(engine.open());
  }

  /**
   * Starts an empty session, all of whose tokens are computed with an adapter; otherwise as {@link
   * #session()}. Sessions with others run in the same steps.
   *
   * @param adapter its name; see {@link ModelOptions#namedAdapters}
   * @throws InvalidRequestException if the model was opened without it
   */
  public Session session(String adapter) {
    int index = adapters.indexOf(adapter);
    if (index < 0) {
      throw new InvalidRequestException(
          "there is no adapter " + adapter + ", but " + (adapters.isEmpty() ? "none" : adapters));
    }
    return adopt(engine.open(index + 1));
  }

  /** What sessions can be started with. */
  public List<String> adapters() {
    return adapters;
  }

  Session adopt(Sequence sequence) {
    Session session = new Session(this, sequence);
    synchronized (this) {
      if (!closed) {
        sessions.add(session);
        return session;
      }
    }
    session.close();
    throw new IllegalStateException("the model is closed");
  }

  synchronized void forget(Session session) {
    sessions.remove(session);
  }

  /** Generates what follows a text, in a session of its own, and waits for it. */
  public Completion complete(String text, GenerationOptions options) {
    try (Session session = session()) {
      return session.generate(text, options).await();
    }
  }

  /** Generates the answer to a conversation, in a session of its own, and waits for it. */
  public Completion chat(List<ChatMessage> conversation, GenerationOptions options) {
    try (Session session = session()) {
      return session.chat(conversation, options).await();
    }
  }

  /** The ids of a conversation as the chat template writes it, up to where the answer begins. */
  public int[] promptTokens(List<ChatMessage> conversation) {
    ChatTemplate template =
        chatTemplate.orElseThrow(
            () ->
                new UnsupportedException(
                    description.path()
                        + " has no chat template; give it raw text (kancil run --raw)"));
    Map<String, @Nullable Object> request = new HashMap<>();
    request.put(
        "messages",
        conversation.stream()
            .map(message -> Map.of("role", message.role(), "content", message.content()))
            .toList());
    request.put("add_generation_prompt", true);
    request.putAll(specialTokens(tokenizer));
    String text = template.render(Conversation.prepare(template, request));
    // A template that writes the token itself must not get a second one.
    boolean begins =
        tokenizer
            .beginningOfSequence()
            .map(tokenizer::piece)
            .filter(piece -> !piece.isEmpty() && text.startsWith(piece))
            .isPresent();
    return tokenizer.encode(text, !begins, true);
  }

  /** What templates call the tokens that begin and end a sequence, with what they spell. */
  public static Map<String, String> specialTokens(Tokenizer tokenizer) {
    Map<String, String> tokens = new HashMap<>();
    tokenizer.beginningOfSequence().ifPresent(id -> tokens.put("bos_token", tokenizer.piece(id)));
    tokenizer.endOfSequence().ifPresent(id -> tokens.put("eos_token", tokenizer.piece(id)));
    return tokens;
  }

  /**
   * Whether it reads texts with an encoder, and begins tokens of its own about each: such a model
   * has no chats, and each text of a session stands for itself.
   */
  public boolean hasEncoder() {
    return decoderStart.isPresent();
  }

  /** The id that a decoder's tokens about a text begin with. */
  OptionalInt decoderStart() {
    return decoderStart;
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** The model's own chat template, if its file has one. */
  public Optional<ChatTemplate> chatTemplate() {
    return chatTemplate;
  }

  public ModelDescription description() {
    return description;
  }

  /** Tokens that one session can hold. */
  public int contextLength() {
    return description.contextLength();
  }

  @Override
  public void close() {
    List<Session> open;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      open = List.copyOf(sessions);
    }
    open.forEach(Session::close);
    resources.close();
  }
}
