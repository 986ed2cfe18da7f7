package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Makes a tokenizer of a file of tiktoken: on each line a token in base64 and its rank, which is
 * its id. A pair of neighbours merges if they are a token together, that of the lowest rank first.
 */
final class TiktokenFile {
  private TiktokenFile() {}

  /**
   * @param file what errors call the file
   * @param pattern what cuts a text into words: what it does not match is left out
   * @param special names and ids of control tokens
   */
  static PipelineTokenizer read(
      String file, String text, String pattern, Map<String, Integer> special) {
    VocabularyBuilder builder = new VocabularyBuilder(file);
    int line = 0;
    for (String entry : (Iterable<String>) text.lines()::iterator) {
      line++;
      if (!entry.isEmpty()) {
        add(builder, file + ": line " + line, entry);
      }
    }
    Vocabulary ofText = builder.build();
    int count = builder.count();
    for (int token : BytePairs.byteTokens(ofText)) {
      if (token < 0) {
        throw new FormatException(file + ": not every byte has a token");
      }
    }
    float[] scores = new float[ofText.size()];
    for (int id = 0; id < scores.length; id++) {
      scores[id] = -id;
    }
    List<SpecialTokens.Rule> rules = new ArrayList<>();
    special.forEach(
        (name, id) -> {
          if (name.isEmpty() || id < 0 || id > VocabularyBuilder.MAX_ID) {
            throw new FormatException(file + ": the special token '" + name + "' with id " + id);
          }
          builder.addAdded(id, name, true);
          rules.add(new SpecialTokens.Rule(id, name, false, false, false, false));
        });
    OptionalInt none = OptionalInt.empty();
    Optional<Splitter> known = KnownPatterns.splitter(pattern, Flavour.RUST);
    Splitter splitter =
        known.isPresent()
            ? known.get()
            : new PatternSplitter(
                TextPattern.of(file + ": the pattern", pattern, Flavour.RUST),
                SplitBehavior.REMOVED,
                true);
    return new PipelineTokenizer(
        new PipelineTokenizer.Parts(
            builder.rebuild(ofText, count),
            new TokenRoles(none, none, none, none, false, false, Set.of()),
            new SpecialTokens(file, rules, true),
            new SpecialTokens(file, List.of(), true),
            Normalization.NONE,
            splitter,
            new ScoredPairs(ofText, scores, new ScoredPairs.Options(new int[0], -1, true, true)),
            PostProcessing.NONE,
            new PieceDecoders.Bytes(),
            Map.of()));
  }

  private static void add(VocabularyBuilder builder, String place, String entry) {
    int space = entry.indexOf(' ');
    byte[] bytes;
    long rank;
    try {
      bytes = Base64.getDecoder().decode(entry.substring(0, Math.max(space, 0)));
      rank = Long.parseLong(entry.substring(space + 1).strip());
    } catch (IllegalArgumentException e) {
      throw new FormatException(place + " is not base64 and a rank", e);
    }
    if (bytes.length == 0 || rank < 0 || rank > VocabularyBuilder.MAX_ID) {
      throw new FormatException(place + " has no token, or an impossible rank");
    }
    builder.add(place, (int) rank, ByteLetters.letters(bytes, 0, bytes.length), Vocabulary.NORMAL);
  }
}
