package dev.kancil;

import dev.kancil.format.Adapter;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.text.tokenizer.Tokenizer;
import dev.kancil.text.tokenizer.TokenizerFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A model as it lies on disk, whatever the format: a GGUF file with all in it, or a folder as
 * Hugging Face transformers writes it. Closing gives back its memory.
 */
public final class ModelFiles implements AutoCloseable {
  private final Path path;
  private final Checkpoint checkpoint;
  private final String modelName;
  private final long bytes;
  private final List<Adapter> adapters = new ArrayList<>();

  private ModelFiles(Path path, Checkpoint checkpoint, String modelName, long bytes) {
    this.path = path;
    this.checkpoint = checkpoint;
    this.modelName = modelName;
    this.bytes = bytes;
  }

  /**
   * Opens a GGUF file, any part of a split one, or a folder with {@code config.json}.
   *
   * @throws FormatException if it can't be read, is damaged, or something is missing
   * @throws UnsupportedException if it asks for what is not known
   */
  public static ModelFiles open(Path path) {
    if (!Files.isDirectory(path)) {
      return of(GgufFile.open(path));
    }
    HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(path);
    return new ModelFiles(path, checkpoint, "", checkpoint.bytes());
  }

  /** An open GGUF file, which closing this closes. */
  public static ModelFiles of(GgufFile file) {
    return new ModelFiles(
        file.path(),
        new GgufCheckpoint(file),
        file.metadata().string("general.name").orElse(""),
        file.fileBytes());
  }

  /**
   * Reads the tokenizer and chat templates of a GGUF file or of a folder, which needs no weights.
   *
   * @throws FormatException if there are none, or they are damaged
   * @throws UnsupportedException if they ask for what is not known
   */
  public static TokenizerFiles text(Path path) {
    if (Files.isDirectory(path)) {
      return TokenizerFiles.read(path);
    }
    try (ModelFiles files = open(path)) {
      return files.text();
    }
  }

  public Path path() {
    return path;
  }

  public Checkpoint checkpoint() {
    return checkpoint;
  }

  /**
   * Opens adapters, which closing this closes.
   *
   * @throws FormatException if one can't be read, is damaged, or is no adapter
   * @throws UnsupportedException if one changes weights in a way that is not known
   */
  public List<Adapter> adapters(List<LoraAdapter> wanted) {
    List<Adapter> opened = new ArrayList<>();
    for (LoraAdapter adapter : wanted) {
      opened.add(adapter.open());
      adapters.add(opened.getLast());
    }
    return opened;
  }

  /** What it calls the model; empty if it doesn't. */
  public String modelName() {
    return modelName;
  }

  /** Bytes of its files of weights. */
  public long bytes() {
    return bytes;
  }

  /** How many numbers its tensors have. */
  public long parameters() {
    return checkpoint.tensorNames().stream()
        .mapToLong(name -> checkpoint.tensor(name).orElseThrow().shape().elements())
        .sum();
  }

  /**
   * Reads the tokenizer and chat templates.
   *
   * @throws FormatException if there are none, or they are damaged
   * @throws UnsupportedException if they ask for what is not known
   */
  public TokenizerFiles text() {
    return switch (checkpoint) {
      case GgufCheckpoint gguf -> {
        Map<String, String> templates =
            gguf.file()
                .metadata()
                .string("tokenizer.chat_template")
                .map(source -> Map.of("default", source))
                .orElse(Map.of());
        yield new TokenizerFiles(Tokenizer.of(gguf.file().metadata()), templates);
      }
      default -> TokenizerFiles.read(path);
    };
  }

  @Override
  public void close() {
    adapters.forEach(Adapter::close);
    checkpoint.close();
  }
}
