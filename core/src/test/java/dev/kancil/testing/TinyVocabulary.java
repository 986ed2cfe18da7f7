package dev.kancil.testing;

import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A vocabulary for {@link TinyModels}: single characters, and a chat template that writes them. */
public final class TinyVocabulary {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;

  private TinyVocabulary() {}

  /** Writes a model that can be opened as a whole, tokenizer and template included. */
  public static Path write(TinyModels model, Path folder) {
    Path path = folder.resolve(model.name() + "-with-vocabulary.gguf");
    GgufWriter writer = new GgufWriter();
    model.metadata().forEach(writer::put);
    metadata().forEach(writer::put);
    model.tensors().forEach(writer::tensor);
    writer.write(path);
    return path;
  }

  /** What a GGUF file says of the vocabulary. */
  public static Map<String, GgufValue> metadata() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>", "▁"));
    for (char c = '!'; tokens.size() < TinyModels.VOCABULARY; c++) {
      tokens.add(String.valueOf(c));
    }
    float[] scores = new float[tokens.size()];
    long[] types = new long[tokens.size()];
    for (int i = 0; i < types.length; i++) {
      scores[i] = -i;
      types[i] = i == 0 ? UNKNOWN : i < 3 ? CONTROL : NORMAL;
    }
    String prefix = "tokenizer.ggml.";
    return Map.of(
        prefix + "model",
        new GgufValue.Text("llama"),
        prefix + "tokens",
        new GgufValue.Texts(tokens),
        prefix + "scores",
        new GgufValue.Floats(scores),
        prefix + "token_type",
        new GgufValue.Ints("int32", types),
        prefix + "bos_token_id",
        new GgufValue.Int(GgufValue.IntType.UINT32, 1),
        prefix + "eos_token_id",
        new GgufValue.Int(GgufValue.IntType.UINT32, 2),
        prefix + "unknown_token_id",
        new GgufValue.Int(GgufValue.IntType.UINT32, 0),
        "tokenizer.chat_template",
        new GgufValue.Text(
            "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{{ eos_token }}"
                + "{% endfor %}{% if add_generation_prompt %}a:{% endif %}"));
  }
}
