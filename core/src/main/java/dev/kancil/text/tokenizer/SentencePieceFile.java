package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.text.tokenizer.SentencePieceModel.Piece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Makes a tokenizer of a {@code tokenizer.model} of SentencePiece. */
final class SentencePieceFile {
  private static final long MAX_BYTES = 256L << 20;

  private final SentencePieceModel model;
  private final Vocabulary vocabulary;

  /** Pieces that text may become, at their ids. */
  private final Vocabulary ofText;

  private final List<SpecialTokens.Rule> control = new ArrayList<>();
  private final List<SpecialTokens.Rule> userDefined = new ArrayList<>();
  private int unknown = -1;

  private SentencePieceFile(SentencePieceModel model) {
    this.model = model;
    VocabularyBuilder all = new VocabularyBuilder(model.file);
    String[] texts = new String[model.pieces.size()];
    for (int id = 0; id < texts.length; id++) {
      Piece piece = model.pieces.get(id);
      all.add(model.file + ": pieces", id, piece.text(), piece.kind());
      texts[id] = isText(piece.kind()) ? piece.text() : "";
      switch (piece.kind()) {
        case Vocabulary.UNKNOWN -> {
          if (unknown >= 0) {
            throw new FormatException(
                model.file + ": the pieces " + unknown + " and " + id + " are both unknown");
          }
          unknown = id;
        }
        case Vocabulary.CONTROL ->
            control.add(new SpecialTokens.Rule(id, piece.text(), false, false, false, false));
        case Vocabulary.USER_DEFINED ->
            userDefined.add(new SpecialTokens.Rule(id, piece.text(), true, false, false, false));
        default -> {}
      }
    }
    vocabulary = all.build();
    ofText = new Vocabulary(model.file, texts, new byte[texts.length]);
  }

  private static boolean isText(int kind) {
    return kind == Vocabulary.NORMAL || kind == Vocabulary.USER_DEFINED;
  }

  static PipelineTokenizer read(Path path) {
    return read(path.toString(), bytes(path));
  }

  /**
   * The unigram model of a GGUF file, which has the token of the end behind a text unless the file
   * says otherwise.
   */
  static PipelineTokenizer read(GgufMetadata metadata) {
    Vocabulary read = Vocabulary.read(metadata);
    PipelineTokenizer.Parts parts =
        new SentencePieceFile(SentencePieceModel.read(metadata, read)).tokenizer().parts();
    Vocabulary vocabulary = parts.vocabulary();
    TokenRoles roles =
        TokenRoles.read(metadata, vocabulary, new TokenRoles.Defaults(-1, 1, 2, -1, false));
    PostProcessing processing = PostProcessing.NONE;
    if (roles.addsBeginning() && roles.beginning().isPresent()) {
      processing = processing.withBeginning(roles.beginning().getAsInt(), true);
    }
    boolean addsEnd = metadata.bool("tokenizer.ggml.add_eos_token").orElse(true);
    if (addsEnd && roles.end().isPresent()) {
      processing = processing.withEnd(roles.end().getAsInt(), true);
    }
    return new PipelineTokenizer(
        parts
            .withTokens(vocabulary, SpecialTokens.of(metadata, vocabulary))
            .with(
                TokenRoles.of(
                    vocabulary,
                    roles.beginning(),
                    roles.end(),
                    processing,
                    roles.endOfGeneration()),
                processing));
  }

  /** What the file says. */
  static SentencePieceModel model(Path path) {
    return SentencePieceModel.read(path.toString(), bytes(path));
  }

  private static byte[] bytes(Path path) {
    try {
      if (Files.size(path) > MAX_BYTES) {
        throw new FormatException(path + ": it has " + Files.size(path) + " bytes");
      }
      return Files.readAllBytes(path);
    } catch (IOException e) {
      throw new FormatException(path + ": it can't be read: " + e.getMessage(), e);
    }
  }

  static PipelineTokenizer read(String file, byte[] bytes) {
    SentencePieceModel model = SentencePieceModel.read(file, bytes);
    if (model.denormalizes) {
      throw new UnsupportedException(
          file + ": denormalizer_spec has rules, which is not supported");
    }
    return new SentencePieceFile(model).tokenizer();
  }

