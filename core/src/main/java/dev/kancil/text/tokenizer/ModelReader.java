package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads the {@code model} of a tokenizer.json. */
final class ModelReader {
  /** A model, and what cuts the words that it takes further; that may be nothing. */
  record Read(WordModel model, Splitter splitter) {}

  private final JsonFields json;
  private final String type;

  /** Scores of a unigram model's pieces, by id. */
  private double[] scores = new double[0];

  ModelReader(JsonFields json) {
    this.json = json;
    this.type = json.text("type").orElseGet(this::guessedType);
  }

  /** Old files don't say. */
  private String guessedType() {
    if (json.has("merges")) {
      return "BPE";
    }
    if (json.has("unk_id")) {
      return "Unigram";
    }
    return json.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
  }

  /** Reads the tokens. */
  void addTokens(VocabularyBuilder vocabulary) {
    if (json.value("vocab") instanceof List<?>) {
      addPieces(vocabulary);
      return;
    }
    JsonFields tokens = json.requiredObject("vocab");
    for (Map.Entry<String, @Nullable Object> token : tokens.fields().entrySet()) {
      String place = json.place("vocab");
      if (Utf8.hasLoneSurrogate(token.getKey())) {
        throw new FormatException(place + ": a token has half a surrogate pair");
      }
      int id =
          JsonFields.integer(
              place + ": '" + MergeTable.shown(token.getKey()) + "'",
              token.getValue(),
              0,
              VocabularyBuilder.MAX_ID);
      vocabulary.add(place, id, token.getKey(), Vocabulary.NORMAL);
    }
  }

  private void addPieces(VocabularyBuilder vocabulary) {
    List<@Nullable Object> pieces = json.list("vocab");
    scores = new double[pieces.size()];
    if (pieces.size() > VocabularyBuilder.MAX_ID) {
      throw json.fail("vocab", "has " + pieces.size() + " pieces");
    }
    for (int id = 0; id < scores.length; id++) {
      String place = json.place("vocab") + "[" + id + "]";
      if (!(pieces.get(id) instanceof List<?> pair
          && pair.size() == 2
          && pair.get(0) instanceof String text
          && pair.get(1) instanceof Number score
          && !Utf8.hasLoneSurrogate(text)
          && Double.isFinite(score.doubleValue()))) {
        throw new FormatException(place + " is not a piece and its score");
      }
      scores[id] = score.doubleValue();
      vocabulary.add(place, id, text, Vocabulary.NORMAL);
    }
  }

  /**
   * Reads the rest.
   *
   * @param cut how words come
   */
  Read read(Vocabulary vocabulary, SplitterReader.Cut cut) {
    return switch (type) {
      case "BPE" -> pairs(vocabulary, cut);
      case "Unigram" -> new Read(unigram(vocabulary), cut.whole());
      case "WordPiece" -> {
        int unknown = requiredUnknown(vocabulary, "[UNK]");
        int longest = json.integer("max_input_chars_per_word", 0, Integer.MAX_VALUE, 100);
        String prefix = json.text("continuing_subword_prefix").orElse("##");
        yield new Read(new WordPieces(trie(vocabulary), unknown, prefix, longest), cut.whole());
      }
      case "WordLevel" ->
          new Read(new WholeWords(vocabulary, requiredUnknown(vocabulary, "<unk>")), cut.whole());
      default ->
          throw new UnsupportedException(
              json.place("type") + ": the model " + MergeTable.shown(type) + " is not known");
    };
  }

  private ByteTrie trie(Vocabulary vocabulary) {
    if (vocabulary.index().longest() > ByteTrie.MAX_PIECE) {
      throw json.fail("vocab", "has a piece of " + vocabulary.index().longest() + " characters");
    }
    int[] ids = new int[vocabulary.size()];
    Arrays.setAll(ids, id -> id);
    return new ByteTrie(vocabulary.file(), vocabulary, ids);
  }

