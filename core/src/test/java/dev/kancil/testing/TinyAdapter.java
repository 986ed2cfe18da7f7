package dev.kancil.testing;

import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/** Adapters with random weights for {@link TinyModels}, as GGUF files. */
public final class TinyAdapter {
  private TinyAdapter() {}

  /**
   * Writes one.
   *
   * @param file where to
   * @param changes which tensors it changes, all of them matrices
   */
  public static Path write(
      TinyModels model, Path file, long seed, int rank, Predicate<String> changes) {
    SplittableRandom random = new SplittableRandom(seed);
    GgufWriter writer = new GgufWriter();
    writer.put("general.architecture", new GgufValue.Text("llama"));
    writer.put("general.type", new GgufValue.Text("adapter"));
    writer.put("adapter.type", new GgufValue.Text("lora"));
    writer.put("adapter.lora.alpha", new GgufValue.Float32(2 * rank));
    for (Map.Entry<String, Tensor> entry : model.tensors().entrySet()) {
      if (changes.test(entry.getKey())) {
        Shape shape = entry.getValue().shape();
        int out = Math.toIntExact(shape.dimension(0));
        int in = Math.toIntExact(shape.columns());
        writer.tensor(entry.getKey() + ".lora_a", random(random, rank, in));
        writer.tensor(entry.getKey() + ".lora_b", random(random, out, rank));
      }
    }
    writer.write(file);
    return file;
  }

  private static Tensor random(SplittableRandom random, int rows, int columns) {
    Shape shape = Shape.of(rows, columns);
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian(0, 0.7 / Math.sqrt(columns));
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[Float.BYTES * values.length]);
    Blocks.encode(DataType.F32, values, 0, bytes, 0, values.length);
    return new Tensor(DataType.F32, shape, bytes);
  }
}
