package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@code tokenizer.model} of SentencePiece says (its sentencepiece_model.proto), as far as
 * encoding and decoding need it.
 */
final class SentencePieceModel {
  static final int UNIGRAM = 1;
  static final int BYTE_PAIRS = 2;

  /** A piece with its type: a kind of {@link Vocabulary}. */
  record Piece(String text, float score, int kind) {}

  /** By the format's number for a piece's type. */
  private static final int[] KINDS = {
    0,
    Vocabulary.NORMAL,
    Vocabulary.UNKNOWN,
    Vocabulary.CONTROL,
    Vocabulary.USER_DEFINED,
    Vocabulary.UNUSED,
    Vocabulary.BYTE
  };

  final String file;
  final List<Piece> pieces = new ArrayList<>();
  int modelType = UNIGRAM;
  boolean byteFallback;
  boolean spaceBehind;
  int beginning = 1;
  int end = 2;
  byte[] charsMap = new byte[0];
  boolean addsSpace = true;
  boolean removesSpaces = true;
  boolean escapesSpaces = true;
  boolean denormalizes;

  /** Whether sums of scores are rounded to float32. */
  boolean sumsAreSingle = true;

  private SentencePieceModel(String file) {
    this.file = file;
  }

  static SentencePieceModel read(String file, byte[] bytes) {
    SentencePieceModel model = new SentencePieceModel(file);
    ProtobufReader fields = new ProtobufReader(file, bytes);
    while (fields.next()) {
      switch (fields.number()) {
        case 1 -> model.pieces.add(piece(file, model.pieces.size(), fields.bytes()));
        case 2 -> model.trainer(new ProtobufReader(file + ": trainer_spec", fields.bytes()));
        case 3 -> model.normalizer(new ProtobufReader(file + ": normalizer_spec", fields.bytes()));
        case 5 ->
            model.denormalizer(new ProtobufReader(file + ": denormalizer_spec", fields.bytes()));
        default -> {}
      }
      if (model.pieces.size() > VocabularyBuilder.MAX_ID) {
        throw new FormatException(file + ": it has too many pieces");
      }
    }
    if (model.pieces.isEmpty()) {
      throw new FormatException(file + ": it has no pieces");
    }
    return model;
  }

  /** The unigram model that a GGUF file's tokenizer {@code t5} is. */
  static SentencePieceModel read(GgufMetadata metadata, Vocabulary vocabulary) {
    SentencePieceModel model = new SentencePieceModel(metadata.file());
    float[] scores = SentencePieceTokenizer.scores(metadata, vocabulary);
    for (int id = 0; id < scores.length; id++) {
      String place = metadata.file() + ": token " + id;
      model.pieces.add(
          checked(place, vocabulary.text(id), scores[id], Math.max(1, vocabulary.kind(id))));
    }
    model.sumsAreSingle = false;
    model.charsMap = charsMap(metadata);
    model.addsSpace = metadata.bool("tokenizer.ggml.add_space_prefix").orElse(true);
    model.removesSpaces = metadata.bool("tokenizer.ggml.remove_extra_whitespaces").orElse(false);
    return model;
  }

  private static byte[] charsMap(GgufMetadata metadata) {
    long[] values = metadata.integers("tokenizer.ggml.precompiled_charsmap");
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static Piece checked(String place, String text, float score, int kind) {
    if (text.isEmpty() || text.length() > ByteTrie.MAX_PIECE) {
      throw new FormatException(place + ": it has " + text.length() + " characters");
    }
    if (!Float.isFinite(score)) {
      throw new FormatException(place + ": its score is no number");
    }
    if (kind == Vocabulary.BYTE && Vocabulary.byteOf(text) < 0) {
      throw new FormatException(place + ": '" + MergeTable.shown(text) + "' names no byte");
    }
    return new Piece(text, score, kind);
  }

  private static Piece piece(String file, int id, byte[] bytes) {
    String place = file + ": pieces[" + id + "]";
    ProtobufReader fields = new ProtobufReader(place, bytes);
    String text = "";
    float score = 0;
    long type = 1;
    while (fields.next()) {
      switch (fields.number()) {
        case 1 -> text = fields.text();
        case 2 -> score = fields.real();
        case 3 -> type = fields.integer();
        default -> {}
      }
    }
    if (type < 1 || type >= KINDS.length) {
      throw new FormatException(place + ": it is of the unknown type " + type);
    }
    return checked(place, text, score, KINDS[(int) type]);
  }

  private void trainer(ProtobufReader fields) {
    while (fields.next()) {
      switch (fields.number()) {
        case 3 -> modelType = (int) fields.integer();
        case 24 -> spaceBehind = fields.bool();
        case 35 -> byteFallback = fields.bool();
        case 41 -> beginning = (int) fields.integer();
        case 42 -> end = (int) fields.integer();
        default -> {}
      }
    }
  }

  private void normalizer(ProtobufReader fields) {
    while (fields.next()) {
      switch (fields.number()) {
        case 2 -> charsMap = fields.bytes();
        case 3 -> addsSpace = fields.bool();
        case 4 -> removesSpaces = fields.bool();
        case 5 -> escapesSpaces = fields.bool();
        default -> {}
      }
    }
  }

  private void denormalizer(ProtobufReader fields) {
    while (fields.next()) {
      if (fields.number() == 2) {
        denormalizes = fields.bytes().length > 0;
      }
    }
  }
}
