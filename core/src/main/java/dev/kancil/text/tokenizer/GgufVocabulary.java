package dev.kancil.text.tokenizer;

import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder's tokenizer as metadata of a GGUF file. Formats differ in what they can say, so what was
 * written is read again and must encode texts of all kinds as the folder's tokenizer does; that
 * also finds the pre-tokenizer, which GGUF has by name and folders as a pattern.
 */
public final class GgufVocabulary {
  private static final Logger LOG = LoggerFactory.getLogger(GgufVocabulary.class);
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
  private final TokenizerConfig config;
  private final PipelineTokenizer tokenizer;
  private final SequencedMap<String, GgufValue> values = new LinkedHashMap<>();

  /** Tokens that have a role which their folder doesn't say. */
  private final Set<Integer> control = new HashSet<>();

  private GgufVocabulary(Path folder, PipelineTokenizer tokenizer) {
    this.folder = folder;
    config = TokenizerConfig.read(folder);
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
    if (!(files.tokenizer() instanceof PipelineTokenizer tokenizer)) {
      throw new IllegalStateException("a folder's tokenizer is a pipeline");
    }
    GgufVocabulary gguf = new GgufVocabulary(folder, tokenizer);
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
    Optional<Path> model = config.sentencePiece();
    if (Files.exists(json)) {
      ofJson((int) rows, JsonFields.parse(json.toString(), TokenizerJson.text(json)), pre);
    } else if (model.isPresent()) {
      ofSentencePiece((int) rows, SentencePieceFile.model(model.get()));
    } else if (Files.exists(folder.resolve("vocab.json"))) {
      ofJson((int) rows, OlderFiles.pairs(folder, config), pre);
    } else {
      ofJson((int) rows, OlderFiles.wordPieces(folder, config), pre);
    }
  }

  private void ofJson(int rows, JsonFields json, Optional<String> pre) {
    JsonFields model = json.requiredObject("model");
    switch (model.text("type").orElse("BPE")) {
      case "WordPiece" -> {
        ofWordPieces(rows, model);
        return;
      }
      case "Unigram" -> {
        ofUnigrams(rows, json, model);
        return;
      }
      default -> {}
    }
    if (!model.has("merges")) {
      throw unsupported("only byte pairs, word pieces and unigrams can be written");
    }
    List<String> merges = merges(model);
    if (isByteLevel(json.value("pre_tokenizer")) || isByteLevel(json.value("decoder"))) {
      tokens("gpt2", rows);
      put("merges", new GgufValue.Texts(merges));
      if (config.token("cls_token").isPresent()) {
        putEncoderRoles();
      }
      findPreTokenizer(pre, model.bool("ignore_merges", false));
    } else {
      tokens("llama", rows);
      put("pre", new GgufValue.Text("default"));
      put("scores", new GgufValue.Floats(scores(rows, merges)));
      findSpacePrefix();
    }
  }

  /** Roles of tokens that encoders' folders name; a text is between two of them. */
  private void putEncoderRoles() {
    PostProcessing around = tokenizer.parts().postProcessing();
    if (around.before().length == 1 && around.after().length == 1) {
      put("bos_token_id", around.before()[0]);
      put("eos_token_id", around.after()[0]);
      put("add_bos_token", new GgufValue.Bool(true));
      put("add_eos_token", new GgufValue.Bool(true));
    }
    putRole("cls_token_id", "cls_token", "[CLS]");
    putRole("seperator_token_id", "sep_token", "[SEP]");
    putRole("padding_token_id", "pad_token", "[PAD]");
    putRole("mask_token_id", "mask_token", "[MASK]");
  }

  private void ofSentencePiece(int rows, SentencePieceModel model) {
    boolean isOfPairs = model.modelType == SentencePieceModel.BYTE_PAIRS;
    tokens(isOfPairs ? "llama" : "t5", rows);
    put("pre", new GgufValue.Text("default"));
    float[] scores = new float[rows];
    Arrays.fill(scores, -1000);
    for (int id = 0; id < Math.min(rows, model.pieces.size()); id++) {
      scores[id] = model.pieces.get(id).score();
    }
    put("scores", new GgufValue.Floats(scores));
    if (isOfPairs) {
      findSpacePrefix();
    } else {
      putCharsMap(model.charsMap);
      findSpaces();
    }
  }

  /** Pieces that begin a word get a mark, and others lose theirs. */
  private void ofWordPieces(int rows, JsonFields model) {
    String prefix = model.text("continuing_subword_prefix").orElse("##");
    PostProcessing around = tokenizer.parts().postProcessing();
    if (around.before().length != 1 || around.after().length != 1) {
      throw unsupported("GGUF's word pieces have one token before a text, and one behind it");
    }
    int unknown = tokenizer.vocabulary().find(model.text("unk_token").orElse("[UNK]"));
    control.addAll(List.of(around.before()[0], around.after()[0], unknown));
    control.add(role("pad_token", "[PAD]"));
    control.add(role("mask_token", "[MASK]"));
    tokens(
        "bert",
        rows,
        text ->
            text.startsWith(prefix) && text.length() > prefix.length()
                ? text.substring(prefix.length())
                : "\u2581" + text);
    put("pre", new GgufValue.Text("default"));
    put("add_bos_token", new GgufValue.Bool(true));
    put("bos_token_id", around.before()[0]);
    put("cls_token_id", around.before()[0]);
    put("seperator_token_id", around.after()[0]);
    put("unknown_token_id", unknown);
    putRole("padding_token_id", "pad_token", "[PAD]");
    putRole("mask_token_id", "mask_token", "[MASK]");
    if (tokenizer.parts().normalization() instanceof BertCleaning cleaning) {
      put("normalizer.lowercase", new GgufValue.Bool(cleaning.lowerCase()));
      put("normalizer.strip_accents", new GgufValue.Bool(cleaning.stripsAccents()));
    }
    if (!encodesTheSame(PROBES)) {
      // Its readers take the first part of a syllable alone where accents are stripped.
      if (!encodesTheSame(withoutHangul())) {
        throw unsupported("its words would be cut otherwise");
      }
      LOG.warn("{}: as a GGUF file has it, its tokenizer encodes Korean otherwise", folder);
    }
  }

