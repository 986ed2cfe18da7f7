package dev.kancil.text.tokenizer;

import dev.kancil.UnsupportedException;
import dev.kancil.format.TextFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Reads a {@code tokenizer.json}, the file of Hugging Face's library, version 1.0. */
final class TokenizerJson {
  /** The largest of known models has 33 MB. */
  private static final long MAX_BYTES = 512L << 20;

  private TokenizerJson() {}

  /** The text of a file that is not absurdly large. */
  static String text(Path path) {
    return TextFile.read(path, MAX_BYTES);
  }

  /**
   * @param file what errors call the file
   */
  static PipelineTokenizer read(String file, String text) {
    return read(JsonFields.parse(file, text));
  }

  static PipelineTokenizer read(JsonFields json) {
    String file = json.file();
    String version = json.text("version").orElse("1.0");
    if (!version.equals("1.0")) {
      throw new UnsupportedException(
          json.place("version") + " is " + MergeTable.shown(version) + ", not 1.0");
    }
    ModelReader modelReader = new ModelReader(json.requiredObject("model"));
    VocabularyBuilder builder = new VocabularyBuilder(file);
    modelReader.addTokens(builder);
    Vocabulary ofModel = builder.build();
    int count = builder.count();
    AddedTokens added = AddedTokens.read(json);
    added.addTo(builder);
    Vocabulary vocabulary = builder.rebuild(ofModel, count);

    Normalization normalization =
        json.object("normalizer").map(NormalizationReader::read).orElse(Normalization.NONE);
    SplitterReader.Cut cut =
        json.object("pre_tokenizer")
            .map(SplitterReader::read)
            .orElse(new SplitterReader.Cut(new WholeText(), false));
    ModelReader.Read model = modelReader.read(ofModel, cut);
    PostProcessing processing =
        json.object("post_processor")
            .map(processor -> PostProcessingReader.read(processor, vocabulary.size()))
            .orElse(PostProcessing.NONE);
    TokenDecoder decoder =
        json.object("decoder").map(DecoderReader::read).orElse(PieceDecoders.SPACED);
    Map<Integer, String> texts = added.normalizedTexts(file, normalization);
    return new PipelineTokenizer(
        new PipelineTokenizer.Parts(
            vocabulary,
            noRoles(),
            added.finder(file, false, Map.of()),
            added.finder(file, true, texts),
            normalization,
            model.splitter(),
            model.model(),
            processing,
            decoder,
            texts));
  }

  /** The file gives no token a role. */
  private static TokenRoles noRoles() {
    OptionalInt none = OptionalInt.empty();
    return new TokenRoles(none, none, none, none, false, false, Set.of());
  }
}
