package dev.kancil.format.synthetic;

import dev.kancil.InvalidRequestException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The tokens of a synthetic model: another model's, or syllables, which spell any text and mean
 * nothing.
 */
public final class SyntheticVocabulary {
  private static final String PREFIX = "tokenizer.";
  private static final String GGML = PREFIX + "ggml.";
  private static final String TOKENS = GGML + "tokens";

  /** GGUF's numbers for kinds of tokens. */
  private static final int NORMAL = 1;

  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private static final String CONSONANTS = "bcdfghjklmnpqrstvwxz";
  private static final String VOWELS = "aeiou";

  /** Bytes, and then as many syllables and words of some as there is room for. */
  public static final SyntheticVocabulary GENERATED = new SyntheticVocabulary(Map.of());

  /** By GGUF's names; nothing, where it is generated. */
  private final Map<String, GgufValue> values;

  private SyntheticVocabulary(Map<String, GgufValue> values) {
    this.values = values;
  }

  /**
   * A model's vocabulary, with its chat template.
   *
   * @throws InvalidRequestException if there is none
   */
  public static SyntheticVocabulary of(GgufMetadata metadata) {
    SequencedMap<String, GgufValue> values = new LinkedHashMap<>();
    for (String key : metadata.keys()) {
      if (key.startsWith(PREFIX) && !key.startsWith(PREFIX + "huggingface.")) {
        values.put(key, metadata.value(key).orElseThrow());
      }
    }
    if (metadata.strings(TOKENS).isEmpty()) {
      throw new InvalidRequestException(metadata.file() + ": there is no vocabulary in it");
    }
    return new SyntheticVocabulary(values);
  }

  /** As metadata of a file, cut or filled up to so many tokens. */
  SequencedMap<String, GgufValue> sized(int size) {
    return values.isEmpty() ? generated(size) : resized(size);
  }

  private SequencedMap<String, GgufValue> resized(int size) {
    List<String> tokens = new ArrayList<>();
    if (values.get(TOKENS) instanceof GgufValue.Texts(List<String> all)) {
      tokens.addAll(all.subList(0, Math.min(size, all.size())));
    }
    int kept = tokens.size();
    Set<String> known = new HashSet<>(tokens);
    while (tokens.size() < size) {
      tokens.add("[PAD" + tokens.size() + "]");
    }
    SequencedMap<String, GgufValue> result = new LinkedHashMap<>();
    values.forEach(
        (key, value) -> {
          switch (value) {
            case GgufValue.Texts _ when key.equals(TOKENS) ->
                result.put(key, new GgufValue.Texts(tokens));
            case GgufValue.Texts(List<String> merges) when key.equals(GGML + "merges") ->
                result.put(
                    key,
                    new GgufValue.Texts(
                        merges.stream().filter(merge -> isOf(merge, known)).toList()));
            case GgufValue.Floats(float[] scores) when key.equals(GGML + "scores") ->
                result.put(key, new GgufValue.Floats(Arrays.copyOf(scores, size)));
            case GgufValue.Ints(String type, long[] kinds) when key.equals(GGML + "token_type") -> {
              long[] sized = Arrays.copyOf(kinds, size);
              Arrays.fill(sized, kept, size, UNUSED);
              result.put(key, new GgufValue.Ints(type, sized));
            }
            case GgufValue.Int(_, long id) when key.endsWith("_token_id") && id >= size -> {}
            default -> result.put(key, value);
          }
        });
    return result;
  }

  /** Whether both parts of a merge and what becomes of them are still there. */
  private static boolean isOf(String merge, Set<String> known) {
    int space = merge.indexOf(' ', 1);
    return space > 0
        && known.contains(merge.substring(0, space))
        && known.contains(merge.substring(space + 1))
        && known.contains(merge.substring(0, space) + merge.substring(space + 1));
  }

  private static SequencedMap<String, GgufValue> generated(int size) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    long[] kinds = new long[size];
    Arrays.fill(kinds, NORMAL);
    kinds[0] = UNKNOWN;
    kinds[1] = CONTROL;
    kinds[2] = CONTROL;
    for (int value = 0; value < 256; value++) {
      kinds[tokens.size()] = BYTE;
      tokens.add("<0x%02X>".formatted(value));
    }
    tokens.add("\u2581");
    for (int word = 1; tokens.size() < size; word++) {
      tokens.add(word(word));
    }
    float[] scores = new float[size];
    for (int id = 0; id < size; id++) {
      scores[id] = -id;
    }
    SequencedMap<String, GgufValue> result = new LinkedHashMap<>();
    result.put(GGML + "model", new GgufValue.Text("llama"));
    result.put(GGML + "tokens", new GgufValue.Texts(tokens));
    result.put(GGML + "scores", new GgufValue.Floats(scores));
    result.put(GGML + "token_type", new GgufValue.Ints("int32", kinds));
    return result;
  }

  /** Numbers from 1 on, each written with syllables as digits, of which none is a zero. */
  private static String word(int number) {
    StringBuilder word = new StringBuilder();
    int base = CONSONANTS.length() * VOWELS.length();
    for (int rest = number; rest > 0; rest = (rest - 1) / base) {
      int digit = (rest - 1) % base;
      word.insert(0, VOWELS.charAt(digit % VOWELS.length()));
      word.insert(0, CONSONANTS.charAt(digit / VOWELS.length()));
    }
    return word.toString();
  }
}
