package dev.kancil.cli;

import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * Answers with a model whose weights are zero, so that Java can record which classes a start needs
 * and which methods get hot, and keep both ready (an ahead-of-time cache); the launcher runs it
 * after a build. It has narrow layers, but as many, and as large a vocabulary, as small models
 * have: what is not hot here is interpreted for longer there.
 */
@Command(name = "rehearse", hidden = true, description = "Runs a tiny model of zeros.")
final class RehearseCommand implements Callable<Integer> {
  private static final int WIDTH = 256;
  private static final int LAYERS = 30;
  private static final int VOCABULARY = 49_152;
  private static final char[] LETTERS =
      "etaoinshrdlcumwfgypbvkjxqzETAOINSHRDLCUMWFGYPBVKJXQZ".toCharArray();

  private final Console console;

  RehearseCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    Path folder = Files.createTempDirectory("kancil");
    Path model = folder.resolve("zeros.gguf");
    try {
      write(model, DataType.Q4_1);
      Console silent =
          new Console(
              console.in(),
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8),
              console.err(),
              false,
              console.environment());
      return Kancil.run(silent, "run", model.toString(), "-p", "Hello", "-n", "64");
    } finally {
      Files.deleteIfExists(model);
      Files.deleteIfExists(folder);
    }
  }

  /** A model whose queries have weights of a type. */
  static void write(Path path, DataType queries) {
    GgufWriter writer = new GgufWriter();
    writer.put("general.architecture", "llama");
    writer.put("llama.context_length", 128);
    writer.put("llama.embedding_length", WIDTH);
    writer.put("llama.block_count", LAYERS);
    writer.put("llama.feed_forward_length", WIDTH);
    writer.put("llama.attention.head_count", 4);
    writer.put("llama.attention.head_count_kv", 2);
    writer.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    writer.put("tokenizer.ggml.model", "gpt2");
    writer.put("tokenizer.ggml.pre", "smollm");
    List<String> tokens = tokens();
    List<String> merges = merge(tokens);
    writer.put("tokenizer.ggml.tokens", new GgufValue.Texts(tokens));
    writer.put("tokenizer.ggml.merges", new GgufValue.Texts(merges));
    writer.put("tokenizer.ggml.eos_token_id", 0);
    writer.put(
        "tokenizer.chat_template",
        "{% for message in messages %}{{ message['content'] }}{% endfor %}");
    zeros(writer, "token_embd.weight", DataType.Q8_0, VOCABULARY, WIDTH);
    zeros(writer, "output_norm.weight", DataType.F32, WIDTH);
    for (int layer = 0; layer < LAYERS; layer++) {
      String prefix = "blk." + layer + ".";
      zeros(writer, prefix + "attn_norm.weight", DataType.F32, WIDTH);
      zeros(writer, prefix + "attn_q.weight", queries, WIDTH, WIDTH);
      zeros(writer, prefix + "attn_k.weight", DataType.Q5_0, WIDTH / 2, WIDTH);
      zeros(writer, prefix + "attn_v.weight", DataType.Q8_0, WIDTH / 2, WIDTH);
      zeros(writer, prefix + "attn_output.weight", DataType.Q4_K, WIDTH, WIDTH);
      zeros(writer, prefix + "ffn_norm.weight", DataType.F32, WIDTH);
      zeros(writer, prefix + "ffn_gate.weight", DataType.Q6_K, WIDTH, WIDTH);
      zeros(writer, prefix + "ffn_up.weight", DataType.Q4_0, WIDTH, WIDTH);
      zeros(writer, prefix + "ffn_down.weight", DataType.F16, WIDTH, WIDTH);
    }
    writer.write(path);
  }

  /** An end token and the 256 characters that stand for bytes. */
  private static List<String> tokens() {
    List<String> tokens = new ArrayList<>(List.of("<end>"));
    int beyondLatin = 256;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          (value > ' ' && value <= '~') || (value >= 0xa1 && value <= 0xff && value != 0xad);
      tokens.add(Character.toString(printable ? value : beyondLatin++));
    }
    return tokens;
  }

  /**
   * Adds tokens of two and three letters until the vocabulary is full, and returns their merges.
   */
  private static List<String> merge(List<String> tokens) {
    List<String> merges = new ArrayList<>();
    List<String> shorter = new ArrayList<>();
    for (char letter : LETTERS) {
      shorter.add(Character.toString(letter));
    }
    while (tokens.size() < VOCABULARY) {
      List<String> longer = new ArrayList<>();
      for (String start : shorter) {
        for (char letter : LETTERS) {
          if (tokens.size() < VOCABULARY) {
            merges.add(start + " " + letter);
            tokens.add(start + letter);
            longer.add(start + letter);
          }
        }
      }
      shorter = longer;
    }
    return merges;
  }

  private static void zeros(GgufWriter writer, String name, DataType type, long... shape) {
    Shape sizes = Shape.of(shape);
    MemorySegment data =
        MemorySegment.ofArray(new byte[Math.toIntExact(type.byteSize(sizes.elements()))]);
    writer.tensor(name, new Tensor(type, sizes, data));
  }
}
