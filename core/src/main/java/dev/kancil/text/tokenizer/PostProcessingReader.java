package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Reads the {@code post_processor} of a tokenizer.json. */
final class PostProcessingReader {
  /** What a template says where a text stands. */
  private static final int FIRST = -1;

  private static final int SECOND = -2;

  private PostProcessingReader() {}

  /**
   * @param size how many tokens there are
   */
  static PostProcessing read(JsonFields json, int size) {
    String type = json.requiredText("type");
    return switch (type) {
      case "ByteLevel" -> PostProcessing.NONE;
      case "TemplateProcessing" -> template(json, size);
      case "BertProcessing" -> {
        int[] separator = {id(json, "sep", size)};
        int[] beginning = {id(json, "cls", size)};
        yield new PostProcessing(
            beginning, separator, new PostProcessing.Pair(beginning, separator, separator));
      }
      case "RobertaProcessing" -> {
        int separator = id(json, "sep", size);
        int[] beginning = {id(json, "cls", size)};
        yield new PostProcessing(
            beginning,
            new int[] {separator},
            new PostProcessing.Pair(
                beginning, new int[] {separator, separator}, new int[] {separator}));
      }
      case "Sequence" -> {
        PostProcessing all = PostProcessing.NONE;
        for (JsonFields step : json.steps("processors")) {
          PostProcessing next = read(step, size);
          if (!next.isNone() && !all.isNone()) {
            throw new UnsupportedException(
                json.place("processors") + ": only one of them may add tokens");
          }
          all = next.isNone() ? all : next;
        }
        yield all;
      }
      default ->
          throw new UnsupportedException(
              json.place("type")
                  + ": the post-processor "
                  + MergeTable.shown(type)
                  + " is not known");
    };
  }

  /** The id of a token that is written as its text and its id. */
  private static int id(JsonFields json, String name, int size) {
    List<?> pair = json.list(name);
    if (pair.size() != 2) {
      throw json.fail(name, "is not a token and its id");
    }
    return JsonFields.integer(json.place(name) + "[1]", pair.get(1), 0, size - 1);
  }

  private static PostProcessing template(JsonFields json, int size) {
    int[] single = pieces(json, "single", size);
    int[] pair = json.has("pair") ? pieces(json, "pair", size) : new int[] {FIRST, SECOND};
    int first = only(json, "single", single, FIRST);
    int pairFirst = only(json, "pair", pair, FIRST);
    int pairSecond = only(json, "pair", pair, SECOND);
    if (pairSecond < pairFirst || count(single, SECOND) > 0) {
      throw new UnsupportedException(json.place("pair") + ": texts in another order");
    }
    return new PostProcessing(
        Arrays.copyOfRange(single, 0, first),
        Arrays.copyOfRange(single, first + 1, single.length),
        new PostProcessing.Pair(
            Arrays.copyOfRange(pair, 0, pairFirst),
            Arrays.copyOfRange(pair, pairFirst + 1, pairSecond),
            Arrays.copyOfRange(pair, pairSecond + 1, pair.length)));
  }

  private static int only(JsonFields json, String name, int[] pieces, int wanted) {
    if (count(pieces, wanted) != 1) {
      throw new UnsupportedException(
          json.place(name)
              + " has the "
              + (wanted == FIRST ? "first" : "second")
              + " text not once but "
              + count(pieces, wanted)
              + " times");
    }
    int at = 0;
    while (pieces[at] != wanted) {
      at++;
    }
    return at;
  }

  private static int count(int[] pieces, int wanted) {
    return (int) Arrays.stream(pieces).filter(piece -> piece == wanted).count();
  }

  private static int[] pieces(JsonFields json, String name, int size) {
    List<Integer> pieces = new ArrayList<>();
    for (JsonFields piece : json.objects(name)) {
      if (piece.has("Sequence")) {
        String text = piece.requiredObject("Sequence").requiredText("id");
        switch (text) {
          case "A" -> pieces.add(FIRST);
          case "B" -> pieces.add(SECOND);
          default -> throw piece.fail("Sequence.id", "is neither A nor B");
        }
        continue;
      }
      String token = piece.requiredObject("SpecialToken").requiredText("id");
      JsonFields tokens = json.requiredObject("special_tokens");
      if (!tokens.has(token)) {
        throw new FormatException(
            piece.place("SpecialToken.id")
                + ": '"
                + MergeTable.shown(token)
                + "' is not among the special_tokens");
      }
      JsonFields ids = tokens.requiredObject(token);
      for (Object id : ids.list("ids")) {
        pieces.add(JsonFields.integer(ids.place("ids"), id, 0, size - 1));
      }
    }
    return pieces.stream().mapToInt(Integer::intValue).toArray();
  }
}
