package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.KancilException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Any text survives the way to ids and back, and any metadata gives a tokenizer or one line. */
final class TokenizerChecks {
  private TokenizerChecks() {}

  /** Their decoding gives every well-formed text back. */
  private static final List<String> LOSSLESS =
      List.of("gpt-2", "llama-bpe", "qwen2", "deepseek-coder", "llama-spm");

  private static final List<String> LOSSY = List.of("smollm2", "falcon", "bert-bge", "phi-3");

  static void checkText(String text, boolean parseSpecial) {
    String wellFormed = new String(Utf8.encode(text), StandardCharsets.UTF_8);
    for (String name : LOSSLESS) {
      Tokenizer tokenizer = TokenizerGoldens.of(name).tokenizer();
      int[] ids = checkIds(tokenizer, text, parseSpecial);
      if (!parseSpecial) {
        assertThat(tokenizer.decode(ids))
            .as(name)
            .isEqualTo(name.equals("llama-spm") ? wellFormed.replace('▁', ' ') : wellFormed);
      }
    }
    for (String name : LOSSY) {
      checkIds(TokenizerGoldens.of(name).tokenizer(), text, parseSpecial);
    }
  }

  private static int[] checkIds(Tokenizer tokenizer, String text, boolean parseSpecial) {
    int[] ids = tokenizer.encode(text, true, parseSpecial);
    for (int id : ids) {
      assertThat(id).isBetween(0, tokenizer.vocabularySize() - 1);
    }
    StreamingDecoder decoder = tokenizer.decoder();
    StringBuilder streamed = new StringBuilder();
    for (int id : ids) {
      streamed.append(decoder.next(id));
    }
    assertThat(streamed + decoder.flush()).isEqualTo(tokenizer.decode(ids));
    return ids;
  }