  private void ofUnigrams(int rows, JsonFields json, JsonFields model) {
    tokens("t5", rows);
    put("pre", new GgufValue.Text("default"));
    List<?> pieces = model.list("vocab");
    float[] scores = new float[rows];
    Arrays.fill(scores, -10_000);
    for (int id = 0; id < Math.min(rows, pieces.size()); id++) {
      if (pieces.get(id) instanceof List<?> pair && pair.getLast() instanceof Number score) {
        scores[id] = score.floatValue();
      }
    }
    put("scores", new GgufValue.Floats(scores));
    int unknown = model.integer("unk_id", 0, rows - 1, -1);
    if (unknown >= 0) {
      put("unknown_token_id", unknown);
    }
    putRole("padding_token_id", "pad_token", "<pad>");
    putRole("mask_token_id", "mask_token", "<mask>");
    putCharsMap(charsMap(json.value("normalizer")));
    findSpaces();
  }

  /** What of a normalizer is SentencePiece's map; nothing if there is none. */
  private static byte[] charsMap(@Nullable Object step) {
    return switch (step) {
      case Map<?, ?> fields when fields.get("precompiled_charsmap") instanceof String map ->
          Base64.getDecoder().decode(map);
      case Map<?, ?> fields -> charsMap(List.copyOf(fields.values()));
      case List<?> steps ->
          steps.stream()
              .map(GgufVocabulary::charsMap)
              .filter(map -> map.length > 0)
              .findFirst()
              .orElse(new byte[0]);
      case null, default -> new byte[0];
    };
  }

  private void putCharsMap(byte[] map) {
    if (map.length > 0) {
      long[] bytes = new long[map.length];
      Arrays.setAll(bytes, i -> map[i] & 0xff);
      put("precompiled_charsmap", new GgufValue.Ints("uint8", bytes));
    }
  }

  private void putRole(String key, String role, String usual) {
    int id = role(role, usual);
    if (id >= 0) {
      put(key, id);
    }
  }

  /** The token that has a role, or -1. */
  private int role(String role, String usual) {
    return tokenizer.vocabulary().find(config.token(role).orElse(usual));
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
    tokens(model, rows, text -> text);
  }

  /**
   * @param written as what the text of a token stands there that is no control token
   */
  private void tokens(String model, int rows, UnaryOperator<String> written) {
    Vocabulary vocabulary = tokenizer.vocabulary();
    SequencedSet<String> texts = new LinkedHashSet<>();
    long[] types = new long[rows];
    for (int id = 0; id < rows; id++) {
      String text = id < vocabulary.size() ? vocabulary.text(id) : "";
      types[id] = text.isEmpty() ? 5 : type(model, id);
      // Where two are written alike, text becomes the first.
      if (text.isEmpty() || !texts.add(types[id] == 3 ? text : written.apply(text))) {
        texts.add("[PAD" + id + "]");
        types[id] = 5;
      }
    }
    put("model", new GgufValue.Text(model));
    put("tokens", new GgufValue.Texts(List.copyOf(texts)));
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
    boolean isOfPieces = model.equals("llama") || model.equals("t5");
    if (vocabulary.is(id, Vocabulary.UNKNOWN)
        || (isOfPieces && vocabulary.text(id).equals("<unk>"))) {
      return 2;
    }
    if (vocabulary.is(id, Vocabulary.CONTROL) || control.contains(id)) {
      return 3;
    }
    if (vocabulary.is(id, Vocabulary.USER_DEFINED)) {
      return 4;
    }
    return isOfPieces && Vocabulary.byteOf(vocabulary.text(id)) >= 0 ? 6 : 1;
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

  private static List<String> withoutHangul() {
    return PROBES.stream().map(text -> text.replaceAll("\\p{IsHangul}+", "")).toList();
  }

  private static List<String> withoutManySpaces() {
    return PROBES.stream().map(text -> text.strip().replaceAll("\\s+", " ")).toList();
  }

  private void findSpaces() {
    if (!hasSpaces(PROBES)) {
      if (!hasSpaces(withoutManySpaces())) {
        throw unsupported(
            "as SentencePiece's unigrams, GGUF's form, it would encode texts otherwise");
      }
      LOG.warn(
          "{}: as a GGUF file has it, its tokenizer encodes spaces at the ends of a text and in"
              + " runs otherwise",
          folder);
    }
  }

  private boolean hasSpaces(List<String> probes) {
    for (boolean removes : new boolean[] {true, false}) {
      for (boolean adds : new boolean[] {true, false}) {
        put("remove_extra_whitespaces", new GgufValue.Bool(removes));
        put("add_space_prefix", new GgufValue.Bool(adds));
        if (encodesTheSame(probes)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean encodesTheSame() {
    return encodesTheSame(PROBES);
  }

  private boolean encodesTheSame(List<String> probes) {
    Tokenizer written = Tokenizer.of(new GgufMetadata(folder.toString(), values));
    return probes.stream()
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
