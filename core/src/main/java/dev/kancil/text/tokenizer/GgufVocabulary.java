package dev.kancil.text.tokenizer;

import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A folder's tokenizer as metadata of a GGUF file. Formats differ in what they can say, so what was
 * written is read again and must encode texts of all kinds as the folder's tokenizer does; that
 * also finds the pre-tokenizer, which GGUF has by name and folders as a pattern.
 */
public final class GgufVocabulary {
  private static final String PREFIX = "tokenizer.ggml.";

  /** Words, numbers, signs, spaces, scripts: where pre-tokenizers differ. */
  private static final List<String> PROBES =
      List.of(
          "Hello, World! It's we'll I'VE they'Re don'T",
          "1 22 333 4444 55555 1234567890 3.14159 1,000,000 x86_64 a1b22c333",
          " leading  two   three    four\ttab \t mixed\n\n\nlines \n  \n\r\nend  ",
          "if (a[i] != b->c) { return x*2 + y/3 - z%4; } // ==> ***bold*** #$%&@~^`",
          "na\u00efve caf\u00e9 \u00fcber Stra\u00dfe \u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440"
              + " \u03ba\u03cc\u03c3\u03bc\u03b5 \u4f60\u597d\u4e16\u754c"
              + " \u3053\u3093\u306b\u3061\u306f \uc548\ub155 \u0645\u0631\u062d\u0628\u0627"
              + " \u0928\u092e\u0938\u094d\u0924\u0947",
          "\ud83d\ude00\ud83d\ude80 a\u00a0b \u2014 \u201cquoted\u201d \u2026 \u00b2\u00b3 \u2167"
              + " \u0664\u0665 x\u2082",
          "The quick brown fox jumps over the lazy dog.\nfunction() {\n    return null;\n}\n");

  private final Path folder;
  private final Tokenizer tokenizer;
  private final SequencedMap<String, GgufValue> values = new LinkedHashMap<>();

  private GgufVocabulary(Path folder, Tokenizer tokenizer) {
    this.folder = folder;
    this.tokenizer = tokenizer;
  }

  /**
   * The metadata of a folder's tokenizer and chat template.
   *
   * @param rows how many tokens the model knows; those that have no text get one
   * @param pre the pre-tokenizer's name in GGUF; if empty it is looked for
   * @throws UnsupportedException if GGUF can't say what the tokenizer does, as far as is known
   */
  public static SequencedMap<String, GgufValue> of(Path folder, long rows, Optional<String> pre) {
    TokenizerFiles files = TokenizerFiles.read(folder);
    GgufVocabulary gguf = new GgufVocabulary(folder, files.tokenizer());
    gguf.write(rows, pre);
    files
        .chatTemplate()
        .ifPresent(
            source -> gguf.values.put("tokenizer.chat_template", new GgufValue.Text(source)));
    return gguf.values;
  }

  private void write(long rows, Optional<String> pre) {
    Vocabulary vocabulary = tokenizer.vocabulary();
    if (rows < vocabulary.size() || rows > VocabularyBuilder.MAX_ID) {
      throw unsupported("it has " + vocabulary.size() + " tokens, and the model knows " + rows);
    }
    Path json = folder.resolve("tokenizer.json");
    Path model = folder.resolve("tokenizer.model");
    if (Files.exists(json)) {
      ofJson((int) rows, JsonFields.parse(json.toString(), TokenizerJson.text(json)), pre);
    } else if (Files.exists(model)) {
      ofSentencePiece((int) rows, SentencePieceFile.model(model));
    } else {
      throw unsupported("there is neither tokenizer.json nor tokenizer.model");
    }
  }

  private void ofJson(int rows, JsonFields json, Optional<String> pre) {
    JsonFields model = json.requiredObject("model");
    if (!model.text("type").orElse("BPE").equals("BPE") || !model.has("merges")) {
      throw unsupported("only byte-pair encodings can be written");
    }
    List<String> merges = merges(model);
    if (isByteLevel(json.value("pre_tokenizer")) || isByteLevel(json.value("decoder"))) {
      tokens("gpt2", rows);
      put("merges", new GgufValue.Texts(merges));
      findPreTokenizer(pre, model.bool("ignore_merges", false));
    } else {
      tokens("llama", rows);
      put("pre", new GgufValue.Text("default"));
      put("scores", new GgufValue.Floats(scores(rows, merges)));
      findSpacePrefix();
    }
  }

  private void ofSentencePiece(int rows, SentencePieceModel model) {
    if (model.modelType != SentencePieceModel.BYTE_PAIRS) {
      throw unsupported("only byte-pair encodings can be written");
    }
    tokens("llama", rows);
    put("pre", new GgufValue.Text("default"));
    float[] scores = new float[rows];
    Arrays.fill(scores, -1000);
    for (int id = 0; id < Math.min(rows, model.pieces.size()); id++) {
      scores[id] = model.pieces.get(id).score();
    }
    put("scores", new GgufValue.Floats(scores));
    findSpacePrefix();
  }

