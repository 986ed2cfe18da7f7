package dev.kancil.format.gguf;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Adapter;
import dev.kancil.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** Adapters as llama.cpp's converter writes them: a GGUF file whose tensors come in pairs. */
public final class GgufAdapter {
  private static final String FIRST = ".lora_a";
  private static final String SECOND = ".lora_b";

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
      if (stem(name).equals("token_embd.weight")) {
        throw new UnsupportedException(
            path + ": it changes the table of embeddings, which is not supported");
      }
      double rank = a.shape().rank() == 2 ? a.shape().dimension(0) : 1;
      float factor = (float) (alpha == 0 ? 1 : alpha / rank);
      changes.put(stem(name), new Adapter.LowRank(a, b, scale * factor, false, Optional.empty()));
    }
    return changes;
  }

  private static String stem(String name) {
    return name.substring(0, name.length() - FIRST.length());
  }
}