  static void checkMetadata(IntUnaryOperator below) {
    Tokenizer tokenizer;
    try {
      tokenizer = hostile(below).tokenizer();
    } catch (KancilException e) {
      assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(1200);
      return;
    }
    for (String text : List.of("hello wor<s>ld ab▁ab", "\u0000ÿ日本🦌 </s>")) {
      checkIds(tokenizer, text, below.applyAsInt(2) == 0);
    }
    int[] ids = new int[20];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = below.applyAsInt(tokenizer.vocabularySize());
    }
    StreamingDecoder decoder = tokenizer.continuationDecoder();
    for (int id : ids) {
      decoder.next(id);
      tokenizer.bytes(id);
    }
    tokenizer.decode(ids);
  }

  /** Reads a file of any kind, sound but for a few changes. */
  static void checkFile(IntUnaryOperator below) {
    Tokenizer tokenizer;
    try {
      tokenizer = hostileFile(below);
      for (String text :
          List.of("hello ab c<s>ab▁ab xx", "\u0000ÿ日本🦌 e\u0301 İ</s>", "aaaa 12!\n")) {
        checkIds(tokenizer, text, below.applyAsInt(2) == 0);
        tokenizer.encodePair(text, "ab", false).ids();
      }
    } catch (KancilException e) {
      assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(1200);
      return;
    }
    int[] ids = new int[20];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = below.applyAsInt(tokenizer.vocabularySize());
      tokenizer.bytes(ids[i]);
    }
    tokenizer.decode(ids);
  }

  private static Tokenizer hostileFile(IntUnaryOperator below) {
    int kind = below.applyAsInt(5);
    if (kind < 3) {
      List<String> sound =
          List.of(
              SmallTokenizerJson.PAIRS, SmallTokenizerJson.UNIGRAM, SmallTokenizerJson.WORD_PIECES);
      StringBuilder json = new StringBuilder(sound.get(kind));
      for (int change = below.applyAsInt(4); change > 0; change--) {
        change(json, sound.get(below.applyAsInt(3)), below);
      }
      return TokenizerJson.read("x.json", json.toString());
    }
    byte[] bytes = new byte[below.applyAsInt(200)];
    for (int i = 0; i < bytes.length; i++) {
      // Few values, so that fields, lengths and numbers are often such.
      bytes[i] = (byte) (below.applyAsInt(3) == 0 ? below.applyAsInt(256) : below.applyAsInt(28));
    }
    if (kind == 3) {
      return SentencePieceFile.read("x.model", bytes);
    }
    return TiktokenFile.read(
        "x.tiktoken",
        new String(bytes, StandardCharsets.ISO_8859_1),
        "\\w+|\\W",
        Map.of("<s>", 300));
  }

  /** Replaces a word or number of a file by one of another, or leaves out or doubles a part. */
  private static void change(StringBuilder json, String other, IntUnaryOperator below) {
    int from = below.applyAsInt(json.length());
    int to = Math.min(json.length(), from + 1 + below.applyAsInt(12));
    switch (below.applyAsInt(4)) {
      case 0 -> json.delete(from, to);
      case 1 -> json.insert(from, json.substring(from, to));
      case 2 -> {
        int start = below.applyAsInt(other.length() - 12);
        json.replace(from, to, other.substring(start, start + 1 + below.applyAsInt(12)));
      }
      default -> {
        Matcher word = Pattern.compile("\"[^\"]*\"|-?[0-9.]+").matcher(json);
        Matcher by = Pattern.compile("\"[^\"]*\"|-?[0-9.]+").matcher(other);
        if (word.find(from) && by.find(below.applyAsInt(other.length()))) {
          json.replace(word.start(), word.end(), by.group());
        }
      }
    }
  }

  /** A sound vocabulary with a few things changed. */
  private static SmallVocabulary hostile(IntUnaryOperator below) {
    SmallVocabulary vocabulary =
        below.applyAsInt(2) == 0 ? SmallVocabulary.byteLevel() : SmallVocabulary.sentencePiece();
    String[] ids = {
      "bos_token_id", "eos_token_id", "eot_token_id", "unknown_token_id", "fim_pad_token_id"
    };
    String[] models = {"gpt2", "llama", "bert", "t5", ""};
    String[] preTokenizers = {
      "default", "gpt-2", "llama-bpe", "qwen2", "falcon", "deepseek-coder", "smollm", "?", ""
    };
    for (int change = 1 + below.applyAsInt(4); change > 0; change--) {
      switch (below.applyAsInt(12)) {
        case 0 -> vocabulary.text("model", models[below.applyAsInt(models.length)]);
        case 1 -> vocabulary.text("pre", preTokenizers[below.applyAsInt(preTokenizers.length)]);
        case 2 -> vocabulary.integer(ids[below.applyAsInt(ids.length)], below.applyAsInt(300) - 3);
        case 3 -> vocabulary.bool("add_bos_token", below.applyAsInt(2) == 0);
        case 4 -> vocabulary.bool("add_space_prefix", below.applyAsInt(2) == 0);
        case 5 -> vocabulary.texts("merges", someTexts(below, vocabulary, 8));
        case 6 -> vocabulary.texts("tokens", someTexts(below, vocabulary, 300));
        case 7 -> {
          List<String> tokens = new ArrayList<>(vocabulary.tokens());
          if (!tokens.isEmpty()) {
            tokens.set(below.applyAsInt(tokens.size()), someText(below, vocabulary));
          }
          vocabulary.texts("tokens", tokens);
        }
        case 8 -> {
          long[] types = new long[vocabulary.tokens().size() + below.applyAsInt(2)];
          for (int i = 0; i < types.length; i++) {
            types[i] = below.applyAsInt(50) == 0 ? below.applyAsInt(8) : 1 + below.applyAsInt(6);
          }
          vocabulary.integers("token_type", types);
        }
        case 9 -> {
          float[] scores = new float[vocabulary.tokens().size()];
          for (int i = 0; i < scores.length; i++) {
            scores[i] = Float.intBitsToFloat(below.applyAsInt(256) << 24);
          }
          vocabulary.floats("scores", scores);
        }
        case 10 -> vocabulary.without(below.applyAsInt(2) == 0 ? "token_type" : "scores");
        default -> vocabulary.bool("normalizer.lowercase", below.applyAsInt(2) == 0);
      }
    }
    return vocabulary;
  }

  private static List<String> someTexts(
      IntUnaryOperator below, SmallVocabulary vocabulary, int most) {
    List<String> texts = new ArrayList<>();
    for (int i = below.applyAsInt(most); i > 0; i--) {
      texts.add(someText(below, vocabulary));
    }
    return texts;
  }

  private static String someText(IntUnaryOperator below, SmallVocabulary vocabulary) {
    List<String> tokens = vocabulary.tokens();
    return switch (below.applyAsInt(6)) {
      case 0 -> "";
      case 1 -> "<0x" + Integer.toHexString(below.applyAsInt(300)) + ">";
      case 2 -> Character.toString(below.applyAsInt(0xD800)).repeat(1 + below.applyAsInt(4));
      case 3 -> below.applyAsInt(2) == 0 ? "</s>" : "<|im_end|>";
      default ->
          tokens.isEmpty()
              ? " "
              : tokens.get(below.applyAsInt(tokens.size()))
                  + (below.applyAsInt(2) == 0 ? " " : "")
                  + tokens.get(below.applyAsInt(tokens.size()));
    };
  }
}
