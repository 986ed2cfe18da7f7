package dev.kancil.text.tokenizer;

import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufValue.IntType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds tokenizer metadata in memory, sound or not. */
final class SmallVocabulary {
  private final Map<String, GgufValue> values = new LinkedHashMap<>();

  /** The 256 bytes, some merges of English, {@code <s>} and {@code </s>}. */
  static SmallVocabulary byteLevel() {
    List<String> tokens = new ArrayList<>();
    for (int value = 0; value < 256; value++) {
      tokens.add(String.valueOf(ByteLevel.character((byte) value)));
    }
    List<String> merges = List.of("h e", "l l", "he ll", "hell o", "Ġ w", "o r");
    for (String merge : merges) {
      tokens.add(merge.replace(" ", ""));
    }
    tokens.add("<s>");
    tokens.add("</s>");
    long[] types = new long[tokens.size()];
    java.util.Arrays.fill(types, 1);
    types[tokens.size() - 1] = 3;
    types[tokens.size() - 2] = 3;
    return new SmallVocabulary()
        .text("model", "gpt2")
        .text("pre", "gpt-2")
        .texts("tokens", tokens)
        .integers("token_type", types)
        .texts("merges", merges)
        .integer("bos_token_id", tokens.size() - 2)
        .integer("eos_token_id", tokens.size() - 1);
  }

  /** Bytes, a few pieces with scores, {@code <unk>}, {@code <s>} and {@code </s>}. */
  static SmallVocabulary sentencePiece() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int value = 0; value < 256; value++) {
      tokens.add(String.format("<0x%02X>", value));
    }
    tokens.addAll(List.of("▁", "a", "b", "▁a", "ab", "▁ab", "▁▁"));
    long[] types = new long[tokens.size()];
    float[] scores = new float[tokens.size()];
    for (int id = 0; id < types.length; id++) {
      types[id] = id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1;
      scores[id] = -id;
    }
    return new SmallVocabulary()
        .text("model", "llama")
        .texts("tokens", tokens)
        .integers("token_type", types)
        .floats("scores", scores);
  }

  SmallVocabulary text(String key, String value) {
    return value(key, new GgufValue.Text(value));
  }

  SmallVocabulary texts(String key, List<String> value) {
    return value(key, new GgufValue.Texts(value));
  }

  SmallVocabulary integer(String key, long value) {
    return value(key, new GgufValue.Int(IntType.INT64, value));
  }

  SmallVocabulary bool(String key, boolean value) {
    return value(key, new GgufValue.Bool(value));
  }

  SmallVocabulary integers(String key, long[] value) {
    return value(key, new GgufValue.Ints("int32", value));
  }

  SmallVocabulary floats(String key, float[] value) {
    return value(key, new GgufValue.Floats(value));
  }

  SmallVocabulary value(String key, GgufValue value) {
    values.put("tokenizer.ggml." + key, value);
    return this;
  }

  SmallVocabulary without(String key) {
    values.remove("tokenizer.ggml." + key);
    return this;
  }

  List<String> tokens() {
    return metadata().strings("tokenizer.ggml.tokens");
  }

  GgufMetadata metadata() {
    return new GgufMetadata("small.gguf", values);
  }

  Tokenizer tokenizer() {
    return Tokenizer.of(metadata());
  }
}
