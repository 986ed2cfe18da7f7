package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.Engine;
import dev.kancil.engine.Sequence;
import dev.kancil.family.Families;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.text.template.ChatTemplate;
import dev.kancil.text.template.Conversation;
import dev.kancil.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private final Set<Session> sessions = new HashSet<>();
  private boolean closed;

  private Model(
      Resources resources,
      Engine engine,
      Tokenizer tokenizer,
      Optional<ChatTemplate> chatTemplate,
      ModelDescription description) {
    this.resources = resources;
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.chatTemplate = chatTemplate;
    this.description = description;
  }

  /** Opens a GGUF file with {@link ModelOptions#DEFAULT}. */
  public static Model open(Path path) {
    return open(path, ModelOptions.DEFAULT);
  }

  /**
   * Opens a GGUF file, or any part of a split one, and makes it ready on a device.
   *
   * @throws FormatException if the file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if its architecture, or a type on the device, is not supported
   * @throws InvalidRequestException if an option doesn't fit the model or the machine
   * @throws DeviceException if the device is not available or has too little memory
   */
  public static Model open(Path path, ModelOptions options) {
    Resources resources = new Resources();
    try {
      GgufFile file = resources.add(GgufFile.open(path), GgufFile::close);
      GgufCheckpoint checkpoint = new GgufCheckpoint(file);
      Families.LoadedGraph loaded =
          Families.load(checkpoint, options.cacheKeyType(), options.cacheValueType());
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      if (tokenizer.vocabularySize() > loaded.vocabulary()) {
        throw new FormatException(
            path
                + ": the tokenizer has "
                + tokenizer.vocabularySize()
                + " tokens, but the model only "
                + loaded.vocabulary());
      }
      int context = options.contextLengthFor(loaded.contextLength());
      Device device =
          resources.add(
              Backends.open(options.device(), new DeviceOptions(options.threads())), Device::close);
      DeviceWeights weights = resources.add(device.weights(loaded.weights()), DeviceWeights::close);
      Engine.Limits limits =
          new Engine.Limits(
              options.stepTokens(),
              options.sessions(),
              context,
              Math.multiplyExact(context, options.sessions()));
      Engine engine =
          resources.add(new Engine(device, loaded.graph(), weights, limits), Engine::close);
      Optional<ChatTemplate> template =
          file.metadata()
              .string("tokenizer.chat_template")
              .map(source -> ChatTemplate.parse(path.toString(), source));
      ModelDescription description =
          new ModelDescription(
              path,
              checkpoint.architecture(),
              file.metadata().string("general.name").orElse(""),
              file.tensors().values().stream().mapToLong(tensor -> tensor.shape().elements()).sum(),
              tokenizer.vocabularySize(),
              context,
              loaded.contextLength(),
              file.fileBytes(),
              engine.bytes() + weights.bytes(),
              device.description());
      return new Model(resources, engine, tokenizer, template, description);
    } catch (Throwable e) {
      resources.close();
      throw e;
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
