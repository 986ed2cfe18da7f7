package dev.kancil;

import dev.kancil.format.Adapter;
import dev.kancil.format.gguf.GgufAdapter;
import dev.kancil.format.huggingface.PeftAdapter;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An adapter (Hu et al. 2021, "LoRA"; also rsLoRA and DoRA): a folder as PEFT writes it, for
 * folders, or a GGUF file, for GGUF files. Either weights that it changes are computed once, when
 * the model is opened ({@link ModelOptions#adapters}), and those with blocks become float32 then;
 * or it stands beside them, and sessions choose it ({@link ModelOptions#namedAdapters}).
 *
 * @param scale what its changes are multiplied by, beside the factor of its own
 */
public record LoraAdapter(Path path, float scale) {
  public LoraAdapter {
    if (!(Math.abs(scale) <= Float.MAX_VALUE)) {
      throw new InvalidRequestException("an adapter's scale is " + scale);
    }
  }

  /**
   * Opens it.
   *
   * @throws FormatException if it can't be read, is damaged, or is no adapter
   * @throws UnsupportedException if it changes weights in a way that is not known
   */
  public Adapter open() {
    return Files.isDirectory(path) ? PeftAdapter.open(path, scale) : GgufAdapter.open(path, scale);
  }
}