  private static boolean isByteLevel(@Nullable Object step) {
    return switch (step) {
      case Map<?, ?> fields ->
          "ByteLevel".equals(fields.get("type"))
              || fields.values().stream().anyMatch(GgufVocabulary::isByteLevel);
      case List<?> steps -> steps.stream().anyMatch(GgufVocabulary::isByteLevel);
      case null, default -> false;
    };
  }

  private List<String> merges(JsonFields model) {
    List<String> merges = new ArrayList<>();
    for (Object merge : model.list("merges")) {
      switch (merge) {
        case String text -> merges.add(text);
        case List<?> pair
            when pair.size() == 2 && !(pair.get(0) + "" + pair.get(1)).contains(" ") ->
            merges.add(pair.get(0) + " " + pair.get(1));
        case null, default -> throw unsupported("a merge of it has a space in a token");
      }
    }
    return merges;
  }

  /** A pair becomes a token in the order of the merges: the sooner, the higher the score. */
  private float[] scores(int rows, List<String> merges) {
    float[] scores = new float[rows];
    Arrays.fill(scores, -1e6f);
    for (int rank = merges.size() - 1; rank >= 0; rank--) {
      int id = tokenizer.vocabulary().find(merges.get(rank).replace(" ", ""));
      if (id >= 0) {
        scores[id] = -rank;
      }
    }
    return scores;
  }

  private void tokens(String model, int rows) {
    Vocabulary vocabulary = tokenizer.vocabulary();
    List<String> texts = new ArrayList<>();
    long[] types = new long[rows];
    for (int id = 0; id < rows; id++) {
      String text = id < vocabulary.size() ? vocabulary.text(id) : "";
      if (text.isEmpty()) {
        texts.add("[PAD" + id + "]");
        types[id] = 5;
      } else {
        texts.add(text);
        types[id] = type(model, id);
      }
    }
    put("model", new GgufValue.Text(model));
    put("tokens", new GgufValue.Texts(texts));
    put("token_type", new GgufValue.Ints("int32", types));
    tokenizer.beginningOfSequence().ifPresent(id -> put("bos_token_id", id));
    tokenizer.endOfSequence().ifPresent(id -> put("eos_token_id", id));
    new TreeSet<>(tokenizer.endOfGeneration())
        .stream()
            .filter(id -> tokenizer.endOfSequence().filter(id::equals).isEmpty())
            .findFirst()
            .ifPresent(id -> put("eot_token_id", id));
    put("add_bos_token", new GgufValue.Bool(tokenizer.addsBeginningOfSequence()));
    put("add_eos_token", new GgufValue.Bool(tokenizer.addsEndOfSequence()));
  }

  /** GGUF's number for a token's kind. */
  private int type(String model, int id) {
    Vocabulary vocabulary = tokenizer.vocabulary();
    if (vocabulary.is(id, Vocabulary.UNKNOWN)
        || (model.equals("llama") && vocabulary.text(id).equals("<unk>"))) {
      return 2;
    }
    if (vocabulary.is(id, Vocabulary.CONTROL)) {
      return 3;
    }
    if (vocabulary.is(id, Vocabulary.USER_DEFINED)) {
      return 4;
    }
    return model.equals("llama") && Vocabulary.byteOf(vocabulary.text(id)) >= 0 ? 6 : 1;
  }

  private void put(String key, int id) {
    put(key, new GgufValue.Int(GgufValue.IntType.UINT32, id));
  }

  private void put(String key, GgufValue value) {
    values.put(PREFIX + key, value);
  }

  private void findPreTokenizer(Optional<String> pre, boolean wholeWords) {
    List<String> candidates =
        pre.map(List::of)
            .orElse(
                wholeWords
                    ? List.of("llama-bpe")
                    : List.of(
                        "gpt-2",
                        "starcoder",
                        "qwen2",
                        "dbrx",
                        "falcon",
                        "deepseek-coder",
                        "default"));
    for (String name : candidates) {
      put("pre", new GgufValue.Text(name));
      if (pre.isPresent() || encodesTheSame()) {
        return;
      }
    }
    throw unsupported(
        "no known pre-tokenizer of GGUF cuts text as it does; name one (--pre) if you know better");
  }

  private void findSpacePrefix() {
    for (boolean adds : new boolean[] {true, false}) {
      put("add_space_prefix", new GgufValue.Bool(adds));
      if (encodesTheSame()) {
        return;
      }
    }
    throw unsupported("as scores of pieces, GGUF's form, it would encode texts otherwise");
  }

  private boolean encodesTheSame() {
    Tokenizer written = Tokenizer.of(new GgufMetadata(folder.toString(), values));
    return PROBES.stream()
        .allMatch(
            text ->
                Arrays.equals(
                    tokenizer.encode(text, true, false), written.encode(text, true, false)));
  }

  private UnsupportedException unsupported(String why) {
    return new UnsupportedException(
        folder + ": its tokenizer can't be written to a GGUF file: " + why);
  }
}
