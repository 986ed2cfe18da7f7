package dev.kancil.testing;

import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Models of a real form with small random weights, written as GGUF files. */
public enum TinyModels {
  /** Two blocks, four heads on two KV heads. */
  LLAMA,
  /** Three blocks, of which the first and last see a window of 20. */
  GEMMA3;

  /** Token ids go from 0 to one less than this. */
  public static final int VOCABULARY = 96;

  /** What a window of {@link #GEMMA3} holds, the query itself included. */
  public static final int WINDOW = 20;

  public static final int CONTEXT = 512;

  private static final int WIDTH = 32;

  /** Writes the model into {@code folder}. */
  public Path write(Path folder) {
    Path path = folder.resolve(name() + ".gguf");
    GgufWriter writer = new GgufWriter();
    metadata().forEach(writer::put);
    tensors().forEach(writer::tensor);
    writer.write(path);
    return path;
  }

  /** The settings, to be changed at will. */
  public Map<String, GgufValue> metadata() {
    String architecture = this == LLAMA ? "llama" : "gemma3";
    String prefix = architecture + ".";
    Map<String, GgufValue> values = new LinkedHashMap<>();
    values.put("general.architecture", new GgufValue.Text(architecture));
    values.put(prefix + "context_length", integer(CONTEXT));
    values.put(prefix + "embedding_length", integer(WIDTH));
    values.put(prefix + "block_count", integer(blocks()));
    values.put(prefix + "feed_forward_length", integer(48));
    values.put(prefix + "attention.head_count", integer(heads()));
    values.put(prefix + "attention.head_count_kv", integer(heads() / 2));
    values.put(prefix + "attention.layer_norm_rms_epsilon", new GgufValue.Float32(1e-5f));
    if (this == GEMMA3) {
      values.put(prefix + "attention.key_length", integer(headWidth()));
      values.put(prefix + "attention.value_length", integer(headWidth()));
      values.put(prefix + "attention.sliding_window", integer(WINDOW));
      values.put(prefix + "attention.sliding_window_pattern", integer(2));
    }
    return values;
  }

  /** The weights, to be changed at will. */
  public Map<String, Tensor> tensors() {
    SplittableRandom random = new SplittableRandom(name().hashCode());
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("token_embd.weight", random(random, VOCABULARY, WIDTH));
    tensors.put("output_norm.weight", norm(random, WIDTH));
    if (this == LLAMA) {
      tensors.put("output.weight", random(random, VOCABULARY, WIDTH));
    }
    int queries = heads() * headWidth();
    for (int block = 0; block < blocks(); block++) {
      String name = "blk." + block + ".";
      tensors.put(name + "attn_norm.weight", norm(random, WIDTH));
      tensors.put(name + "attn_q.weight", random(random, queries, WIDTH));
      tensors.put(name + "attn_k.weight", random(random, queries / 2, WIDTH));
      tensors.put(name + "attn_v.weight", random(random, queries / 2, WIDTH));
      tensors.put(name + "attn_output.weight", random(random, WIDTH, queries));
      tensors.put(name + "ffn_norm.weight", norm(random, WIDTH));
      tensors.put(name + "ffn_gate.weight", random(random, 48, WIDTH));
      tensors.put(name + "ffn_up.weight", random(random, 48, WIDTH));
      tensors.put(name + "ffn_down.weight", random(random, WIDTH, 48));
      if (this == GEMMA3) {
        tensors.put(name + "attn_q_norm.weight", norm(random, headWidth()));
        tensors.put(name + "attn_k_norm.weight", norm(random, headWidth()));
        tensors.put(name + "post_attention_norm.weight", norm(random, WIDTH));
        tensors.put(name + "post_ffw_norm.weight", norm(random, WIDTH));
      }
    }
    return tensors;
  }

  private int blocks() {
    return this == LLAMA ? 2 : 3;
  }

  private int heads() {
    return this == LLAMA ? 4 : 2;
  }

  private int headWidth() {
    return this == LLAMA ? 8 : 16;
  }

  private static GgufValue integer(int value) {
    return new GgufValue.Int(GgufValue.IntType.UINT32, value);
  }

  private static Tensor random(SplittableRandom random, int rows, int columns) {
    float[] data = new float[rows * columns];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextGaussian(0, 1.5 / Math.sqrt(columns));
    }
    return tensor(data, Shape.of(rows, columns));
  }

  private static Tensor norm(SplittableRandom random, int columns) {
    float[] data = new float[columns];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextDouble(0.5, 1.5);
    }
    return tensor(data, Shape.of(columns));
  }

  private static Tensor tensor(float[] data, Shape shape) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[4 * data.length]);
    Blocks.encode(DataType.F32, data, 0, bytes, 0, data.length);
    return new Tensor(DataType.F32, shape, bytes);
  }
}
