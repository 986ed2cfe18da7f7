package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint of four gigabytes costs what is read of it, not what it has. */
class LargeCheckpointTest {
  private static final long LEAST_BYTES = 4L << 30;
  private static final int LAYERS = 10;
  private static final int WIDTH = 4096;
  private static final int INNER = 11008;
  private static final int VOCABULARY = 32000;
  private static final int ATTEMPTS = 5;

  @TempDir private Path folder;
  private final StringBuilder header = new StringBuilder();
  private long bytes;

  private void add(String name, long... shape) {
    long elements = 1;
    StringBuilder sizes = new StringBuilder();
    for (long size : shape) {
      elements *= size;
      sizes.append(sizes.isEmpty() ? "" : ",").append(size);
    }
    long end = bytes + 2 * elements;
    header
        .append(header.isEmpty() ? "{" : ",")
        .append(
            "\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":[%d,%d]}"
                .formatted(name, sizes, bytes, end));
    bytes = end;
  }

  /** A file with holes: it has all bytes, and takes no room. */
  private void write() throws IOException {
    add("model.embed_tokens.weight", VOCABULARY, WIDTH);
    for (int i = 0; i < LAYERS; i++) {
      String layer = "model.layers." + i + ".";
      for (String name : new String[] {"q", "k", "v", "o"}) {
        add(layer + "self_attn." + name + "_proj.weight", WIDTH, WIDTH);
      }
      add(layer + "mlp.gate_proj.weight", INNER, WIDTH);
      add(layer + "mlp.up_proj.weight", INNER, WIDTH);
      add(layer + "mlp.down_proj.weight", WIDTH, INNER);
      add(layer + "input_layernorm.weight", WIDTH);
      add(layer + "post_attention_layernorm.weight", WIDTH);
    }
    add("model.norm.weight", WIDTH);
    add("lm_head.weight", VOCABULARY, WIDTH);
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    try (FileChannel file =
        FileChannel.open(
            folder.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      ByteBuffer start =
          ByteBuffer.allocate(Long.BYTES + text.length).order(ByteOrder.LITTLE_ENDIAN);
      file.write(start.putLong(text.length).put(text).flip());
      file.write(ByteBuffer.allocate(1), Long.BYTES + text.length + bytes - 1);
    }
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "llama", "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
         "num_attention_heads": 32, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}
        """
            .formatted(WIDTH, INNER, LAYERS));
  }

  private static long residentBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void itOpensAtOnceAndTakesTheMemoryOfWhatIsTouched() throws IOException {
    boolean isKnown = Files.exists(Path.of("/proc/self/status"));
    if (!isKnown) {
      System.out.println("SKIPPED: nothing here tells how much memory is resident");
    }
    assumeTrue(isKnown);
    write();
    assertThat(bytes).isGreaterThan(LEAST_BYTES);
    Duration fastest = Duration.ofDays(1);
    for (int i = 0; i < ATTEMPTS; i++) {
      long before = residentBytes();
      long start = System.nanoTime();
      try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
        LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F16, DataType.F16);
        Duration taken = Duration.ofNanos(System.nanoTime() - start);
        fastest = taken.compareTo(fastest) < 0 ? taken : fastest;
        // The last number of each of its weights: a page or two of each are touched.
        for (Weight weight : model.graph().weights()) {
          var data = model.weights().tensor(weight).data();
          assertThat(data.get(ValueLayout.JAVA_BYTE, data.byteSize() - 1)).isZero();
        }
        assertThat(residentBytes() - before).isLessThan(128L << 20);
      }
    }
    System.out.println("%d bytes open in %s".formatted(bytes, fastest));
    assertThat(fastest).isLessThan(Duration.ofSeconds(1));
  }
}