  private PipelineTokenizer tokenizer() {
    int[] bytes = new int[0];
    if (model.byteFallback) {
      bytes = CharacterPairs.byteTokens(vocabulary, true);
      for (int value = 0; value < 256; value++) {
        if (bytes[value] < 0 || !vocabulary.is(bytes[value], Vocabulary.BYTE)) {
          throw new FormatException(
              model.file + ": byte_fallback is on, but there is no byte piece for " + value);
        }
      }
    } else if (unknown < 0) {
      throw new FormatException(model.file + ": there is no unknown piece");
    }
    WordModel words =
        switch (model.modelType) {
          case SentencePieceModel.UNIGRAM -> unigram(bytes);
          case SentencePieceModel.BYTE_PAIRS -> pairs(bytes);
          default ->
              throw new UnsupportedException(
                  model.file
                      + ": trainer_spec.model_type is "
                      + model.modelType
                      + "; supported are 1 (unigram) and 2 (BPE)");
        };
    boolean pairs = model.modelType == SentencePieceModel.BYTE_PAIRS;
    // A run of unknown characters is one unknown piece: it must not be cut.
    boolean mayCut = pairs && ofText.find("▁") >= 0;
    return new PipelineTokenizer(
        new PipelineTokenizer.Parts(
            vocabulary,
            roles(),
            new SpecialTokens(model.file, control, true),
            new SpecialTokens(model.file, pairs ? userDefined : List.of(), true),
            normalization(),
            mayCut ? SpaceSplitter.of(ofText, false) : new WholeText(),
            words,
            PostProcessing.NONE,
            new SentencePieceDecoder(model.addsSpace || model.removesSpaces, model.removesSpaces),
            Map.of()));
  }

  private Normalization normalization() {
    Optional<CharsMap> map =
        model.charsMap.length == 0
            ? Optional.empty()
            : Optional.of(
                CharsMap.of(model.file + ": normalizer_spec.precompiled_charsmap", model.charsMap));
    return new SentencePieceNormalization(
        map,
        new ByteTrie(
            model.file,
            userDefined.stream().map(SpecialTokens.Rule::text).toArray(String[]::new),
            userDefined.stream().mapToInt(SpecialTokens.Rule::id).toArray()),
        model.addsSpace,
        model.spaceBehind,
        model.removesSpaces,
        model.escapesSpaces);
  }

  private WordModel pairs(int[] bytes) {
    float[] scores = new float[model.pieces.size()];
    for (int id = 0; id < scores.length; id++) {
      scores[id] = model.pieces.get(id).score();
      if (model.pieces.get(id).kind() == Vocabulary.UNUSED) {
        throw new UnsupportedException(
            model.file + ": pieces[" + id + "] is unused, which BPE is not supported with");
      }
    }
    return new ScoredPairs(ofText, scores, new ScoredPairs.Options(bytes, unknown, false, false));
  }

  private WordModel unigram(int[] bytes) {
    double[] scores = new double[model.pieces.size()];
    int[] ids = new int[scores.length];
    Arrays.setAll(ids, id -> id);
    float least = Float.MAX_VALUE;
    float most = -Float.MAX_VALUE;
    for (Piece piece : model.pieces) {
      if (piece.kind() == Vocabulary.NORMAL) {
        least = Math.min(least, piece.score());
        most = Math.max(most, piece.score());
      }
    }
    for (int id = 0; id < scores.length; id++) {
      Piece piece = model.pieces.get(id);
      // A user-defined symbol wins over all that it covers.
      scores[id] =
          piece.kind() == Vocabulary.USER_DEFINED
              ? (double) (Utf8.encodedLength(piece.text()) * most) - 0.1
              : piece.score();
    }
    return new UnigramModel(
        new ByteTrie(model.file, ofText, ids),
        least,
        new UnigramModel.Options(scores, unknown, bytes, model.sumsAreSingle));
  }

  private TokenRoles roles() {
    return new TokenRoles(
        role(model.beginning),
        role(model.end),
        unknown < 0 ? OptionalInt.empty() : OptionalInt.of(unknown),
        OptionalInt.empty(),
        false,
        false,
        role(model.end).isPresent() ? Set.of(model.end) : Set.of());
  }

  /** A token that has a role; a file may name one that it hasn't. */
  private OptionalInt role(int id) {
    return id >= 0 && id < vocabulary.size() && vocabulary.is(id, Vocabulary.CONTROL)
        ? OptionalInt.of(id)
        : OptionalInt.empty();
  }
}
