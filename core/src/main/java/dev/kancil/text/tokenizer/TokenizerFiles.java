package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a folder of a model's files says of text: its tokenizer with the roles of its tokens, and
 * its chat templates.
 *
 * @param chatTemplates the sources of the templates by name; the usual one is {@code default}
 */
public record TokenizerFiles(Tokenizer tokenizer, Map<String, String> chatTemplates) {
  static final String JSON = "tokenizer.json";

  public TokenizerFiles {
    chatTemplates = Map.copyOf(chatTemplates);
  }

  /**
   * Reads a folder as Hugging Face's libraries write it. The tokenizer is that of {@code
   * tokenizer.json}, or else of {@code tokenizer.model} or T5's {@code spiece.model}, or else of
   * {@code vocab.json} and {@code merges.txt}, or of {@code vocab.txt}; {@code
   * tokenizer_config.json}, {@code special_tokens_map.json}, {@code generation_config.json} and
   * {@code chat_template.jinja} add to it what they say, where they are there.
   *
   * @throws FormatException if a file is damaged or contradicts another, or if there is none
   * @throws UnsupportedException if a file asks for what is not known
   */
  public static TokenizerFiles read(Path folder) {
    TokenizerConfig config = TokenizerConfig.read(folder);
    return new TokenizerFiles(config.complete(tokenizer(folder, config)), config.chatTemplates());
  }

  private static PipelineTokenizer tokenizer(Path folder, TokenizerConfig config) {
    Path json = folder.resolve(JSON);
    if (Files.exists(json)) {
      return TokenizerJson.read(json.toString(), TokenizerJson.text(json));
    }
    Optional<Path> model = config.sentencePiece();
    if (model.isPresent()) {
      return config.around(SentencePieceFile.read(model.get()));
    }
    if (Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt"))) {
      return TokenizerJson.read(OlderFiles.pairs(folder, config));
    }
    if (Files.exists(folder.resolve("vocab.txt"))) {
      return TokenizerJson.read(OlderFiles.wordPieces(folder, config));
    }
    throw new FormatException(
        folder
            + ": there is no tokenizer.json, tokenizer.model, spiece.model of T5, vocab.json with"
            + " merges.txt, or vocab.txt");
  }

  /** The template for chats that need none of another name. */
  public Optional<String> chatTemplate() {
    return Optional.ofNullable(chatTemplates.get("default"));
  }

  /** All ids after which generation ends. */
  public Set<Integer> endOfGeneration() {
    return tokenizer.endOfGeneration();
  }
}
