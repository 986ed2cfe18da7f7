package dev.kancil.text.tokenizer;

import dev.kancil.format.json.Json;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Texts with what another library made of them, from a file that scripts/check-tokenizers writes.
 *
 * @param name the file's name
 */
record ExpectedIds(String name, List<Expected> texts) {
  /**
   * One text.
   *
   * @param plain its ids where the names of special tokens mean nothing
   * @param parsed its ids where they do, or none: that library knows no such thing
   * @param special the same with the tokens that the model wants around a text
   * @param pair the ids of this text and its beginning as a pair, or none: not compared
   * @param decoded the text of the special ids
   */
  record Expected(
      String text, int[] plain, int[] parsed, int[] special, int[] pair, String decoded) {}

  static ExpectedIds read(Path path) {
    try (var in = new DataInputStream(new GZIPInputStream(Files.newInputStream(path), 1 << 16))) {
      List<Expected> texts = new ArrayList<>();
      for (int i = number(in); i > 0; i--) {
        texts.add(new Expected(text(in), ids(in), ids(in), ids(in), ids(in), text(in)));
      }
      return new ExpectedIds(path.getFileName().toString(), texts);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int number(DataInputStream in) throws IOException {
    int number = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = in.readByte();
      number |= (next & 0x7F) << shift;
      if (next >= 0) {
        return number;
      }
    }
  }

  private static String text(DataInputStream in) throws IOException {
    return new String(in.readNBytes(number(in)), StandardCharsets.UTF_8);
  }

  private static int[] ids(DataInputStream in) throws IOException {
    int[] ids = new int[number(in)];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = number(in);
    }
    return ids;
  }

  /** What a tokenizer does differently, a line for each. */
  List<String> differences(Tokenizer tokenizer) {
    List<String> differences = new ArrayList<>();
    for (Expected expected : texts) {
      String text = expected.text();
      boolean parses = expected.parsed().length > 0;
      compare("plain", text, expected.plain(), tokenizer.encode(text, false, false), differences);
      if (parses) {
        compare(
            "parsed", text, expected.parsed(), tokenizer.encode(text, false, true), differences);
      }
      compare(
          "special", text, expected.special(), tokenizer.encode(text, true, parses), differences);
      if (expected.pair().length > 0) {
        String beginning =
            text.substring(
                0, text.offsetByCodePoints(0, Math.min(7, text.codePointCount(0, text.length()))));
        compare(
            "pair",
            text,
            expected.pair(),
            tokenizer.encodePair(text, beginning, true).ids(),
            differences);
      }
      String decoded = tokenizer.decode(expected.special());
      if (!decoded.equals(expected.decoded())) {
        differences.add("decoded '" + shown(expected.decoded()) + "' as '" + shown(decoded) + "'");
      }
      StreamingDecoder decoder = tokenizer.decoder();
      StringBuilder streamed = new StringBuilder();
      for (int id : expected.special()) {
        streamed.append(decoder.next(id));
      }
      if (!streamed.append(decoder.flush()).toString().equals(decoded)) {
        differences.add(
            "streamed '" + shown(decoded) + "' as '" + shown(streamed.toString()) + "'");
      }
    }
    return differences;
  }

  private static void compare(
      String what, String text, int[] expected, int[] actual, List<String> differences) {
    if (!Arrays.equals(expected, actual)) {
      int at = Math.max(0, Arrays.mismatch(expected, actual) - 2);
      differences.add(
          what
              + " of '"
              + shown(text)
              + "', from "
              + at
              + ": "
              + shown(expected, at)
              + " became "
              + shown(actual, at));
    }
  }

  private static String shown(int[] ids, int from) {
    return Arrays.toString(
        Arrays.copyOfRange(ids, Math.min(from, ids.length), Math.min(from + 8, ids.length)));
  }

  private static String shown(String text) {
    StringBuilder shown = new StringBuilder();
    text.chars()
        .limit(120)
        .forEach(
            unit ->
                shown.append(
                    unit < 32 || unit > 126
                        ? String.format("\\u%04x", unit)
                        : Character.toString(unit)));
    return shown.toString();
  }

  /** Of a file by its ending; the pattern of one of tiktoken lies beside it. */
  static Tokenizer tokenizer(Path file) {
    String name = file.toString();
    if (name.endsWith(".model")) {
      return Tokenizer.ofSentencePiece(file);
    }
    if (name.endsWith(".tiktoken")) {
      try {
        Map<String, Integer> special = new HashMap<>();
        if (Json.parse(Files.readString(Path.of(name + ".special"))) instanceof Map<?, ?> tokens) {
          tokens.forEach((token, id) -> special.put((String) token, ((Long) id).intValue()));
        }
        return Tokenizer.ofTiktoken(file, Files.readString(Path.of(name + ".pattern")), special);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return Tokenizer.ofJson(file);
  }

  /**
   * Compares tokenizers with files of expected ids.
   *
   * @param arguments pairs of a tokenizer's file or folder and a file of expected ids
   */
  public static void main(String[] arguments) {
    int all = 0;
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      long start = System.nanoTime();
      Tokenizer tokenizer = tokenizer(Path.of(arguments[i]));
      double seconds = (System.nanoTime() - start) / 1e9;
      ExpectedIds expected = read(Path.of(arguments[i + 1]));
      List<String> differences = expected.differences(tokenizer);
      System.out.printf(
          "%s: made in %.1f s, %d texts, %d differences%n",
          expected.name(), seconds, expected.texts().size(), differences.size());
      all += differences.size();
      differences.stream().limit(8).forEach(line -> System.out.println("  " + line));
    }
    if (all > 0) {
      System.exit(1);
    }
  }
}