  private int requiredUnknown(Vocabulary vocabulary, String orElse) {
    String name = json.text("unk_token").orElse(orElse);
    int id = vocabulary.find(name);
    if (id < 0) {
      throw json.fail("unk_token", "'" + MergeTable.shown(name) + "' is not in the vocabulary");
    }
    return id;
  }

  private UnigramModel unigram(Vocabulary vocabulary) {
    if (scores.length == 0) {
      throw json.fail("vocab", "is not an array of pieces and scores");
    }
    int unknown = json.integer("unk_id", 0, scores.length - 1, -1);
    int[] bytes =
        json.bool("byte_fallback", false)
            ? CharacterPairs.byteTokens(vocabulary, true)
            : new int[0];
    return new UnigramModel(
        trie(vocabulary),
        Arrays.stream(scores).min().orElseThrow(),
        new UnigramModel.Options(scores, unknown, bytes, false));
  }

  private Read pairs(Vocabulary vocabulary, SplitterReader.Cut cut) {
    if (json.value("dropout") instanceof Number dropout && dropout.doubleValue() != 0) {
      throw new UnsupportedException(
          json.place("dropout") + ": merges left out at random are not supported");
    }
    if (!json.has("merges")) {
      throw json.fail("merges", "is missing");
    }
    String prefix = json.text("continuing_subword_prefix").orElse("");
    String suffix = json.text("end_of_word_suffix").orElse("");
    MergeTable merges = MergeTable.of(vocabulary, mergedPairs(), json.place("merges"), prefix);
    Optional<String> unknownName = json.text("unk_token").filter(name -> !name.isEmpty());
    int unknown = unknownName.map(vocabulary::find).orElse(-1);
    boolean byteFallback = json.bool("byte_fallback", false);
    boolean wholeWords = json.bool("ignore_merges", false);
    boolean allBytes =
        Arrays.stream(BytePairs.byteTokens(vocabulary)).allMatch(token -> token >= 0);
    if (cut.bytesLast()
        && prefix.isEmpty()
        && suffix.isEmpty()
        && (allBytes || (unknown < 0 && !byteFallback))) {
      return new Read(
          new BytePairs(vocabulary, merges, new BytePairs.Options(wholeWords, true)),
          cut.splitter());
    }
    CharacterPairs model =
        new CharacterPairs(
            vocabulary,
            merges,
            new CharacterPairs.Options(
                unknown, json.bool("fuse_unk", false), byteFallback, wholeWords, prefix, suffix));
    boolean mayCut = model.mergesAlone() && vocabulary.find("▁") >= 0;
    return new Read(
        model, mayCut ? cut.whole().then(SpaceSplitter.of(vocabulary, false)) : cut.whole());
  }

  /** Left and right tokens in turns, from both forms that files have. */
  private String[] mergedPairs() {
    List<@Nullable Object> merges = json.list("merges");
    String[] pairs = new String[Math.multiplyExact(2, merges.size())];
    for (int rank = 0; rank < merges.size(); rank++) {
      Object merge = merges.get(rank);
      if (merge instanceof String text) {
        int space = text.indexOf(' ');
        if (space <= 0 || space + 1 == text.length() || text.indexOf(' ', space + 1) >= 0) {
          throw notTwo(rank, text);
        }
        pairs[2 * rank] = text.substring(0, space);
        pairs[2 * rank + 1] = text.substring(space + 1);
      } else if (merge instanceof List<?> list
          && list.size() == 2
          && list.get(0) instanceof String left
          && list.get(1) instanceof String right
          && !left.isEmpty()
          && !right.isEmpty()) {
        pairs[2 * rank] = left;
        pairs[2 * rank + 1] = right;
      } else {
        throw notTwo(rank, String.valueOf(merge));
      }
    }
    return pairs;
  }

  private FormatException notTwo(int rank, String merge) {
    return new FormatException(
        json.place("merges")
            + "["
            + rank
            + "] is not two tokens but '"
            + MergeTable.shown(merge)
            + "'");
  }
}
