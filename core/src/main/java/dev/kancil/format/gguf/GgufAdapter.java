package dev.kancil.format.gguf;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Adapter;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** Adapters as llama.cpp's converter writes them: a GGUF file whose tensors come in pairs. */
public final class GgufAdapter {
  private static final String FIRST = ".lora_a";
  private static final String SECOND = ".lora_b";

  /** Tokens behind which alone it applies. */
  private static final String ACTIVATED = "adapter.alora.invocation_tokens";

  private GgufAdapter() {}

  /**
   * Opens a file.
   *
   * @param scale what all changes are multiplied by, beside their own factor
   * @throws FormatException if it can't be read, is damaged, or is no adapter
   * @throws UnsupportedException if it changes weights in a way that is not known
   */
  public static Adapter open(Path path, float scale) {
    GgufFile file = GgufFile.open(path);
    try {
      return new Adapter(path.toString(), changes(path, file, scale), file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static SequencedMap<String, Adapter.Change> changes(
      Path path, GgufFile file, float scale) {
    String kind = file.metadata().string("general.type").orElse("model");
    if (!kind.equals("adapter")) {
      throw new FormatException(path + ": it is of the type " + kind + ", no adapter");
    }
    String form = file.metadata().string("adapter.type").orElse("");
    if (!form.equals("lora")) {
      throw new UnsupportedException(path + ": adapter.type is " + form + ", not lora");
    }
    if (file.metadata().contains(ACTIVATED)) {
      throw new UnsupportedException(path + ": " + ACTIVATED + " is set, which is not supported");
    }
    double alpha = file.metadata().number("adapter.lora.alpha").orElse(0.0);
    SequencedMap<String, Adapter.Change> changes = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> entry : file.tensors().entrySet()) {
      String name = entry.getKey();
      if (name.endsWith(SECOND) && file.tensors().containsKey(stem(name) + FIRST)) {
        continue;
      }
      if (!name.endsWith(FIRST)) {
        throw new FormatException(path + ": the tensor " + name + " is no part of a pair");
      }
      Tensor a = entry.getValue();
      Tensor b = file.tensors().get(stem(name) + SECOND);
      if (b == null) {
        throw new FormatException(path + ": the tensor " + stem(name) + SECOND + " is missing");
      }
      double rank = b.shape().columns();
      float factor = scale * (float) (alpha == 0 ? 1 : alpha / rank);
      // Of embeddings the first is a table, of which a token takes a row: [vocabulary, rank].
      changes.put(
          stem(name),
          stem(name).equals("token_embd.weight") && b.shape().rank() == 2
              ? new Adapter.LowRank(transposed(b), a, factor, false, Optional.empty())
              : new Adapter.LowRank(a, b, factor, false, Optional.empty()));
    }
    return changes;
  }

  private static Tensor transposed(Tensor matrix) {
    int rows = Math.toIntExact(matrix.shape().dimension(0));
    int columns = Math.toIntExact(matrix.shape().columns());
    float[] values = Blocks.decode(matrix);
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      turned[i % columns * rows + i / columns] = values[i];
    }
    return new Tensor(DataType.F32, Shape.of(columns, rows), MemorySegment.ofArray(turned));
  }

  private static String stem(String name) {
    return name.substring(0, name.length() - FIRST.length());
  }
}
